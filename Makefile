# Two commands do everything on a machine with git, make and Python 3.11: `make serve` and `make test`.
# Those who have uv can run `uv sync` and then the same commands with `uv run` before them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TOOLS := .tools
UV := $(TOOLS)/bin/uv
UV_VERSION := 0.13.8
PORT ?= 8000

export NO_MKDOCS_2_WARNING := 1
export UV_PROJECT_ENVIRONMENT := $(VENV)

.PHONY: help serve build test lint clean

help:
	@echo "make serve     build the site and serve it at http://127.0.0.1:$(PORT)/"
	@echo "make build     build the site into site/"
	@echo "make test      run every test, the notebooks and the browser included"
	@echo "make lint      ruff, the type checker and the catalog's own checks"
	@echo "make clean     remove what the other commands made"

$(UV):
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11, 5) and "Python 3.11.5 or newer is needed: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(VENV)/docs.stamp: $(UV) pyproject.toml uv.lock
	$(UV) sync --frozen --quiet --python $(PYTHON) --no-default-groups --group docs --inexact
	@touch $@

$(VENV)/test.stamp: $(UV) pyproject.toml uv.lock
	$(UV) sync --frozen --quiet --python $(PYTHON) --all-groups --inexact
	@touch $@ $(VENV)/docs.stamp

serve: $(VENV)/docs.stamp
	$(BIN)/mkdocs serve --dev-addr 127.0.0.1:$(PORT)

build: $(VENV)/docs.stamp
	$(BIN)/mkdocs build --clean

test: $(VENV)/test.stamp lint
	$(BIN)/pytest --nbmake

lint: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/ai-skills validate

clean:
	rm -rf $(VENV) $(TOOLS) site .pytest_cache .mypy_cache .ruff_cache
