# The commands of a developer. `make help` lists them.

PYTHON ?= python3
# another environment, for example of another version: make test PYTHON=python3.13 VENV=.venv313
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := PIP_ROOT_USER_ACTION=ignore $(BIN)/python -m pip --disable-pip-version-check --quiet
COMPILE = CUSTOM_COMPILE_COMMAND="make freeze-requirements" $(BIN)/python -m piptools compile --quiet --strip-extras \
          --generate-hashes --allow-unsafe --no-emit-options --no-emit-index-url --no-emit-trusted-host \
          --no-emit-find-links
UP     ?=
BENCH  ?=
CHAOS  ?=
T      ?=
# two cores run two workers of the tests best; more cores, more workers
JOBS   ?= $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); [ $$n -gt 2 ] && echo $$n || echo 2)

.DEFAULT_GOAL := help
.PHONY: help run install install-test check test bench chaos format shell debug psql freeze-requirements docs clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-22s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: install ## Start everything on this machine (options of `notify up` in UP="...")
	@exec $(BIN)/notify up $(UP)

install: $(VENV)/.installed ## Make .venv with what one machine needs, databases included

install-test: $(VENV)/.installed-test ## Add what tests and development need

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 ..."; exit 1; }
	@echo "Making $(VENV)"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "The module venv is needed (on Debian: apt install python3-venv)"; exit 1; }

# installed again only when what it is made of has changed
$(VENV)/.installed: requirements_for_local.txt pyproject.toml | $(BIN)/python
	@echo "Installing the requirements"
	@$(PIP) install --require-hashes --requirement requirements_for_local.txt
	@$(PIP) install --no-deps --editable .
	@touch $@

$(VENV)/.installed-test: requirements_for_test.txt $(VENV)/.installed
	@echo "Installing the requirements of the tests"
	@$(PIP) install --require-hashes --use-pep517 --requirement requirements_for_test.txt
	@touch $@

check: install-test ## Check format, lint, types and floors: seconds
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

ifeq ($(strip $(T)),)
test: check ## Check, and run the tests (only some, and without checks: T="tests/jobs -k paging")
	$(BIN)/pytest -n $(JOBS)
else
test: install-test
	$(BIN)/pytest -n 0 $(T)
endif

bench: install-test ## Measure how fast it is (options in BENCH="...")
	$(BIN)/python -m bench $(BENCH)

chaos: install-test ## Prove that nothing is lost, while parts are killed (options in CHAOS="...")
	$(BIN)/python -m chaos $(CHAOS)

format: install-test ## Format the code and repair what lint can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

shell: install ## Open a Python shell with the parts of the product
	@exec $(BIN)/notify with-engines shell

debug: install ## Run API and worker in one process, in which breakpoint() works
	@exec $(BIN)/notify with-engines debug

psql: install ## Open PostgreSQL's own shell on the database
	@exec $(BIN)/notify with-engines psql

# what is copied first gives its hashes to the next, so that they are fetched once
freeze-requirements: $(BIN)/python ## Pin the newest versions that pyproject.toml allows, with hashes
	@$(PIP) install "pip-tools>=7.5"
	$(COMPILE) --upgrade --output-file requirements.txt pyproject.toml
	cp requirements.txt requirements_for_local.txt
	$(COMPILE) --extra local --constraint requirements.txt --output-file requirements_for_local.txt pyproject.toml
	cp requirements.txt requirements_for_extras.txt
	$(COMPILE) --extra sqs --extra tracing --extra archive --constraint requirements.txt --output-file requirements_for_extras.txt pyproject.toml
	cat requirements_for_local.txt requirements_for_extras.txt > requirements_for_test.txt
	$(COMPILE) --extra dev --extra local --extra sqs --extra tracing --extra archive --constraint requirements_for_local.txt \
	    --constraint requirements_for_extras.txt --output-file requirements_for_test.txt pyproject.toml

docs: install ## Write the generated pages of docs/
	$(BIN)/notify settings --markdown > docs/configuration.md

clean: ## Delete .venv and what tools have cached; data is kept
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .schemathesis *.egg-info build dist
