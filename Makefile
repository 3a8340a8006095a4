# Two commands are enough on a fresh machine: `make run` and `make test`. They say what they install.
.DEFAULT_GOAL := help
.PHONY: help run demo dev build check test bench advisories screenshots format clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## build, then serve on http://127.0.0.1:3000 (PORT=, KEYWRIGHT_DATA=)
	@scripts/serve.sh run

demo: ## the same with made-up data, on http://127.0.0.1:3001
	@scripts/serve.sh demo

dev: ## serve, and rebuild and restart on every change
	@scripts/serve.sh dev

build: ## build/keywright, one file with everything in it
	@scripts/build.sh

check: ## every gate that needs neither Chromium nor PostgreSQL
	@scripts/check.sh

test: ## every gate: lints, tests on both databases, budget, browser journeys
	@scripts/check.sh --all

bench: ## measure verification, every page, charts and signing in
	@scripts/bench.sh

advisories: ## known vulnerabilities in the dependencies (needs a network)
	@scripts/advisories.sh

screenshots: ## pictures of the pages
	@scripts/screenshots.sh

format: ## format the Rust code
	@cargo fmt

clean: ## remove what builds and tests made; installed tools stay
	@scripts/clean.sh
