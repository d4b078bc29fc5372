# The list of everything a contributor or a machine runs. `make help` prints it.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# Versions that are installed together: the newest, or constraints-oldest.txt.
CONSTRAINTS ?= constraints.txt
PIP    := $(BIN)/python -m pip install --disable-pip-version-check --quiet --constraint $(CONSTRAINTS)
OUTPUT ?= runs/words
TIMES  ?= 100

# One BLAS thread a process: several threads in each of several processes fight for the cores.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1
export MKL_NUM_THREADS ?= 1
export MPLBACKEND ?= Agg
# What Python compiled is kept, whatever the shell asks for: test workers and the commands that tests
# start all load the same files.
export PYTHONDONTWRITEBYTECODE =

.PHONY: help benchmark test test-wheel test-oldest coverage fuzz mutants lint types docs dist format clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

benchmark: $(VENV)/.installed  ## the words benchmark on embedded letters: table and figures
	$(BIN)/minsyn benchmark --output $(OUTPUT)

test: $(VENV)/.installed-dev  ## the test suite, doctests included
	$(BIN)/python -m pytest -n auto --dist worksteal -q

coverage: $(VENV)/.installed-dev  ## branches of the package's core that no test takes
	$(BIN)/python -m pytest -n auto --dist worksteal -q --cov --cov-report=term-missing:skip-covered

test-wheel: dist  ## the suite against the built wheel, in a folder outside the tree
	$(MAKE) --no-print-directory .test-wheel VENV=.venv-wheel

test-oldest: dist  ## the same with the oldest versions that pyproject.toml allows
	$(MAKE) --no-print-directory .test-wheel VENV=.venv-oldest CONSTRAINTS=constraints-oldest.txt

.PHONY: .test-wheel
.test-wheel: $(BIN)/python
	$(PIP) "$$(echo dist/*.whl)[dev]"
	$(PIP) --no-deps --force-reinstall dist/*.whl
	folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT \
		&& tar -xzf dist/*.tar.gz -C "$$folder" --strip-components 1 && cd "$$folder" \
		&& $(abspath $(BIN))/python -m pytest -n auto --dist worksteal -q --pyargs minsyn ./studies ./tests

fuzz: $(VENV)/.installed-dev  ## extreme data and damaged files: TIMES=100 as many as the tests try
	MINSYN_FUZZ=$(TIMES) $(BIN)/python -m pytest -n auto -q --timeout 3600 tests/fuzz tests/data/test_damage.py

mutants: $(VENV)/.installed-dev  ## changes of NAMES='minsyn.nn.ranks*' that no test notices; all names take hours
	$(PIP) mutmut==3.8.1
	$(BIN)/mutmut run $(NAMES)
	$(BIN)/mutmut results

lint: $(VENV)/.installed-dev  ## style of Python (ruff) and JavaScript (oxlint), spelling (codespell)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/oxlint --deny-warnings src/minsyn/report
	$(BIN)/codespell

types: $(VENV)/.installed-dev  ## mypy
	$(BIN)/mypy

docs: $(VENV)/.installed-docs  ## the documentation site, examples run, in docs/_build/html
	$(BIN)/python -m sphinx --builder html --fail-on-warning --keep-going --quiet docs docs/_build/html

dist: $(VENV)/.installed-dist  ## sdist and wheel in dist: the same bytes wherever they are built
	rm -rf dist
	$(BIN)/python -m hatchling build

format: $(VENV)/.installed-dev  ## rewrite files in the project's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## remove the environment and everything generated
	rm -rf $(VENV) .venv-wheel .venv-oldest runs dist docs/_build docs/gallery docs/reference mutants .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable '.[infomax,parquet]'
	touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable '.[dev]'
	touch $@ $(VENV)/.installed

$(VENV)/.installed-dist: constraints.txt | $(BIN)/python
	$(PIP) hatchling
	touch $@

$(VENV)/.installed-docs: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable '.[dev,docs]'
	touch $@ $(VENV)/.installed $(VENV)/.installed-dev
