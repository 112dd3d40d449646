PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test

demo: .venv/ready
	$(BIN)/xhat demo

test: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest

# The stamp is the last thing written: a set-up that broke off is done again from its start.
.venv/ready: pyproject.toml constraints.txt
	rm -rf .venv
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch .venv/ready
