#!/usr/bin/env bash
# install.sh PROGRAM | install.sh --remove | install.sh --check: installs lancam-view with its icon, menu entry, description, manual page and shell
# completions below $DESTDIR$PREFIX, or removes all of it, or only checks PREFIX. PREFIX defaults to /usr/local for root and to ~/.local for others. Prints each file.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

if [ "$(id -u)" = 0 ]; then PREFIX=${PREFIX:-/usr/local}; else PREFIX=${PREFIX:-$HOME/.local}; fi
[[ $PREFIX == /* ]] || { echo "install.sh: PREFIX must be a folder that begins with /, not '$PREFIX'" >&2 && exit 2; }
while [[ $PREFIX == *?/ ]]; do PREFIX=${PREFIX%/}; done
base=${DESTDIR:-}$PREFIX
program=bin/lancam-view
# On Debian, zsh reads files of packages and files of users from two folders.
zsh=share/zsh/site-functions
[ "$PREFIX" != /usr ] || zsh=share/zsh/vendor-completions
# Files to install beside the program: source and target.
files=(
    lancam-view.desktop share/applications/lancam-view.desktop
    lancam-view.metainfo.xml share/metainfo/local.lancam.view.metainfo.xml
    lancam-view.svg share/icons/hicolor/scalable/apps/lancam-view.svg
    lancam-view-48.png share/icons/hicolor/48x48/apps/lancam-view.png
    lancam-view-128.png share/icons/hicolor/128x128/apps/lancam-view.png
    lancam-view.1 share/man/man1/lancam-view.1
    lancam-view.bash share/bash-completion/completions/lancam-view
    _lancam-view "$zsh/_lancam-view"
    lancam-view.fish share/fish/vendor_completions.d/lancam-view.fish
)

# Whether zsh reads the folder of its file, or is not installed.
zsh_finds_it() {
    [ -z "${DESTDIR:-}" ] && command -v zsh >/dev/null || return 0
    zsh -f -c '(( ${fpath[(Ie)$1]} ))' zsh "$base/$zsh"
}

# put MODE FROM TO
put() {
    install -D --mode "$1" "$2" "$base/$3"
    echo "installed $base/$3"
}

# Updates the desktop's lists of menu entries and icons, if it has any. In a package, the system does that.
refresh() {
    [ -z "${DESTDIR:-}" ] || return 0
    local applications=$base/share/applications icons=$base/share/icons/hicolor
    if [ -d "$applications" ] && command -v update-desktop-database >/dev/null; then update-desktop-database -q "$applications" || true; fi
    if [ -f "$icons/icon-theme.cache" ] && command -v gtk-update-icon-cache >/dev/null; then gtk-update-icon-cache -q -t "$icons" || true; fi
}

# tidy PLACE: removes the folders of a file that are empty now, but not those that every system has.
tidy() {
    local folder cache=$base/share/applications/mimeinfo.cache
    # The desktop's list of an empty folder.
    [ ! -e "$cache" ] || [ "$(ls -A "${cache%/*}")" != mimeinfo.cache ] || rm "$cache"
    folder=$(dirname "$1")
    while [ "$folder" != . ]; do
        case $PREFIX/$folder in /usr/bin | /usr/share | /usr/local/bin | /usr/local/share | /usr/local/share/man | /usr/local/share/zsh/site-functions) break ;; esac
        rmdir "$base/$folder" 2>/dev/null || break
        folder=$(dirname "$folder")
    done
}

case ${1:-} in
--check) ;; # done above, before a program is built for minutes
--remove)
    for ((at = 1; at < ${#files[@]}; at += 2)); do
        places+=("${files[at]}")
    done
    removed=()
    for place in "$program" "${places[@]}"; do
        [ -e "$base/$place" ] || continue
        rm "$base/$place"
        echo "removed $base/$place"
        removed+=("$place")
    done
    refresh
    for place in "${removed[@]}"; do tidy "$place"; done
    ;;
'' | -*) echo "usage: install.sh PROGRAM | install.sh --remove | install.sh --check" >&2 && exit 2 ;;
*)
    put 755 "$1" "$program"
    for ((at = 0; at < ${#files[@]}; at += 2)); do
        put 644 "$here/${files[at]}" "${files[at + 1]}"
    done
    refresh
    # Folders of packages are in PATH.
    [[ -n ${DESTDIR:-} || :$PATH: == *:$base/bin:* ]] || echo "Your shell does not find programs in $base/bin yet. Log in again; if that does not help, type $(printf %q "$base/bin/lancam-view")"
    zsh_finds_it || echo "For completion in zsh, write this before compinit in ~/.zshrc: fpath+=('$base/$zsh')"
    ;;
esac
