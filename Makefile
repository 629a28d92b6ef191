# Everything one needs: `make demo` to look, `make run` to keep, `make test` before a commit.
.PHONY: demo run test lint fix lock bench year clean
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

help:
	@echo "make demo   a running Steward with a demo household (data in .steward/demo)"
	@echo "make run    a running Steward that keeps your data (in .steward)"
	@echo "make test   all tests, against a PostgreSQL and Redis of their own"
	@echo "make lint   formatting, lint, types and templates"
	@echo "make lock   renew requirements*.txt from requirements*.in"
	@echo "make bench  the table of docs/performance.md, measured here"
	@echo "make year   a simulated year of 200 households, every promise checked (docs/year.md)"

demo: $(VENV)/ready
	@$(BIN)/python manage.py run --demo $(if $(PORT),--port $(PORT))

run: $(VENV)/ready
	@$(BIN)/python manage.py run $(if $(PORT),--port $(PORT))

test: $(VENV)/ready-dev
	$(BIN)/python -m pytest -n 2 --dist loadgroup $(ARGS)

lint: $(VENV)/ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/djade --check --target-version 5.2 $$(git ls-files '*.html')
	$(BIN)/mypy .

fix: $(VENV)/ready-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/djade --target-version 5.2 $$(git ls-files '*.html')

lock: $(VENV)/ready
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --no-emit-index-url --generate-hashes --universal --python-version 3.11 requirements.in -o requirements.txt
	$(BIN)/uv pip compile --quiet --no-emit-index-url --generate-hashes --universal --python-version 3.11 requirements-dev.in -o requirements-dev.txt

bench: $(VENV)/ready-dev
	$(BIN)/python -m tests.bench $(ARGS)

year: $(VENV)/ready-dev
	$(BIN)/python -m tests.year $(ARGS)

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

# The virtual environment; made again when a lock changes. A half-made one has no `ready`.
$(VENV)/ready: requirements.txt
	@echo "Steward: making the virtual environment (a minute or two, only the first time)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Steward needs Python 3.11 or later; this is $$($(PYTHON) --version). Say which: make demo PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' || { echo "Python's venv is missing. On Debian: apt-get install python3-venv"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/ready-dev: requirements-dev.txt $(VENV)/ready
	@echo "Steward: adding what the tests need"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@
