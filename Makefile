# The list of everything a contributor or a machine runs. `make help` prints it.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --disable-pip-version-check --quiet --constraint constraints.txt
OUTPUT ?= runs/words

# One BLAS thread a process: several threads in each of several processes fight for the cores.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1
export MKL_NUM_THREADS ?= 1
export MPLBACKEND ?= Agg

.PHONY: help benchmark test fuzz mutants lint types docs format clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

benchmark: $(VENV)/.installed  ## the words benchmark on embedded letters: table and figures
	$(BIN)/minsyn benchmark --output $(OUTPUT)

test: $(VENV)/.installed-dev  ## the test suite, doctests included
	$(BIN)/python -m pytest -n auto --dist worksteal -q

fuzz: $(VENV)/.installed-dev  ## thousands of damaged files and extreme data, instead of dozens
	MINSYN_FUZZ=2000 $(BIN)/python -m pytest -n auto -q tests/data/test_damage.py

mutants: $(VENV)/.installed-dev  ## changes of NAMES='minsyn.nn.ranks*' that no test notices; all names take hours
	$(PIP) mutmut
	$(BIN)/mutmut run $(NAMES)
	$(BIN)/mutmut results

lint: $(VENV)/.installed-dev  ## ruff: style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev  ## mypy
	$(BIN)/mypy

docs: $(VENV)/.installed-docs  ## the documentation site, examples run, in docs/_build/html
	$(BIN)/python -m sphinx --builder html --fail-on-warning --keep-going --quiet docs docs/_build/html

format: $(VENV)/.installed-dev  ## rewrite files in the project's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## remove the environment and everything generated
	rm -rf $(VENV) runs dist docs/_build docs/gallery docs/reference mutants .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable '.[infomax,parquet]'
	touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable '.[dev]'
	touch $@ $(VENV)/.installed

$(VENV)/.installed-docs: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable '.[dev,docs]'
	touch $@ $(VENV)/.installed $(VENV)/.installed-dev
