#!/usr/bin/env bash
# manifest.sh DEBS: prints what the image contains, with licences: packages, versions, hashes, what is linked into lancam and
# lancam-setup, and all licence texts. It is published beside the image, and on the card as licences.txt, because most
# licences require that.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=cross/image/common.sh
. "$here/common.sh"
debs=$1

texts=$(mktemp -d "$cache/texts.XXXXXX")
trap 'rm -rf "$texts"' EXIT

# copyright_of PACKAGE FILE: prints the copyright file of a package.
copyright_of() {
    dpkg-deb --fsys-tarfile "$2" | tar -x -O --wildcards './usr/share/doc/*/copyright' 2>/dev/null && return
    case $1 in # whose text is in another package
    kmod) dpkg-deb --fsys-tarfile "$debs"/libkmod2_*.deb | tar -x -O --wildcards './usr/share/doc/*/copyright' ;;
    libgcc-s1)
        echo "License: GPL-3+ with the GCC Runtime Library Exception"
        echo "Copyright: Free Software Foundation, Inc. The exception: https://www.gnu.org/licenses/gcc-exception-3.1.html"
        ;;
    *) fail "$1 comes without a copyright file" ;;
    esac
}

echo "What is in this image, and under which licences: Debian packages; then the programs lancam and lancam-setup; then the texts."
echo "The source of all packages: https://snapshot.debian.org/package/SOURCE/VERSION/, and of lancam where you have this image from."
echo
while read -r hash _ path; do
    file=$debs/$(deb_name "$path")
    # shellcheck disable=SC2016 # dpkg-deb's variables
    package=$(dpkg-deb -W --showformat='${Package}' "$file")
    copyright_of "$package" "$file" >"$texts/new"
    licences=$(sed -n 's/^License: *\(..*\)/\1/p' "$texts/new" | sort -u | paste -sd ';' | sed 's/;/; /g')
    # Many packages have the same text.
    text=$texts/$(sha256sum <"$texts/new" | cut -c 1-16)
    mv "$texts/new" "$text"
    echo "$package" >>"$text.packages"
    # shellcheck disable=SC2016
    dpkg-deb -W --showformat='${Package} ${Version}\n' "$file"
    # shellcheck disable=SC2016
    printf '    %s\n    source: %s\n    licences: %s\n' "$hash" \
        "$(dpkg-deb -W --showformat='${source:Package} ${source:Version}' "$file")" "${licences:-see its text}"
done < <(grep -v '^#' "$here/packages.lock")

printf '\n%s\n\n' "==== The programs lancam and lancam-setup"
"$here/../deb/copyright.py" camera,setup aarch64-unknown-linux-musl
while read -r list; do
    printf '\n==== %s\n\n' "$(paste -sd ' ' "$list")"
    cat "${list%.packages}"
done < <(find "$texts" -name '*.packages' | sort)
