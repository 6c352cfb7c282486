#!/usr/bin/env bash
# stage.sh FOLDER PROGRAM [PROGRAM]: puts the files of the package lancam into FOLDER, except those that every package has.
# With two programs, the first is for ARMv7 and the second for ARMv6, and `choose` is installed as lancam.
set -euo pipefail
cd "$(dirname "$0")/../../.."
root=$1

if [ $# = 2 ]; then
    install -D "$2" "$root/usr/bin/lancam"
else
    install -D cross/deb/lancam/choose "$root/usr/bin/lancam"
    install -D "$2" "$root/usr/lib/lancam/armv7/lancam"
    install -D "$3" "$root/usr/lib/lancam/armv6/lancam"
fi
install -D cross/deb/lancam/from-rpicam "$root/usr/lib/lancam/from-rpicam"
put() { install -D --mode 644 "$1" "$root/$2"; }
for unit in systemd/lancam*.{service,socket,target}; do put "$unit" "usr/lib/systemd/system/${unit##*/}"; done
put systemd/60-lancam.rules usr/lib/udev/rules.d/60-lancam.rules
put systemd/lancam.toml etc/lancam/lancam.toml
put cross/deb/lancam/lancam.1 usr/share/man/man1/lancam.1
put cross/deb/lancam/lancam.bash usr/share/bash-completion/completions/lancam
put cross/deb/lancam/_lancam usr/share/zsh/vendor-completions/_lancam
put cross/deb/lancam/lancam.fish usr/share/fish/vendor_completions.d/lancam.fish
put docs/CONFIGURATION.md usr/share/doc/lancam/CONFIGURATION.md
put cross/deb/lancam/lintian-overrides usr/share/lintian/overrides/lancam
