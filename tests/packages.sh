#!/usr/bin/env bash
# packages.sh [long]: installs the Debian packages that the tests use, or those of the long tests.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "${1:-}" = long ]; then
    # HTTP clients, a Wayland compositor, and a checker of packages.
    exec cross/need.sh mpv:mpv vlc:vlc-bin,vlc-plugin-base,vlc-plugin-video-output \
        gst-launch-1.0:gstreamer1.0-tools,gstreamer1.0-plugins-good gstreamer1.0-x firefox-esr:firefox-esr surf:surf \
        nginx:nginx-light caddy:caddy haproxy:haproxy motion:motion prometheus:prometheus weston:weston lintian:lintian \
        mmdebstrap:mmdebstrap ssh:openssh-client
fi
exec cross/need.sh Xvfb:xvfb xdotool:xdotool libxcursor1 strace:strace curl:curl djpeg:libjpeg-turbo-progs \
    ip:iproute2 chromium:chromium ffprobe:ffmpeg dpkg-shlibdeps:dpkg-dev desktop-file-validate:desktop-file-utils appstreamcli:appstream man:man-db \
    qemu-system-aarch64:qemu-system-arm mcopy:mtools mkfs.vfat:dosfstools ssh:openssh-client cpio:cpio depmod:kmod xz:xz-utils \
    qemu-arm-static:qemu-user-static systemd-analyze:systemd wpa_supplicant:wpasupplicant zsh:zsh fish:fish
