#!/bin/sh
# no-cc.sh ARGUMENT...: stands in for another system's C compiler when only Rust code is checked. Its object files are empty.
while [ $# -gt 0 ]; do
    if [ "$1" = -o ]; then : >"$2"; fi
    shift
done
