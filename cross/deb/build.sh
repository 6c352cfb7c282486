#!/usr/bin/env bash
# build.sh PACKAGE ARCHITECTURE PROGRAM...: builds dist/PACKAGE_VERSION_ARCHITECTURE.deb with PROGRAM, which was built for
# ARCHITECTURE. PACKAGE is a folder here with these files: control, in which @WORDS@ are replaced; stage.sh, which puts the
# package's files into a folder; FEATURES, with which the program was built; TARGETS, the Rust targets of its programs for
# each architecture; and, if needed, NEWS, the text that people see when they upgrade to this version, and the files that
# Debian runs and keeps (postinst, prerm, postrm, conffiles). The same
# commit and program make the same bytes. No file in it is younger than SOURCE_DATE_EPOCH, which defaults to the commit's
# time.
set -euo pipefail
cd "$(dirname "$0")/../.."

[ $# -ge 3 ] || { echo "usage: build.sh PACKAGE ARCHITECTURE PROGRAM..." >&2 && exit 2; }
package=$1 architecture=$2
mapfile -t programs < <(realpath "${@:3}")
here=cross/deb/$package
read -ra targets < <(sed -n "s/^$architecture //p" "$here/TARGETS") || {
    echo "build.sh: cross/deb/$package/TARGETS has no $architecture" >&2
    exit 1
}
cross/need.sh dpkg-shlibdeps:dpkg-dev python3:python3 readelf:binutils
. cross/toolchain.sh
get_rust # cargo knows the licences

from_git() { git log -1 --format="$1" 2>/dev/null || true; }
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(from_git %ct)}
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(stat --format %Y CHANGELOG.md)} TZ=UTC LC_ALL=C.UTF-8
umask 022

# The package's maintainer: from Debian's variables, else the author of the commit.
maintainer=$(from_git '%an <%ae>')
[ -z "${DEBEMAIL:-}" ] || maintainer="${DEBFULLNAME:-lancam} <$DEBEMAIL>"
maintainer=${maintainer:-The lancam authors <root@localhost>}
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
documents=$root/usr/share/doc/$package
install -d "$documents" "$root/DEBIAN"

"$here/stage.sh" "$root" "${programs[@]}"
find "$root" -path '*/man/man*/*' -type f -exec gzip -9n {} +
cross/deb/copyright.py "$(cat "$here/FEATURES")" "${targets[@]}" >"$documents/copyright"

# entry FILE: an entry in the format of Debian's changelogs, with the text of standard input.
entry() {
    {
        echo "$package ($version) unstable; urgency=medium"
        echo
        cat
        echo
        echo " -- $maintainer  $(date --date="@$SOURCE_DATE_EPOCH" --rfc-email)"
    } | gzip -9n >"$documents/$1"
}
# That format is Debian's own, so CHANGELOG.md is not used.
echo "  * lancam $version; its CHANGELOG.md says what is new." | entry changelog.gz
[ ! -e "$here/NEWS" ] || entry NEWS.Debian.gz <"$here/NEWS"

# The libraries that the program is linked with, as Debian packages. Those that it loads at run time are in control.
mkdir "$work/debian"
printf 'Source: %s\n\nPackage: %s\nArchitecture: any\n' "$package" "$package" >"$work/debian/control"
libraries=
# dpkg-shlibdeps knows only this machine's architecture, and finds nothing in static programs.
if [[ $(LC_ALL=C readelf --wide --dynamic "${programs[@]}") == *NEEDED* ]]; then
    libraries=$(cd "$work" && dpkg-shlibdeps -O "${programs[@]}" 2>/dev/null | sed -n 's/^shlibs:Depends=//p')
fi

find "$root" -newermt "@$SOURCE_DATE_EPOCH" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
size=$(find "$root" -path "$root/DEBIAN" -prune -o -type f -printf '%s\n' | awk '{ sum += int(($1 + 1023) / 1024) } END { print sum }')
sed -e "s/@VERSION@/$version/" -e "s/@ARCHITECTURE@/$architecture/" -e "s/@MAINTAINER@/$maintainer/" -e "s/@SIZE@/$size/" \
    -e "s/@LIBRARIES@, /${libraries:+$libraries, }/" -e "s/@LIBRARIES@/$libraries/" -e '/^Depends: $/d' "$here/control" >"$root/DEBIAN/control"
for script in preinst postinst prerm postrm; do
    [ ! -e "$here/$script" ] || install --mode 755 "$here/$script" "$root/DEBIAN/$script"
done
[ ! -e "$here/conffiles" ] || install --mode 644 "$here/conffiles" "$root/DEBIAN/conffiles"
(cd "$root" && find . -path ./DEBIAN -prune -o -type f -printf '%P\0' | sort --zero-terminated | xargs --null md5sum >DEBIAN/md5sums)

mkdir -p dist
deb=${DEB_FOLDER:-dist}/${package}_${version}_$architecture.deb
dpkg-deb --root-owner-group -Zxz --build "$root" "$deb" >/dev/null
echo "$deb: $(stat --format %s "$deb") bytes"
