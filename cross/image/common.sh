# shellcheck shell=bash
# What the image's scripts share: where things lie, the mirror, and how to give up.
: "${here:?}"
export LC_ALL=C TZ=UTC PATH=$PATH:/usr/sbin:/sbin
umask 022

# What downloading and building leave behind; LANCAM_IMAGE_CACHE names another folder.
cache=${LANCAM_IMAGE_CACHE:-$here/../../target/image}
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)

fail() { echo "${0##*/}: $*" >&2; exit 1; }

# The date in the lock file is that of every file in the image.
if [ -e "$here/packages.lock" ]; then
    SOURCE_DATE_EPOCH=$(date -d "$(sed -n '1s/.*: //p' "$here/packages.lock")" +%s)
    export SOURCE_DATE_EPOCH
fi

readonly DEBIAN=http://deb.debian.org

# mirror debian|debian-security: where this machine gets that archive from, else Debian's own address. Others than Debian
# have archives of that name too, at hosts of their own: HOST/debian, HOST/linux/debian.
mirror() {
    local uri
    uri=$(cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
        grep -v '^ *#' | grep -oE "https?://[^] ]*/$1/?( |$)" |
        grep -vE '//(archive|legacy)\.raspb|//download\.docker\.com/' | head -n 1) || true
    uri=${uri% }
    uri=${uri:-$DEBIAN/$1}
    echo "${uri%/}"
}

# The name of the file that a path in packages.lock leads to.
deb_name() {
    local name=${1##*/}
    printf '%b' "${name//%/\\x}"
}
