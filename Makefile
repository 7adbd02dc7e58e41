# Every target sets up what it needs. Needs Python 3.11 to 3.13 and make.
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8808
MODEL ?= smollm2
VENV := .venv
BIN := $(VENV)/bin
SERVE_DONE := $(VENV)/.serve-done
DEV_DONE := $(VENV)/.dev-done
TRAIN_VENV := .venv-train
TRAIN_DONE := $(TRAIN_VENV)/.done
DATA ?= ../shared/data
BENCH := $(if $(QUICK),--quick) $(if $(OUT),--out $(OUT))

.PHONY: help setup serve test lint fix docs bench train lock clean
help:            ## what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

$(BIN)/python:
	@$(PYTHON) -c 'import sys; ok = (3, 11) <= sys.version_info[:2] < (3, 14); sys.exit(None if ok else "quitbutton needs Python 3.11 to 3.13, this is %d.%d; name another: make PYTHON=python3.12 ..." % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)

$(SERVE_DONE): requirements/serve.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/serve.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(DEV_DONE): requirements/dev.txt $(SERVE_DONE)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

setup: $(SERVE_DONE)   ## install the gateway, the assessors and the small model
	@$(BIN)/quitbutton setup --model $(MODEL)

serve: setup     ## start the gateway and the chat page on the embedded model
	@$(BIN)/quitbutton serve --host $(HOST) --port $(PORT) --model $(MODEL)

test: setup $(DEV_DONE) ## all tests, against the real thing
	@scripts/need-chromium
	$(BIN)/python -m pytest -n 2 -m "not alone"; first=$$?; $(BIN)/python -m pytest -m alone && exit $$first

lint: setup $(DEV_DONE) ## style, types, import floors
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: $(DEV_DONE)  ## put the style right
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(DEV_DONE) ## write what the docs generate from the code
	$(BIN)/python -m docs.generate

.PHONY: security
security: setup $(DEV_DONE) ## run the tests of all known attacks, faults and clients; write docs/security-tests.md
	$(BIN)/python -m docs.security

bench: setup $(DEV_DONE) $(if $(LITELLM),.venv-litellm/.done) ## measure gateway, store, assessors and rules; write docs/benchmarks (LITELLM=1 beside LiteLLM, QUICK=1, OUT=folder)
	$(BIN)/python -m benchmarks.gateway $(BENCH)
	$(BIN)/python -m benchmarks.store $(BENCH)
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m benchmarks.assessors_speed $(BENCH)
	$(BIN)/python -m benchmarks.ladder $(BENCH)
	$(BIN)/python -m benchmarks.page $(if $(OUT),--out $(OUT))

# LiteLLM pins older versions of what other packages need, so it has an environment of its own.
LITELLM_VENV := .venv-litellm
LITELLM_DONE := $(LITELLM_VENV)/.done
$(LITELLM_DONE): pyproject.toml
	$(PYTHON) -m venv $(LITELLM_VENV)
	$(LITELLM_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -e '.[litellm]' pytest
	@touch $@

.PHONY: integrations
integrations: $(DEV_DONE) $(LITELLM_DONE) ## test every integration against its real package
	$(BIN)/python -m pytest tests/integrations
	$(LITELLM_VENV)/bin/python -m pytest tests/integrations -k litellm

.PHONY: compare
compare: $(TRAIN_DONE) ## set the default assessor beside others, on DATA (after train)
	$(TRAIN_VENV)/bin/python -m benchmarks.assessors --data $(DATA)

$(TRAIN_DONE): pyproject.toml
	$(PYTHON) -m venv $(TRAIN_VENV)
	$(TRAIN_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -e '.[train]' pytest
	@touch $@

TRAIN := $(TRAIN_VENV)/bin/python -m training --data $(DATA)
train: $(TRAIN_DONE) ## train the shipped weights on DATA=folder of public rows and on data/ (PyTorch; under an hour on two cores, goes on where it stopped)
	DATA=$(DATA) $(TRAIN_VENV)/bin/python -m pytest tests/training
	$(TRAIN) features fit folds branch replies export

.PHONY: evaluate
evaluate: $(TRAIN_DONE) ## measure the readers on authors and families left out; write docs/assessors.md and the rates in README.md
	$(TRAIN) folds branch replies report

.PHONY: clients
clients: setup $(DEV_DONE) ## real clients against the gateway, each in its own environment (ONLY=a,b for some; BIG=1 for Open WebUI too; RECORD=1 keeps what they send)
	$(BIN)/python -m tests.clients $(if $(ONLY),--only $(ONLY)) $(if $(BIG),--big) $(if $(RECORD),--record)

.PHONY: torture
torture: setup $(DEV_DONE) ## three gateways on one PostgreSQL in every protocol, killed, paused and cut off, every promise checked (MINUTES=10 SEED= RUNS= BROKEN=locks KEEP=folder)
	$(BIN)/python -m tests.torture --minutes $(or $(MINUTES),10) $(if $(SEED),--seed $(SEED)) $(if $(RUNS),--runs $(RUNS)) $(if $(BROKEN),--broken $(BROKEN)) $(if $(KEEP),--keep $(KEEP))

.PHONY: soak
soak: setup $(DEV_DONE) ## a steady load on one gateway, its PostgreSQL restarted twice: no error else, no growth, every turn on record (MINUTES=30 RATE= SEED= STORE=sqlite PAGE=docs/benchmarks/soak.md)
	$(BIN)/python -m tests.soak --minutes $(or $(MINUTES),30) $(if $(RATE),--rate $(RATE)) $(if $(SEED),--seed $(SEED)) $(if $(STORE),--store $(STORE)) $(if $(PAGE),--page $(PAGE))

.PHONY: pictures
pictures: setup $(DEV_DONE) ## take the pictures of README.md and docs/console.md anew, with the test browser
	@scripts/need-chromium
	scripts/pictures $(BIN)/python

PACKAGE_VENV := .venv-package
.PHONY: package
package: $(DEV_DONE) ## build the wheel, check it as a registry does, install it in an empty environment and serve from there
	rm -rf dist $(PACKAGE_VENV)
	$(BIN)/python -m hatchling build
	$(BIN)/python -m twine check --strict dist/*
	$(PYTHON) -m venv $(PACKAGE_VENV)
	$(PACKAGE_VENV)/bin/python -m pip install --quiet --disable-pip-version-check dist/*.whl
	$(BIN)/python scripts/try-package $(PACKAGE_VENV)/bin/quitbutton

lock:            ## resolve the dependencies anew (needs uv)
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --group build -o requirements/serve.txt
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --group build --group dev -o requirements/dev.txt
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --group build --extra postgres --extra oidc --extra otel -o requirements/container.txt

clean:           ## remove the environment
	rm -rf $(VENV) $(TRAIN_VENV) $(LITELLM_VENV) $(PACKAGE_VENV) dist
