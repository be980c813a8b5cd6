# Đèn Xanh: `make demo` runs the main job, `make test` passes the tests; each does all its own set-up.
# PIP_EXTRA: further options for pip, for example an extra index. ARGS: options for the demo or for pytest.
PYTHON ?= python3
PIP_EXTRA ?=
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help setup demo test check format verify clean

help: ## Say what each target does
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.sim: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet $(PIP_EXTRA) -c constraints.txt -e '.[sim,reports]'
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet $(PIP_EXTRA) -c constraints.txt -e '.[sim,train,cluster,dev]'
	@touch $@ $(VENV)/.sim

setup: $(VENV)/.sim ## Install into .venv, nothing else

demo: $(VENV)/.sim ## Run the Cần Thơ arterial with virtual cabinets and the live page
	$(BIN)/denxanh demo $(ARGS)

check: $(VENV)/.dev ## Formatting, lint, types, floors
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check ## Everything that CI runs
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

format: $(VENV)/.dev ## Format and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

verify: $(VENV)/.sim ## Exhaustive safety proof of every catalogue intersection
	$(BIN)/denxanh verify --catalogue

clean: ## Remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build src/*.egg-info
