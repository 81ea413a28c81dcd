# `make serve` and `make test` need Python 3.11 or later, make and a package index, nothing else.
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
SHELF ?= corpus/reports
INDEX ?= index
SUITES ?= evalset
# For torch alone, such as --extra-index-url https://download.pytorch.org/whl/cpu
TORCH_ARGS ?=
# For pytest and for `footnote eval run`
ARGS ?=

VENV := .venv
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check --no-input install --quiet
FOOTNOTE := $(VENV)/bin/python -P -m footnote --index-dir $(INDEX)
UV_VERSION := 0.13.9

# Everything that runs is already on the machine; nothing may look for it on a model hub.
export HF_HUB_OFFLINE := 1

.PHONY: help serve index install install-models test check eval lock clean

help:  ## List the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "make %-16s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

# A file that could not be read is named and left out (exit code 1); what could be read is served.
serve: $(VENV)/.serving  ## Index SHELF and serve it on HOST:PORT
	@$(FOOTNOTE) index $(SHELF) || [ $$? -eq 1 ]
	@$(FOOTNOTE) serve --host $(HOST) --port $(PORT)

index: $(VENV)/.serving  ## Bring INDEX in line with the reports in SHELF
	@$(FOOTNOTE) index $(SHELF)

install: $(VENV)/.serving  ## Make the environment that serves

install-models: $(VENV)/.development  ## Add sentence-transformers, torch and the tools of development

test: $(VENV)/.development  ## Run the tests
	$(VENV)/bin/python -m pytest $(ARGS)

check: $(VENV)/.development  ## Lint, check the format and the types
	$(VENV)/bin/python -m ruff check .
	$(VENV)/bin/python -m ruff format --check .
	$(VENV)/bin/python -m mypy

eval: $(VENV)/.development  ## Measure retrieval on SUITES
	@$(FOOTNOTE) eval run $(SUITES) $(ARGS)

# UPGRADE=--upgrade takes the newest versions; without it, pins change only where they must.
lock:  ## Write requirements/*.lock anew from pyproject.toml
	$(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip --disable-pip-version-check install --quiet uv==$(UV_VERSION)
	$(COMPILE) --output-file requirements/serve.lock
	$(COMPILE) --extra dev --extra eval --extra sentence-transformers --no-emit-package torch \
		--constraints requirements/serve.lock --constraints requirements/torch.lock \
		--output-file requirements/dev.lock

COMPILE = build/lock/bin/uv --config-file requirements/uv.toml pip compile --quiet --universal \
	--python-version 3.11 --generate-hashes --custom-compile-command "make lock" $(UPGRADE) \
	pyproject.toml requirements/build.in

clean:  ## Remove the environment, index/ and all caches
	rm -rf $(VENV) index build dist *.egg-info eval/cache
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit( \
		f"error: {sys.executable} is Python {v[0]}.{v[1]}, Footnote needs 3.11 or later; " \
		"say which to use: make PYTHON=python3.11")'
	@echo "making the environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

# --no-deps: the lock names everything, and what a package asks for beyond it is left out on purpose.
$(VENV)/.serving: $(VENV)/.made requirements/serve.lock pyproject.toml
	@echo "installing what serving needs (about 210 MB to download)"
	@$(PIP) --no-deps --require-hashes -r requirements/serve.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.development: $(VENV)/.serving requirements/dev.lock requirements/torch.lock
	@echo "installing the tools of development and sentence-transformers (about 110 MB), then torch"
	@echo "(190 MB; 3 GB with CUDA where pip finds no CPU build: see TORCH_ARGS in requirements/torch.lock)"
	@$(PIP) --no-deps --require-hashes -r requirements/dev.lock
	@$(PIP) $(TORCH_ARGS) -r requirements/torch.lock
	@touch $@
