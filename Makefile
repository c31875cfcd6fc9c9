# The two commands are `make demo` and `make test`; `make help` lists the rest.
# Needs GNU make, bash, Rust, Python 3 and a C++ compiler. What else it takes to build llama.cpp
# is fetched into .tools/ by scripts/native-tools.sh, without root.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c

# Arguments for the program, such as: make demo ARGS="--sample-size 40"
ARGS ?=
TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)

# Goes before whatever compiles llama.cpp. In two steps, since eval "$(...)" hides a failure.
NATIVE = scripts/require.sh cargo python c++; tools=$$(scripts/native-tools.sh); eval "$$tools"

# Goes before what compiles llama.cpp for a try or a test.
QUICK = . scripts/quick-llama.sh

.DEFAULT_GOAL := help
.PHONY: help demo test test-python verify lint build wheel dist install clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: ## Measure a small model on the built-in questions (ARGS go to `sureness demo`)
	@$(NATIVE); $(QUICK); cargo build --profile demo -p sureness --no-default-features --features llama --locked
	@"$(TARGET_DIR)/demo/sureness" demo $(ARGS)

test: ## Format, lints, tests with a real model and a real server
	@scripts/test.sh

test-python: ## The Python package: wheel, types, tests and notebooks in a fresh environment
	@scripts/python/test.sh $(ARGS)

verify: ## Our figures beside those of scikit-learn, SciPy, MAPIE and others on the same rows
	@scripts/verify/run.sh $(ARGS)

lint: ## Format and lints alone
	@scripts/test.sh bare
	@scripts/test.sh lint

build: ## Build the release binary
	@$(NATIVE); cargo build --release -p sureness --locked

wheel: ## Build the Python wheel into dist/
	@$(NATIVE); scripts/python/wheel.sh dist $(ARGS)

dist: ## Build what users install into dist/: archive, Debian package, list of parts, checksums
	@$(NATIVE); scripts/dist.sh

install: ## Install the binary into Cargo's folder (ARGS go to `cargo install`), completions, man pages
	@$(NATIVE); cargo install --path crates/cli --locked $(ARGS)
	@scripts/install-extras.sh

clean: ## Remove what was built and fetched
	cargo clean
	rm -rf .tools
