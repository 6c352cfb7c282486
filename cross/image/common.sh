# shellcheck shell=bash
# Shared by the image's scripts: folders, the mirror, and failing with a message.
: "${here:?}"
export LC_ALL=C TZ=UTC PATH=$PATH:/usr/sbin:/sbin
umask 022

# The cache for downloads and builds. LANCAM_IMAGE_CACHE names another folder.
cache=${LANCAM_IMAGE_CACHE:-$here/../../target/image}
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)

fail() { echo "${0##*/}: $*" >&2; exit 1; }

# Every file in the image has the date of the lock file.
if [ -e "$here/packages.lock" ]; then
    SOURCE_DATE_EPOCH=$(date -d "$(sed -n '1s/.*: //p' "$here/packages.lock")" +%s)
    export SOURCE_DATE_EPOCH
fi

readonly DEBIAN=http://deb.debian.org

# mirror debian|debian-security: prints the address from which this machine gets that archive, else Debian's own. Other
# vendors' archives have the same path at hosts of their own: HOST/debian, HOST/linux/debian.
mirror() {
    local uri
    uri=$(cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
        grep -v '^ *#' | grep -oE "https?://[^] ]*/$1/?( |$)" |
        grep -vE '//(archive|legacy)\.raspb|//download\.docker\.com/' | head -n 1) || true
    uri=${uri% }
    uri=${uri:-$DEBIAN/$1}
    echo "${uri%/}"
}

# The file name at the end of a path in packages.lock.
deb_name() {
    local name=${1##*/}
    printf '%b' "${name//%/\\x}"
}
