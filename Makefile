# `make demo` and `make test` set up everything they need; `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# an install step that succeeded leaves a stamp in what it installed, newer than its lock file
STAMP := installed.stamp

# major versions of Node about whose end of life jsii should not shout
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 18,20
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(VENV)/$(STAMP): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Daybook needs Python 3.11 or newer")'
	@echo "Installing Python packages into $(VENV): two minutes or so, once"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -qq --require-hashes -r requirements/dev.txt
	$(BIN)/pip install -qq --no-deps --no-build-isolation -e .
	@touch $@

.venv-platform/$(STAMP): requirements/platform.txt
	$(PYTHON) -m venv .venv-platform
	.venv-platform/bin/pip install -qq --require-hashes -r requirements/platform.txt
	@touch $@

node_modules/$(STAMP): package-lock.json
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: setup
setup: $(VENV)/$(STAMP) .venv-platform/$(STAMP) node_modules/$(STAMP) ## install what the project needs, from the lock files

.PHONY: demo
demo: setup ## three agents trade thirteen years of prices, and learn from the first half, on the real stack
	$(BIN)/python -m examples.trading_desk

.PHONY: test
test: setup ## run every test, in three processes, a file in one of them
	$(BIN)/pytest --numprocesses=3 --dist=loadfile

.PHONY: campaign
campaign: setup ## run the long campaigns of fault tests, and the benchmarks that have a bar
	$(BIN)/pytest -m campaign
	$(BIN)/python -m bench.learning
	$(BIN)/python -m bench.statistics
	$(BIN)/python -m bench.consolidation
	$(BIN)/python -m bench.langgraph
	$(BIN)/python -m bench.replay
	$(BIN)/python -m bench.training

.PHONY: bench
bench: setup ## measure logging beside other ways to write to DynamoDB, and what imports cost
	$(BIN)/python -m bench.imports
	$(BIN)/python -m bench.writing

.PHONY: lint
lint: setup ## ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: synth
synth: setup ## synthesize the production template
	npx cdk synth --quiet -c stage=prod

.PHONY: check
check: lint synth test ## everything that has to pass before a commit lands

.PHONY: format
format: setup ## let ruff rewrite what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-package daybook-aws
.PHONY: lock
lock: $(VENV)/$(STAMP) ## resolve the dependencies anew and write the lock files
	$(LOCK) requirements/dev.in -o requirements/dev.txt
	$(LOCK) requirements/lambda.in -o requirements/lambda.txt
	$(LOCK) requirements/platform.in -o requirements/platform.txt
	npm install --package-lock-only

.PHONY: clean
clean: ## stop the local platform with all it keeps, and remove what was built and installed
	@if [ -x $(BIN)/daybook ]; then $(BIN)/daybook down --wipe; fi
	rm -rf $(VENV) .venv-platform node_modules .daybook build cdk.out
