.DEFAULT_GOAL := help
export PREFIX DESTDIR
.PHONY: help run test test-all test-raspi3b fetch screenshots check check-others install uninstall deb pi image image-lock flash deploy release bench compare fuzz soak

help: ## this list
	@sed -n 's/^# \(.*\):$$/\n\1/p; s/^\([a-z0-9-]*\):.*## /  \1\t/p' $(MAKEFILE_LIST) | expand -t 16

.DEFAULT:
	@echo 'make: there is no target "$@". Type make for a list of them' >&2; exit 2

# To use lancam:

run: ## your camera or a test pattern in a window; without a display, the figures and a PNG
	cross/run.sh

install: ## lancam-view with its icon and menu entry, into ~/.local (root: /usr/local), or PREFIX=...
	cross/desktop/install.sh --check
	cross/desktop/install.sh "$$(cross/viewer.sh)"

uninstall: ## removes what make install has installed
	cross/desktop/install.sh --remove

deploy: ## installs lancam on a Pi that runs Raspberry Pi OS: PI=user@host
	cross/deploy.sh "$(PI)"

pi: ## static programs for every Raspberry Pi: dist/lancam-aarch64, -armv7, -armv6
	cross/build.sh aarch64 armv7 armv6

deb: ## Debian packages in dist: lancam for arm64, armhf and amd64, lancam-view for this machine
	cross/deb/build.sh lancam-view "$$(dpkg --print-architecture)" "$$(cross/viewer.sh)"
	cross/deb/camera.sh arm64 armhf amd64

image: ## the SD card for a Pi 3, 3+, 4 or Zero 2 W: dist/lancam.img; LANCAM=FILE, SETUP=FILE take programs that are built already
	$(if $(and $(LANCAM),$(SETUP)),,cross/build.sh $(if $(LANCAM),,aarch64) $(if $(SETUP),,setup-aarch64))
	cross/image/build.sh $(or $(LANCAM),dist/lancam-aarch64) $(or $(SETUP),dist/lancam-setup-aarch64)

IMAGE ?= dist/lancam.img
flash: ## writes the image onto a card, as root: DEV=/dev/sdX; without DEV it lists the disks; IMAGE=FILE takes another image
	cross/image/flash.sh "$(IMAGE)" "$(DEV)"

# To develop lancam:

test: ## all tests but the long ones, in at most 20 minutes
	tests/test.sh

test-all: ## all tests
	tests/test.sh --include-ignored

test-raspi3b: ## the program for 64-bit Pis on an emulated Raspberry Pi 3B
	tests/test.sh raspi3b

HOURS ?= 1
soak: ## a USB camera with one fault after another on the emulated Pi, for HOURS=N; prints its seed and figures, draws target/soak.png; SEED=N repeats a run
	@expr "$(HOURS)" : '[0-9]*\.\{0,1\}[0-9]*$$' '&' "$(HOURS)" : '.*[1-9]' >/dev/null || { echo "soak: HOURS must be a number above 0, not $(HOURS)" >&2; exit 2; }
	@expr "0$(SEED)" : '[0-9]*$$' >/dev/null || { echo "soak: SEED must be a whole number, not $(SEED)" >&2; exit 2; }
	@cross/rig/fetch.sh >/dev/null || { echo "soak: there is no emulated Pi on this machine; the lines above say what is missing" >&2; exit 1; }
	LANCAM_SOAK_HOURS=$(HOURS) LANCAM_SEED=$(SEED) tests/test.sh usb_soak --ignored --nocapture

check: ## formatting, lints, docs, scripts, licences and bans
	tests/check.sh

check-others: ## whether the viewer compiles for Windows and macOS
	tests/check-others.sh

fetch: ## downloads everything that run, test and image need; after it they need no network
	cross/fetch.sh

screenshots: ## takes the pictures of README.md and docs/VIEWER.md anew, as root: look at them
	cross/need.sh Xvfb:xvfb xdotool:xdotool ip:iproute2 pngquant:pngquant chromium:chromium
	cross/cargo.sh test --locked --test it desktop::pictures:: -- --include-ignored
	pngquant --force --ext .png --strip --skip-if-larger docs/pictures/*.png

compare: ## lancam, ustreamer and motion side by side: CAMERA=/dev/video0, or else on the emulated Pi
	tests/compare/compare.sh "$(CAMERA)"

bench: ## figures, as ratios against the limit measured in the same run
	cross/cargo.sh bench --locked

SECONDS ?= 60
fuzz: ## each fuzz target for a minute, or for SECONDS=N
	@expr "$(SECONDS)" : '[0-9]*$$' >/dev/null || { echo "fuzz: SECONDS must be a whole number, not $(SECONDS)" >&2; exit 2; }
	cross/need.sh c++:g++ cmake:cmake make:make nasm:nasm
	fuzz/run.sh $(SECONDS)

image-lock: ## writes the newest Debian packages for the image into cross/image/packages.lock
	cross/image/lock.sh

release: ## everything for a release page, with checksums: dist/release; RELEASE_URL=URL makes the list for Raspberry Pi Imager too
	cross/release.sh
