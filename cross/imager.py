#!/usr/bin/env python3
"""imager.py FOLDER IMAGE URL: the list by which Raspberry Pi Imager offers the card FOLDER/IMAGE (.img.xz), with settings to fill in.

URL is where the files of FOLDER will lie: Imager wants whole addresses. https://, http:// and file:// are.
"""

import datetime
import hashlib
import json
import lzma
import os
import sys

CHUNK = 1 << 20
ICONS = "https://downloads.raspberrypi.com/imager/icons/"
# The tags in Imager's own list. The Zero 2 W has the Pi 3's tag there.
BOARDS = [
    ("Raspberry Pi 4", "pi4-64bit", "RPi_4.png", "Model B and 400"),
    ("Raspberry Pi 3", "pi3-64bit", "RPi_3.png", "Models A+, B and B+"),
    ("Raspberry Pi Zero 2 W", "pi3-64bit", "RPi_Zero_2_W.png", "Zero 2 W"),
]


def size_and_sum(file):
    """The length and the SHA-256 of a stream."""
    size, digest = 0, hashlib.sha256()
    while chunk := file.read(CHUNK):
        size += len(chunk)
        digest.update(chunk)
    return size, digest.hexdigest()


def manifest(folder, image, url):
    path = os.path.join(folder, image)
    with open(path, "rb") as file:
        packed = size_and_sum(file)
    with lzma.open(path) as file:
        unpacked = size_and_sum(file)
    made = datetime.datetime.fromtimestamp(os.path.getmtime(path), datetime.timezone.utc)
    url = url.rstrip("/")
    device = lambda name, tag, icon, text: {
        "name": name, "tags": [tag], "icon": ICONS + icon, "description": text, "matching_type": "exclusive"
    }
    return {
        "imager": {"devices": [device(*board) for board in BOARDS]},
        "os_list": [{
            "name": "lancam",
            "description": "A camera for the LAN: power it, and watch. Not for the Pi 5",
            "icon": f"{url}/lancam.png",
            "url": f"{url}/{image}",
            "extract_size": unpacked[0],
            "extract_sha256": unpacked[1],
            "image_download_size": packed[0],
            "image_download_sha256": packed[1],
            "release_date": made.date().isoformat(),
            # lancam-setup reads user-data and network-config of the files that Imager writes. Imager 1 knows this value too.
            # For the other one (cloudinit-rpi) it writes a script, which nothing runs here.
            "init_format": "cloudinit",
            "devices": sorted({tag for _, tag, _, _ in BOARDS}),
        }],
    }


def main():
    if len(sys.argv) != 4:
        sys.exit("usage: imager.py FOLDER IMAGE URL")
    folder, image, url = sys.argv[1:]
    if not url.startswith(("https://", "http://", "file:///")):
        sys.exit(f"release: RELEASE_URL={url} must be a whole address, such as https://HOST/FOLDER")
    try:
        text = json.dumps(manifest(folder, image, url), indent=2)
    except (OSError, EOFError, lzma.LZMAError) as error:
        sys.exit(f"release: {folder}/{image} cannot be unpacked: {error}")
    print(text)


main()
