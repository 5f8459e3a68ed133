# make demo        install, compose, learn from a real corpus, compose from that (at most 6 minutes on 2 cores)
# make test        install, lint, types, tests, docs site (at most 10 minutes on 2 cores)
# make test-all    the same, and the long tests
# make test-studio the tests of the studio's page in a browser (at most 5 minutes; installs chromium if it may)
# make coverage    which lines no test runs
# make docs        the site of docs/ and the API, in build/docs/index.html; nothing is fetched (Python 3.11 or later)
# make build       wheel and sdist in dist/, checked, installed in a bare environment, a song composed
# VENV=DIR names the virtual environment, .venv by default; PYTHON the interpreter it is made with.

VENV ?= .venv
PYTHON ?= python3
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check
# threads are set on purpose where they matter; two test processes of one thread each are the fastest here
ONE_THREAD = OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 KERAS_BACKEND=torch

.PHONY: demo test test-all test-studio check coverage docs paper build clean

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(PIP) --editable '.[dev]'
	touch $@

$(VENV)/.demo: pyproject.toml | $(BIN)/python
	$(PIP) --editable '.[demo]'
	touch $@

demo: $(VENV)/.demo
	$(BIN)/python examples/demo.py

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --no-warn-unused-ignores examples benchmarks

test: check
	$(ONE_THREAD) $(BIN)/pytest -n 2 --durations=10

test-all: check
	$(ONE_THREAD) $(BIN)/pytest -n 2 --durations=20 -m 'not browser'

test-studio: $(VENV)/.dev
	$(PIP) --editable '.[browser]'
	command -v chromium || { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; }
	$(ONE_THREAD) $(BIN)/pytest -s -m browser tests/studio/browser

coverage: $(VENV)/.dev
	$(ONE_THREAD) $(BIN)/pytest -n 2 --cov --cov-report term

docs: $(VENV)/.dev
	$(BIN)/python -m sphinx -q -W --keep-going -d build/doctrees docs build/docs

paper: $(VENV)/.dev
	$(BIN)/python paper/build.py

build: $(VENV)/.dev
	$(BIN)/python scripts/build.py

clean:
	rm -rf $(VENV) demo build dist docs/api .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis
