# Two commands matter: `make serve` and `make test`. Everything they need goes into .venv, from the hashed locks.

PYTHON ?= python3
UV_VERSION := 0.13.9

VENV := .venv
BIN := $(VENV)/bin
# Newer than the files it was made from: nothing is to be installed. The dev lock is a superset of the other, so
# packages are only ever added; after a lock has lost one, `make clean` starts from nothing.
UV := $(VENV)/.uv-is-there
RUNTIME := $(VENV)/.runtime-is-there
DEV := $(VENV)/.dev-is-there

INSTALL := $(BIN)/uv pip install --quiet --python $(BIN)/python
COMPILE := $(BIN)/uv pip compile --quiet --python $(BIN)/python --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-header
# Linters and type checkers of other projects on the machine are none of ours.
unexport VIRTUAL_ENV PYTHONPATH

.DEFAULT_GOAL := help
.PHONY: help serve test fuzz-api check check-lock lock fuzz bench dev clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

serve: $(RUNTIME) ## start the registry at http://127.0.0.1:8000 (installs, migrates and seeds the first time)
	@$(BIN)/sistercities serve

test: $(DEV) ## run the tests, on SQLite and on PostgreSQL where one is reachable
	@$(BIN)/pytest -n auto --maxprocesses 4

fuzz-api: $(DEV) ## let schemathesis look at the API for longer (FUZZ=200 requests of each operation)
	@REGISTRY_TEST_FUZZ=$(or $(FUZZ),200) $(BIN)/pytest tests/api/test_schemathesis.py

check: $(DEV) ## everything but the tests: style, types, layers, migrations against models, locks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest --quiet tests/test_migrations.py
	@$(MAKE) --no-print-directory check-lock

# The locks are compiled anew with themselves as the preference: only what pyproject.toml asks for makes a
# difference, not what was released since.
check-lock: $(DEV)
	@fresh=$$(mktemp -d) && trap 'rm -rf "$$fresh"' EXIT && cp requirements*.lock "$$fresh" \
	&& $(COMPILE) --extra build --extra parquet pyproject.toml -o "$$fresh/requirements.lock" \
	&& $(COMPILE) --extra build --extra dev --extra bench -c requirements.lock pyproject.toml -o "$$fresh/requirements-dev.lock" \
	&& for lock in requirements.lock requirements-dev.lock; do \
		diff -u $$lock "$$fresh/$$lock" || { echo "$$lock is not up to date: run make lock"; exit 1; }; \
	done && echo "The locks are up to date."

lock: $(UV) ## write the lock files anew, keeping the versions that still fit (delete a lock first to renew it)
	$(COMPILE) --extra build --extra parquet pyproject.toml -o requirements.lock
	$(COMPILE) --extra build --extra dev --extra bench -c requirements.lock pyproject.toml -o requirements-dev.lock
	echo "uv==$(UV_VERSION)" | $(COMPILE) --no-annotate - -o requirements-uv.lock

fuzz: $(DEV) ## drive random operations for some minutes, and shrink what fails
	FUZZ_EXAMPLES=300 $(BIN)/pytest tests/registry/test_state_machine.py

bench: $(DEV) ## measure start, memory and rates
	@$(BIN)/python bench/serving.py

dev: $(DEV) ## build the environment for the tests and checks, and nothing else

clean: ## remove the environment and all caches; the database stays
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .schemathesis build dist
	find app bench migrations seeds tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(UV): requirements-uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { \
		echo "This Python comes without venv. On Debian and Ubuntu: sudo apt-get install python3-venv" >&2; exit 1; }
	@echo "Building the environment in $(VENV) …"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
	@touch $@

$(RUNTIME): $(UV) requirements.lock pyproject.toml
	@$(INSTALL) --require-hashes -r requirements.lock
	@$(INSTALL) --no-build-isolation --no-deps --editable .
	@touch $@

$(DEV): $(UV) requirements-dev.lock requirements.lock pyproject.toml
	@$(INSTALL) --require-hashes -r requirements-dev.lock
	@$(INSTALL) --no-build-isolation --no-deps --editable .
	@touch $(RUNTIME) $@
