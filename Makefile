# What a person types here is what CI runs. `make setup` is done by itself when it is needed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Tests wait for engines more than they compute; each worker has engines of its own.
SPREAD := -n 3 --dist worksteal
# Else hundreds of processes that tests start would each compile our code again.
unexport PYTHONDONTWRITEBYTECODE
COMPILE := $(BIN)/pip-compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links \
	--no-emit-trusted-host --strip-extras --allow-unsafe --no-header

.PHONY: help setup run test check format chaos bench lock clean distclean
.DEFAULT_GOAL := help

help: ## list what can be made
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

setup: $(INSTALLED) ## build .venv with the command `tellergrid` in it

$(INSTALLED): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "Python 3.11 or later is needed; PYTHON=<path> make names another one." >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
		{ test "$$(id -u)" = 0 && command -v apt-get >/dev/null && \
		  apt-get update -q && apt-get install -y -q --no-install-recommends python3-venv; } || \
		{ echo "Python's venv module is missing. On Debian: sudo apt-get install python3-venv" >&2; \
		  exit 1; }
	@$(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	@echo "installing the locked dependencies into $(VENV)"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@$(PIP) --quiet install --no-deps --no-build-isolation -e .
	@touch $@

run: setup ## bring the whole system up, in the foreground; ARGS="--terminals 50 --detach"
	@$(BIN)/tellergrid up $(ARGS)

test: setup ## run every test, on a real broker and a real database; ARGS="tests/unit -k name"
	@$(BIN)/pytest $(SPREAD) $(ARGS)

check: setup ## lint, formatting, types, the arrows between packages
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: setup ## write the code the way `check` wants it
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

chaos: setup ## bring every fault about at its full length, and count
	@$(BIN)/pytest tests/e2e/test_faults.py tests/integration/collector/test_incident.py --long -s $(ARGS)
	@TELLERGRID_CHAOS_KILLS=50 $(BIN)/pytest tests/e2e/test_kills.py $(ARGS)

bench: setup ## measure this machine: what the engines can do, and what share of it we keep
	@$(BIN)/tellergrid bench $(ARGS)

lock: setup ## pin the dependencies anew; ARGS="--upgrade" takes newer ones
	@$(COMPILE) $(ARGS) --output-file requirements.lock pyproject.toml
	@$(COMPILE) $(ARGS) --extra dev --constraint requirements.lock \
		--output-file requirements-dev.lock pyproject.toml

clean: ## delete what was built; the data in .tellergrid stay
	@test ! -x $(BIN)/tellergrid || $(BIN)/tellergrid down
	@rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: ## delete everything, the data too
	@test ! -x $(BIN)/tellergrid || $(BIN)/tellergrid clean --yes --engines
	@$(MAKE) --no-print-directory clean
