#!/usr/bin/env bash
# stage.sh FOLDER PROGRAM: puts the files of the package lancam-view into FOLDER, except those that every package has.
set -euo pipefail
cd "$(dirname "$0")/../.."

DESTDIR=$1 PREFIX=/usr desktop/install.sh "$2" >/dev/null
install -D --mode 644 deb/lancam-view/lintian-overrides "$1/usr/share/lintian/overrides/lancam-view"
