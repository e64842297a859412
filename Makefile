# make book | html | test | lab | bench | soak. To use an environment of your own (conda, uv): make book RUN=python
PYTHON ?= python3
VENV := .venv
RUN ?= $(VENV)/bin/python
SCALE ?= laptop
KILLS ?= 100
SEED ?= 0
CLUSTERS := tests/batch/test_slurm.py tests/batch/test_kubernetes.py

ifeq ($(RUN),$(VENV)/bin/python)
ENVIRONMENT := $(VENV)/installed
endif

.PHONY: book html test check lab bench slurm soak data clean help
.DEFAULT_GOAL := help

help:
	@echo "make book   measure every page at laptop scale, render the book, say where to open it"
	@echo "make html   render the book from the tables that are there, without training: a minute or two"
	@echo "make test   every check and test but those of make slurm; pages run small, the book opens in a browser"
	@echo "make lab    JupyterLab with the pages as notebooks"
	@echo "make bench  what training costs here, against the conventional loop"
	@echo "make soak   a hundred kills at random moments, and what was lost by them: an hour (KILLS=20: a fifth of it)"
	@echo "make clean  removes the built book; notebooks in work, runs and the store stay"
	@echo "make slurm  installs Slurm on this machine where apt can, and runs a batch on it; jobs, slurmd and the batch are killed; a stand-in of Kubernetes too"
	@echo "make book SCALE=paper   the papers' own recipes: for GPUs; on CPUs hours for LeNet, years for the rest"

$(VENV)/installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(None if (3, 11, 4) <= sys.version_info < (3, 14) else "Python 3.11.4 to 3.13 is needed; name one: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -e '.[book,dev,slurm,kubernetes]'
	@touch $@

data: $(ENVIRONMENT)
	$(RUN) -m lib.data fetch mnist cifar10

book: $(ENVIRONMENT)
	$(RUN) -m lib.book --scale $(SCALE)

html: $(ENVIRONMENT)
	$(RUN) -m lib.data fetch mnist
	$(RUN) -m lib.book.publish

check: $(ENVIRONMENT)
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m basedpyright --pythonpath "$$($(RUN) -c 'import sys; print(sys.executable)')"

test: data check
	$(RUN) -m tests.book.browser --install
	OMP_NUM_THREADS=1 $(RUN) -m pytest -n 2 --no-loadscope-reorder $(CLUSTERS:%=--ignore %)

lab: $(ENVIRONMENT)
	$(RUN) -m lib.book.lab --open

bench: data
	$(RUN) -m book.costs

slurm: data
	tests/batch/install_slurm
	$(RUN) -m pytest $(CLUSTERS) -rs

soak: data
	$(RUN) -m tests.soak --kills $(KILLS) --seed $(SEED)

clean:
	rm -rf runs/published book/_build book/papers
