# The commands that people type. Needs Python 3.11 or newer (set PYTHON to choose one) and nothing else.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
export DAGSTER_HOME := $(CURDIR)

.PHONY: help install tools run ui test test-long bench lint clean

help:  ## what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(VENV)/.installed  ## a virtual environment with everything that is needed

$(VENV)/.installed: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed, and was not found on the PATH."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

# Debian's, where they can be installed; the tests that need one that is missing are skipped, and say so.
tools:  ## what the tests need of Linux: strace, faketime, Chromium, a PostgreSQL server
	@for tool in strace faketime chromium; do command -v $$tool >/dev/null || missing="$$missing $$tool"; done; \
	ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || missing="$$missing postgresql"; \
	test -z "$$missing" && exit 0; \
	test "$$(id -u)" = 0 && export DEBIAN_FRONTEND=noninteractive && \
		apt-get update -qq && apt-get install -y -qq $$missing >/dev/null || \
		echo "Missing:$$missing (Debian: apt-get install$$missing). The tests that need them are skipped."

run: install  ## invent the sample's people and materialize everything
	$(BIN)/python data/samples/clinic.py
	$(BIN)/privacy-assets run

ui: install  ## the Dagster UI on http://127.0.0.1:3000
	$(BIN)/dagster dev --workspace workspace.yaml --host 127.0.0.1 --port 3000

lint: install  ## style, types and the layers of the house
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Each worker has a core of its own: with more threads libraries of numbers spend most of it on waiting for each other.
# Hundreds of processes are started: none is to compile the package anew.
test test-long: export OMP_NUM_THREADS = 1
test test-long: export OPENBLAS_NUM_THREADS = 1
test test-long: export PYTHONDONTWRITEBYTECODE =

# In the order of tests/conftest.py: else the files with few tests, the longest among them, come last, and one core waits
# for the other.
test: lint tools  ## every test
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not long"

test-long: install tools  ## the tests that take minutes
	$(BIN)/pytest -n 2 --dist loadgroup -m long

bench: install  ## what it costs, beside floors: about 20 minutes alone on the machine; writes docs/benchmarks.md
	$(BIN)/python -m bench --write

clean:  ## remove the virtual environment; data and keys stay
	rm -rf $(VENV)
