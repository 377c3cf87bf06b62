# make demo: install and do the main job.   make test: install what tests need and pass them.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint types lock clean

demo: .venv/.installed
	$(BIN)/mapteller demo --out demo

test: .venv/.installed-test
	$(BIN)/python -m pytest

lint: .venv/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.installed-test
	$(BIN)/mypy

# Versions that are known to work together; renew with `make lock`.
.venv/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

.venv/.installed-test: .venv/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	touch $@

lock: .venv/.installed-test
	$(BIN)/python -m pip freeze --exclude-editable > constraints.txt

clean:
	rm -rf .venv demo .mypy_cache .pytest_cache .ruff_cache .hypothesis
