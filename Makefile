SHELL := /bin/bash
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
.DEFAULT_GOAL := help

node_modules/.package-lock.json: package.json package-lock.json
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: help
help: ## lists every target
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-16s %s\n", $$1, $$2 }'

.PHONY: install
install: node_modules/.package-lock.json ## installs what is missing: the pinned Node and the packages

.PHONY: demo
demo: install ## one policy node on this machine, from boot to signature, refusals included
	@node cli/holdfast.js local demo

.PHONY: test
test: install ## every check that CI runs
	@scripts/install-test-tools.sh
	npm run check
	@scripts/fuzz --runs 10000
	@echo 'Not part of this: what boots machines in an emulator (make test-emulated) and long fuzzing (make fuzz).'

.PHONY: test-emulated
test-emulated: install ## boots real images behind a real NSM and AF_VSOCK in an emulator, which it builds first
	scripts/emulator.sh
	scripts/image-inputs.sh
	HOLDFAST_EMULATED=1 npx vitest run

.PHONY: fuzz
fuzz: install ## coverage-guided fuzzing of whatever reads hostile bytes, 10 minutes a target (FUZZ_SECONDS=...)
	scripts/fuzz --seconds $(or $(FUZZ_SECONDS),600)

.PHONY: bench
bench: install ## one node's figures: boot, signatures a second through the whole path, memory (bench/README.md)
	@node bench/node.ts
