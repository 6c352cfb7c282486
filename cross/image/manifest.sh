#!/usr/bin/env bash
# manifest.sh DEBS ROOT BOOT: what the image is made of: packages, versions, hashes and licences, as far as Debian's copyright files
# name them for machines.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=cross/image/common.sh
. "$here/common.sh"
debs=$1

printf '%s\n\n' "Debian packages in this image. The full licence texts of each are in its file usr/share/doc/PACKAGE/copyright."
while read -r hash _ path; do
    file=$debs/$(deb_name "$path")
    licences=$(dpkg-deb --fsys-tarfile "$file" | tar -x -O --wildcards './usr/share/doc/*/copyright' 2>/dev/null |
        sed -n 's/^License: *\(.*\)/\1/p' | sort -u | paste -sd ';' | sed 's/;/; /g') || true
    # shellcheck disable=SC2016 # dpkg-deb's variables
    dpkg-deb -W --showformat='${Package} ${Version}\n' "$file"
    # shellcheck disable=SC2016
    printf '    %s\n    source: %s\n    licences: %s\n' "$hash" \
        "$(dpkg-deb -W --showformat='${source:Package} ${source:Version}' "$file")" "${licences:-see its copyright file}"
done < <(grep -v '^#' "$here/packages.lock")
