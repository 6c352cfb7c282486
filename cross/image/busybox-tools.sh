#!/bin/sh
# Prints the commands that busybox provides, for the image's scripts and for owners with an SSH key.
echo ash awk basename cat chmod cmp cp cut date dd df dirname dmesg du echo env false find free grep head hexdump hostname id ifconfig install \
    ip kill less ln ls md5sum mkdir mkfifo mktemp more mv nc netstat nslookup ping printf ps pwd readlink rm rmdir route sed seq \
    sh sleep sort stat stty sync tail tee test timeout top touch tr true tty uname uniq uptime usleep vi wc wget which xargs
