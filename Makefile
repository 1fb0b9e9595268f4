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
	npm run check

.PHONY: fuzz
fuzz: install ## coverage-guided fuzzing of whatever reads hostile bytes, 10 minutes a target (FUZZ_SECONDS=...)
	scripts/fuzz --seconds $(or $(FUZZ_SECONDS),600)
