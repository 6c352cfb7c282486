.DEFAULT_GOAL := help
.PHONY: help pi

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

pi: ## static programs for every Raspberry Pi: dist/lancam-aarch64, -armv7, -armv6
	cross/build.sh aarch64 armv7 armv6
