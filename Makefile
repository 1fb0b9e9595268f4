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
demo: install ## policy nodes on this machine: one, three that share a key, a vault of four accounts; refusals included
	@node cli/holdfast.js local demo

.PHONY: demo-enclave
demo-enclave: install ## the real image in an emulated Nitro host, which it builds first: several minutes
	@scripts/emulated-host.sh --needed
	@node scripts/demo-enclave.ts

.PHONY: test
test: install ## every check that CI runs, real images in an emulated Nitro host included
	@scripts/run-checks

.PHONY: test-emulated
test-emulated: install ## of these only what boots real images behind a real NSM and AF_VSOCK
	@scripts/emulated-host.sh --needed
	npm test -- --project emulated

.PHONY: fuzz
fuzz: install ## coverage-guided fuzzing of whatever reads hostile bytes, 10 minutes a target (FUZZ_SECONDS=...)
	scripts/fuzz --seconds $(or $(FUZZ_SECONDS),600)

.PHONY: bench
bench: install ## one node's figures: boot, signatures a second through the whole path, memory (bench/README.md)
	@node bench/node.ts
