# Two commands to know: `make demo` and `make test`. Both set themselves up on a machine that
# has Python 3.11 or newer and make, and are quick when nothing has changed.

PYTHON ?= python3
BIN := .venv/bin
UV := .cache/uv/bin/uv
INSTALL := $(UV) pip install --quiet --python $(BIN)/python --compile-bytecode
# Each may start an Elasticsearch node of its own, of some 800 MB.
WORKERS ?= 2
# All but the training of encoders, whose torch of some 5 GB has an environment of its own.
EXTRAS := airflow,analysts,build,desk,dev,encoder,fakes,notebooks,postgres,sources,telegram,train,webhook
ENCODERS := tests/models/test_encoders.py
TRAIN := .cache/train/bin/python
ROOMS := dags desk insight listeners models nlp outcry triage

.PHONY: help demo desk test lint lock airflow up down deploy-check clean

help: ## Say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

demo: .venv/base ## Set up what reading and triage need, and show the product on an invented brand
	@$(BIN)/outcry demo

desk: .venv/desk ## The web desk on the demonstration; prints its address and a login
	@$(BIN)/python -m outcry.demo.desk

test: .venv/full .cache/train/ready .cache/browser ## Set up everything and run every test
	@$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal \
	  --ignore $(ENCODERS) $(PYTEST_ARGS)
	@$(TRAIN) -m pytest $(ENCODERS)

lint: .venv/full ## Format, lint, types and import rules alone
	@$(BIN)/python -m pytest -q tests/test_house.py

lock: .venv/full ## Resolve the newest versions that pyproject.toml allows and write the lock
	@$(UV) pip compile --quiet --upgrade --universal --all-extras --generate-hashes \
	  --no-emit-index-url --no-annotate --no-header --python-version 3.11 \
	  pyproject.toml --output-file requirements.lock

airflow: .venv/airflow ## Airflow on this machine with our DAGs, an invented brand and arriving tickets
	@OUTCRY_ELASTICSEARCH="$(ELASTICSEARCH)" $(BIN)/python -m outcry.demo.airflow --home .cache/airflow

up: deploy/.env ## Start Elasticsearch, Kibana and Airflow in Docker
	docker compose -f deploy/compose.yaml up --build --detach

down: ## Stop what `make up` started; data stay
	docker compose -f deploy/compose.yaml down

deploy/.env:
	@umask 077; $(PYTHON) deploy/new_env.py < deploy/.env.example > $@
	@echo "outcry: random passwords are in deploy/.env; keep it, the data hang on it"

deploy-check: .venv/full ## Check what Docker will start, as far as that goes without Docker
	@$(BIN)/python -m pytest -q tests/deploy

clean: ## Remove the environment and caches
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(UV): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "outcry: Python 3.11 or newer is needed; try make PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -m venv --clear .cache/uv
	@awk '/^[a-z]/ {wanted = /^uv==/} wanted' requirements.lock > .cache/uv/uv.lock
	@.cache/uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	  -r .cache/uv/uv.lock
	@touch $@

.venv/pyvenv.cfg: $(UV)
	@$(UV) venv --quiet --clear --python "$$(command -v $(PYTHON))" .venv
	@touch $@

.venv/base: .venv/pyvenv.cfg pyproject.toml
	@echo "outcry: setting up the base environment in .venv"
	@$(INSTALL) --constraint requirements.lock editables hatchling
	@$(INSTALL) --constraint requirements.lock --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q $(ROOMS)
	@touch $@

.venv/desk: .venv/base
	@echo "outcry: setting up the desk in .venv"
	@$(INSTALL) --constraint requirements.lock --no-build-isolation --editable ".[desk]"
	@touch $@

.venv/airflow: .venv/base
	@echo "outcry: setting up Airflow in .venv"
	@$(INSTALL) --constraint requirements.lock --no-build-isolation --editable ".[airflow]"
	@touch $@

.venv/full: .venv/base
	@echo "outcry: setting up everything else in .venv"
	@$(INSTALL) --constraint requirements.lock --no-build-isolation --editable ".[$(EXTRAS)]"
	@touch $@

# Pages are tested in a real browser; without one those tests say so, and what to install.
.cache/browser:
	@command -v chromium chromium-browser google-chrome >/dev/null \
	  || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && echo "outcry: installing Chromium" \
	  && apt-get update -qq && apt-get install -y -qq chromium >/dev/null; } || true
	@touch $@

.cache/train/ready: .venv/base
	@echo "outcry: setting up the training of encoders in .cache/train"
	@$(UV) venv --quiet --clear --python "$$(command -v $(PYTHON))" .cache/train
	@$(UV) pip install --quiet --python $(TRAIN) --constraint requirements.lock editables hatchling
	@$(UV) pip install --quiet --python $(TRAIN) --constraint requirements.lock \
	  --no-build-isolation --editable ".[dev,encoder,train,train-encoders]"
	@touch $@
