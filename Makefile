# Every target sets up what it needs first: the system's packages, .venv, the pinned Python packages.
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WORKERS ?= auto

.PHONY: help demo test regress bench tables status lint doctor clean

help:
	@echo "make demo     a transformer layer through the RTL, compared bit for bit (build/demo/)"
	@echo "make test     all tests but long ones, and of some a few cases"
	@echo "make regress  every test and every case"
	@echo "make bench    speed, memory and area against their targets"
	@echo "make tables   write the README's tables anew"
	@echo "make status   take down what is known of every unit, for 'multipede list' (half an hour)"
	@echo "make lint     style and the direction of imports"
	@echo "make doctor   which tools are there, and how to get the others"
	@echo "make clean    remove .venv and build/"

$(READY): pyproject.toml constraints.txt tools/set_up
	tools/set_up $(VENV)
	@touch $@

demo: $(READY)
	$(BIN)/multipede demo --output build/demo

test: lint
	$(BIN)/python -m pytest -n $(WORKERS) -m "not regress"

regress: lint
	$(BIN)/python -m pytest -n $(WORKERS)

bench: $(READY)
	$(BIN)/python -m benchmarks

tables: $(READY)
	$(BIN)/python tools/tables.py

status: $(READY)
	$(BIN)/python tools/status.py

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

doctor: $(READY)
	$(BIN)/multipede doctor

clean:
	rm -rf $(VENV) build
