# The course's commands, which are those of `python -m course`. `make help` lists them.
# Another Python, such as an active conda environment's: make all PYTHON=python
PYTHON ?= .venv/bin/python
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# What was given goes to Python by the environment, letter by letter: neither make nor a shell reads
# a $, a # or a quote in it. lib/course/options.py says what each option means.
OPTIONS := PROFILE P P_FILE PROFILES EDITION TRIALS WORKERS SCHEDULER SEEDS JOBS FROM HANDIN \
	LISTEN IMAGES MODEL
unexport $(OPTIONS)
given = $(filter command environment,$(firstword $(origin $(1))))
$(foreach name,$(OPTIONS),$(if $(call given,$(name)),$(eval export COURSE_$(name) := $$(value $(name)))))
ifdef HAM10000_DIR
override HAM10000_DIR := $(value HAM10000_DIR)
export HAM10000_DIR
endif

ifeq ($(PYTHON),.venv/bin/python)
ENVIRONMENT := .venv/.ready
endif
NUMBERS := $(sort $(foreach path,$(wildcard notebooks/[0-9]*_*.ipynb),\
	$(firstword $(subst _, ,$(notdir $(path))))))
COMMANDS := all lab student grade search study compare predict card data weights check params \
	site test test-fast e2e lint bench outputs

.PHONY: $(COMMANDS) $(NUMBERS) help clean setup

$(COMMANDS) $(NUMBERS): $(ENVIRONMENT)
	@$(PYTHON) -m course $@

# These need no environment, only some Python.
help clean:
	@python=$$(command -v $(PYTHON) || echo python3); PYTHONPATH=lib $$python -m course $@

setup: $(ENVIRONMENT)

.venv/.ready: requirements.lock pyproject.toml
	@python3 -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "python3 is $$(python3 --version); the course needs Python 3.11 to 3.13."; exit 1; }
	@echo "Making .venv from requirements.lock; about 3 GB, once."
	@test -x .venv/bin/python || python3 -m venv .venv
	@.venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip >/dev/null
	@# uv installs in seconds what takes pip minutes; both check the hashes in the lock. The lock
	@# names everything: pip asked to look for more, as --no-deps tells it not to, may refuse it.
	@if command -v uv >/dev/null; then uv=uv; \
	elif .venv/bin/python -m pip install -q uv 2>/dev/null; then uv=".venv/bin/python -m uv"; \
	else uv=; fi; \
	if [ -n "$$uv" ]; then \
	  $$uv pip install -q --require-hashes --python .venv/bin/python -r requirements.lock; \
	  $$uv pip install -q --no-deps --no-build-isolation --python .venv/bin/python -e .; \
	else \
	  .venv/bin/python -m pip install -q --no-deps --require-hashes -r requirements.lock; \
	  .venv/bin/python -m pip install -q --no-deps --no-build-isolation -e .; \
	fi
	@touch $@
