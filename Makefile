# One front door for work on rushes. `make` alone lists what there is.
.DEFAULT_GOAL := help
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TASK ?= pipeline
DATA ?= samples/episodes
PORT ?= 8000
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
# pip's chatter as one line that counts up; its errors are shown as they are
COUNTED := awk -v n="$$(grep -c == config/requirements.lock)" '\
	/^Collecting/ { printf "\r    %d of %d %-50.50s", ++i, n, $$2; fflush() } /^Installing/ { printf "\r    unpacking %d packages %-40s", n, ""; fflush() } \
	/^ERROR|error:/ { print } END { print "" }'
export PIP_DISABLE_PIP_VERSION_CHECK := 1

help:  ## list these targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

install: $(READY)  ## set up .venv with the locked packages and fetch the default models

$(READY): config/requirements.lock config/models.toml setup.cfg
	@test -n "$(PYTHON)" || { echo "rushes needs Python 3.11, 3.12 or 3.13; set PYTHON=/path/to/python"; exit 1; }
	@echo "==> creating $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV)
	@echo "==> installing the locked packages (2 to 5 minutes the first time)"
	@$(BIN)/python -m pip install --requirement config/requirements.lock 2>&1 | $(COUNTED)
	@$(BIN)/python -m pip install --quiet --no-deps --editable .
	@echo "==> fetching the default models (150 MB, once)"
	@$(BIN)/rushes models fetch
	@touch $(READY)
	@echo "==> ready: $(BIN)/rushes --help"

demo: $(READY)  ## run the main job on the bundled sample: feed in, previews out
	@$(BIN)/rushes demo

test: $(READY)  ## run all tests
	@echo "==> tests (about 40 minutes on two cores)"
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile
	@echo "==> all tests passed; the flows' package, the demo and the docs are among them (tests/)"

lint: $(READY)  ## check style, formatting and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@PYTHONPATH=. $(BIN)/lint-imports

types: $(READY)  ## check types, strictly
	@$(BIN)/mypy

deploy-check: $(READY)  ## compile the flows for Argo and Step Functions, and compare them with config/
	@$(BIN)/rushes deploy-check

bench: $(READY)  ## measure: make bench TASK=pipeline DATA=samples/episodes
	@$(BIN)/python -m benchmarks $(TASK) $(DATA) --out $(TASK).json

serve: $(READY)  ## serve previews and tables on this machine: make serve PORT=8000
	@$(BIN)/rushes serve --port $(PORT)

clean:  ## remove the environment, the caches and the demo's output (.rushes and the models stay)
	@rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .rushes-demo

.PHONY: help install demo test lint types deploy-check bench serve clean
