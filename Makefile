# Everything a newcomer types: make demo, make test. `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PARTS := schemas producers stream_processors sinks exporter deploy
READY := $(VENV)/.ready
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# The events of `make demo`: JSON lines, or empty for the scripted day.
INPUT ?=
# Further arguments for pytest: make test ARGS="-k paging -x"
ARGS ?=
# Of `make faults`: words of a case's name, a seed, and how many random kills; empty for all, a new one.
CASE ?=
SEED ?=
KILLS ?= 500

export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(READY): requirements.lock bootstrap.lock pyproject.toml $(PARTS:%=%/pyproject.toml)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Auditlane needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version). Try: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@echo "setup 1/4  a virtual environment in $(VENV)"
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV) || { \
	  echo "python3 cannot make virtual environments here; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@echo "setup 2/4  the locked dependencies (about 500 MB to fetch, once)"
	@[ -x $(BIN)/uv ] || $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r bootstrap.lock
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	@echo "setup 3/4  Auditlane itself: $(PARTS)"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation $(PARTS:%=-e ./%)
	@echo "setup 4/4  Kafka's jars (43 MB, once)"
	@$(BIN)/audit stack fetch
	@touch $@

.PHONY: setup
setup: $(READY) ## install everything into .venv

.PHONY: demo
demo: $(READY) ## a helpdesk's day from the SDK to files; INPUT=events.jsonl for your own
	@$(BIN)/audit demo $(if $(INPUT),--input $(INPUT))

.PHONY: test
test: $(READY) ## all everyday checks and tests, on the real Kafka and ClickHouse
	@$(MAKE) --no-print-directory check
	@$(BIN)/python -m pytest -m "not slow" -n auto --maxprocesses 4 --dist loadfile --cov --cov-report= $(ARGS)
	@echo "coverage of the tests' own process; commands and workers run in processes of their own, and are not counted:"
	@$(BIN)/python -m coverage report --skip-covered --sort=cover

.PHONY: check
check: $(READY) ## format, lint, types, import contracts, published schemas
	@$(BIN)/ruff format --check --quiet . || { echo "run: make format" >&2; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo > /dev/null || { $(BIN)/lint-imports; exit 1; }
	@$(BIN)/audit schema check --published

.PHONY: format
format: $(READY) ## format and sort the code
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

.PHONY: faults
faults: $(READY) ## attack the pipeline, for long: CASE="words of a name" SEED=7 repeat one; out/faults.json
	@AUDIT_CASE="$(CASE)" AUDIT_SEED="$(SEED)" AUDIT_KILLS="$(KILLS)" $(BIN)/python -m pytest tests/faults $(ARGS)
	@[ -n "$(CASE)" ] || $(BIN)/python -m pytest -m slow tests/integration

.PHONY: bench
bench: $(READY) ## ratios to peers in one run; ARGS="--backlog 10000000" for a backlog; leaves out/bench.json
	@$(BIN)/python tests/bench/run.py $(ARGS)

.PHONY: apart
apart: $(READY) ## build, install and import each distribution alone
	@tests/apart.sh

.PHONY: lock
lock: $(READY) ## resolve the dependencies anew; writes hashes, no hosts
	@$(BIN)/uv lock --quiet --upgrade
	@$(BIN)/uv export --quiet --format requirements-txt --all-packages --no-emit-workspace --all-groups --all-extras --no-header --no-annotate -o requirements.lock
	@grep -A99 -m1 -E '^uv==' requirements.lock | awk 'NR == 1 || /^    --hash/ {print; next} {exit}' > bootstrap.lock

.PHONY: clean
clean: ## remove what the tools made
	@rm -rf out .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*
