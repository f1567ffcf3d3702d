# The commands of the house. `make help` lists them.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := PIP_ROOT_USER_ACTION=ignore $(BIN)/python -m pip --disable-pip-version-check --quiet
COMPILE = CUSTOM_COMPILE_COMMAND="make freeze-requirements" $(BIN)/python -m piptools compile --quiet --strip-extras \
          --no-emit-options --upgrade
UP     ?=
BENCH  ?=
CHAOS  ?=
AREA   ?=
FROM   ?=
# two cores run two workers of the tests best; more cores, more workers
JOBS   ?= $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); [ $$n -gt 2 ] && echo $$n || echo 2)

.DEFAULT_GOAL := help
.PHONY: help run install install-test test bench chaos conformance refresh-conformance format freeze-requirements docs clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-22s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: install ## Start everything on this machine (options of `notify up` in UP="...")
	@exec $(BIN)/notify up $(UP)

install: $(VENV)/.installed ## Make .venv with what the program needs

install-test: $(VENV)/.installed-test ## Add what tests and development need

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 ..."; exit 1; }
	@echo "Making $(VENV)"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "The module venv is needed (on Debian: apt install python3-venv)"; exit 1; }

# installed again only when what it is made of has changed
$(VENV)/.installed: requirements.txt pyproject.toml | $(BIN)/python
	@echo "Installing the requirements"
	@$(PIP) install --requirement requirements.txt
	@$(PIP) install --no-deps --editable .
	@touch $@

$(VENV)/.installed-test: requirements_for_test.txt $(VENV)/.installed
	@echo "Installing the requirements of the tests"
	@$(PIP) install --use-pep517 --requirement requirements_for_test.txt
	@touch $@

test: install-test ## Check format, lint, types and floors, and run the tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n $(JOBS)

bench: install-test ## Measure how fast it is (options in BENCH="...")
	$(BIN)/python -m bench $(BENCH)

chaos: install-test ## Prove that nothing is lost, while parts are killed (options in CHAOS="...")
	$(BIN)/python -m chaos $(CHAOS)

conformance: install-test ## Replay recorded conversations (AREA="services users"; none: all)
	$(BIN)/python -m tests.conformance $(AREA)

refresh-conformance: ## Copy the conformance suite from FROM=folder into the tests
	@[ -f "$(FROM)/conformance.py" ] || { echo "FROM= must be the folder that holds conformance.py"; exit 1; }
	rm -rf tests/conformance/suite
	cp -R "$(FROM)" tests/conformance/suite
	find tests/conformance/suite -name __pycache__ -prune -exec rm -rf {} +

format: install-test ## Put the code into the house's form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

freeze-requirements: $(BIN)/python ## Pin the newest versions that pyproject.toml allows
	@$(PIP) install "pip-tools>=7.5"
	$(COMPILE) --output-file requirements.txt pyproject.toml
	$(COMPILE) --extra dev --constraint requirements.txt --output-file requirements_for_test.txt pyproject.toml

docs: install ## Write the generated pages of docs/ anew
	$(BIN)/notify settings --markdown > docs/configuration.md

clean: ## Delete .venv and what tools have cached; data is kept
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .schemathesis *.egg-info build dist
