# One door: each target makes .venv itself where it is missing; it needs Python 3.11 or newer and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# What Pellucid is compared with lives apart, so that it never changes what development installs.
BENCH := .venv-bench
ACCURACY := .venv-accuracy
# PyTorch goes first, pinned: its CPU build is found locally where there is one, and nothing heavier is fetched later.
TORCH := $(shell grep -E '^torch==' constraints.txt)
# Where numbers are computed; tested a second time, as on another processor: docs/decisions/0023.
NUMBERS := $(addprefix tests/,parity engines network training golden evaluation explanation estimators inspection \
	workflow/test_train.py runs/test_reconstruction.py selection/test_lottery.py selection/test_cross_validate.py)
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test test-numbers check bench bench-accuracy format clean

demo: $(VENV)/.runtime
	$(BIN)/pellucid train iris

test: $(VENV)/.development
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow"

test-numbers: $(VENV)/.development
	ATEN_CPU_CAPABILITY=default OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 \
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow" --last-digits 1 $(NUMBERS)

check: $(VENV)/.development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@echo
	@echo "Style, types and the direction of imports: all is well."

bench: $(VENV)/.development $(BENCH)/.peers
	$(BIN)/python benchmarks/spine.py
	$(BIN)/python benchmarks/engines.py
	$(BENCH)/bin/python benchmarks/results.py
	$(BENCH)/bin/python benchmarks/images.py
	$(BENCH)/bin/python benchmarks/growth.py

# Hours; a run that was stopped goes on. For some of it: .venv-accuracy/bin/python benchmarks/accuracy.py --help
bench-accuracy: $(ACCURACY)/.peers
	$(ACCURACY)/bin/python benchmarks/accuracy.py
	$(ACCURACY)/bin/python benchmarks/accuracy_times.py
	$(ACCURACY)/bin/python benchmarks/accuracy.py --report-only

format: $(VENV)/.development
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Pellucid needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) $(TORCH)
	$(PIP) -e .
	touch $@

$(VENV)/.development: $(VENV)/.runtime
	$(PIP) -e '.[dev]'
	touch $@

$(BENCH)/.peers: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt $(TORCH)
	$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	touch $@

$(ACCURACY)/.peers: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(ACCURACY)
	$(ACCURACY)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt $(TORCH)
	$(ACCURACY)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[accuracy]'
	touch $@

clean:
	rm -rf $(VENV) $(BENCH) $(ACCURACY) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
