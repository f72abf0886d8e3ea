# The course's commands. `make help` lists them.
PROFILE ?= sample
P ?=
EDITION ?= student
# Notebooks at a time, where they need nothing of each other (01 and 03, 04 and 05); 1 where memory is short.
JOBS ?= 2
# The folder whose notebooks the site shows: make site FROM=build/quick/notebooks
FROM ?= notebooks
# What a class handed in: make grade HANDIN=folder
HANDIN ?= hand-in
# Another Python, such as an active conda environment's: make all PYTHON=python
PYTHON ?= .venv/bin/python
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# A shell that forbids compiled Python files makes every start of TensorFlow three times slower.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONUNBUFFERED := 1

# Notebooks run in their own folder, where a relative path would mean another place.
ifdef HAM10000_DIR
override HAM10000_DIR := $(abspath $(HAM10000_DIR))
export HAM10000_DIR
endif

ifeq ($(PYTHON),.venv/bin/python)
ENVIRONMENT := .venv/.ready
endif
# In a container one often is root, which Jupyter refuses unless told.
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)
LAB_FOLDER = $(if $(filter instructor,$(EDITION)),notebooks,$(or $(LESIONS_BUILD),build)/student)
# A class's parameters, if any were given; else those that the student edition was last made with.
CLASS = $(if $(filter command environment,$(firstword $(origin PROFILE)) $(firstword $(origin P))),\
	--profile '$(PROFILE)' --set '$(P)')
STUDY := $(PYTHON) -m course.runner --profile '$(PROFILE)' --set '$(P)'

.PHONY: help all 01 02 03 04 05 06 test lab student data check params lint bench clean outputs setup
.PHONY: site e2e weights grade

help: ## list the commands
	@grep -hE '^[a-z0-9 ]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 24
	@echo
	@echo "PROFILE: $$(ls notebooks/profiles | sed 's/\.yaml//' | xargs) (default sample)"
	@echo 'Example: make all PROFILE=quick P="EPOCHS=3 SEED=7"'

all: $(ENVIRONMENT) ## the whole study: PROFILE=sample|quick|paper, P="NAME=value …"
	@$(STUDY) --jobs '$(JOBS)'

01 02 03 04 05 06: $(ENVIRONMENT) ## one notebook, and the earlier ones it needs
	@$(STUDY) $@

test: $(ENVIRONMENT) ## every test: library, notebooks, stored outputs, the smoke profile
	@LESIONS_PROGRESS=/dev/null $(PYTHON) -m pytest tests notebooks --nbval

lab: $(ENVIRONMENT) ## JupyterLab on this machine only, prints its address; EDITION=student|instructor
	@$(PYTHON) -m course.editions '$(EDITION)' $(CLASS)
	@$(PYTHON) -m jupyterlab --ip=127.0.0.1 --notebook-dir='$(LAB_FOLDER)' $(AS_ROOT)

student: $(ENVIRONMENT) ## notebooks without solutions, in build/student; PROFILE and P for a class
	@$(PYTHON) -m course.editions student $(CLASS)

grade: $(ENVIRONMENT) ## a table of the exercises that a class handed in: HANDIN=folder
	@$(PYTHON) -m course.gradebook '$(HANDIN)'

data: $(ENVIRONMENT) ## fetch the real HAM10000 record (2.8 GB) into data/raw/ham10000
	@$(PYTHON) -m lesions.data.download $(P)

weights: $(ENVIRONMENT) ## fetch the backbones' ImageNet weights (120 MB); P="--to data/weights"
	@$(PYTHON) -m lesions.networks.weights $(P)

check: $(ENVIRONMENT) ## is this machine ready: versions, memory, disk, data
	@$(PYTHON) -m course.machine

params: $(ENVIRONMENT) ## list every parameter with its default and limits
	@$(PYTHON) -m course.runner --parameters

site: $(ENVIRONMENT) ## the course as a website in build/site; EDITION=student|instructor, FROM=folder
	@$(PYTHON) docs/build.py --edition '$(EDITION)' --from '$(FROM)'

e2e: $(ENVIRONMENT) ## the course in a real browser: JupyterLab, a notebook, an exercise, a slider
	@$(PYTHON) -m pytest tests/e2e -rs

lint: $(ENVIRONMENT) ## style of code and notebooks
	@$(PYTHON) -m ruff check . && $(PYTHON) -m ruff format --check .

bench: $(ENVIRONMENT) ## benchmarks: drawing, hashing, the pair search, the engine of training
	@$(PYTHON) tools/synthetic.py
	@$(PYTHON) tools/engine.py
	@$(PYTHON) tools/dedup.py

outputs: $(ENVIRONMENT) ## run the notebooks and store the outputs of profile sample in them
	@$(PYTHON) -m course.runner --store

clean: ## remove what was made: build/ and the caches; downloads, .venv and a student's work stay
	@# build/student and build/exercises hold what a student wrote, which no command can make again.
	@if [ -d build ]; then \
	  find build -mindepth 1 -maxdepth 1 ! -name student ! -name exercises -exec rm -rf {} +; fi
	rm -rf data/cache .pytest_cache .ruff_cache .hypothesis

setup: $(ENVIRONMENT) ## only make the environment

.venv/.ready: requirements.lock pyproject.toml
	@python3 -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "python3 is $$(python3 --version); the course needs Python 3.11 to 3.13."; exit 1; }
	@echo "Making .venv from requirements.lock; about 3 GB, once."
	@test -x .venv/bin/python || python3 -m venv .venv
	@.venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip >/dev/null
	@# uv installs in seconds what takes pip minutes; both check the hashes in the lock.
	@if command -v uv >/dev/null; then uv=uv; \
	elif .venv/bin/python -m pip install -q uv 2>/dev/null; then uv=".venv/bin/python -m uv"; \
	else uv=; fi; \
	if [ -n "$$uv" ]; then \
	  $$uv pip install -q --require-hashes --python .venv/bin/python -r requirements.lock; \
	  $$uv pip install -q --no-deps --no-build-isolation --python .venv/bin/python -e .; \
	else \
	  .venv/bin/python -m pip install -q --require-hashes -r requirements.lock; \
	  .venv/bin/python -m pip install -q --no-deps --no-build-isolation -e .; \
	fi
	@touch $@
