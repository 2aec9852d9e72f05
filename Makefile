# make help lists the targets. Everything generated goes to build/, the environment to .venv/.

PROFILE   ?= class
DATASET   ?=
DATA_ROOT ?=
PORT      ?= 8000

SHELL  := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := help

# A setting that is misspelt would do nothing, in silence.
SETTINGS := PROFILE DATASET DATA_ROOT SKIP_BAD PORT JOBS IDS EXAM_FOLDER PYTHON OMP_NUM_THREADS MEDGAN_BUILD \
    MEDGAN_CACHE BUILD NOTEBOOKS PY
GIVEN    := $(foreach name,$(.VARIABLES),$(if $(findstring command line,$(origin $(name))),$(name)))
ifneq ($(filter-out $(SETTINGS) MAKE%,$(GIVEN)),)
$(error unknown setting $(filter-out $(SETTINGS) MAKE%,$(GIVEN)): choose among $(SETTINGS), as in "make book PROFILE=smoke")
endif
ifneq ($(if $(filter command,$(origin DATA_ROOT)),$(strip $(DATA_ROOT))),)
ifeq ($(filter-out simulated,$(DATASET)),)
$(error DATA_ROOT is given, but no DATASET that reads a folder: name the data set, as DATASET=folder)
endif
endif

# Both name a folder below build/, which `make clean` removes: one word each, or it would remove another.
ifneq ($(PROFILE),$(or $(filter smoke class full,$(firstword $(PROFILE))),one of these))
$(error unknown PROFILE "$(PROFILE)": choose smoke, class or full, as in "make book PROFILE=smoke")
endif
ifneq ($(DATASET),$(subst /,,$(firstword $(DATASET))))
$(error DATASET is "$(DATASET)": expected a name without spaces and slashes, as in "make book DATASET=nih")
endif

# No DATASET: each notebook takes its own, simulated films, the capstone the real ones of the package.
COMMA  := ,
BUILD  := build/$(PROFILE)$(if $(filter-out simulated,$(DATASET)),-$(DATASET))
# `make clean` removes it, and `make book` parts of it: no folder but one of its own.
BELOW  := $(filter-out .,$(subst /, ,$(patsubst build/%,%,$(filter build/%,$(BUILD)))))
ifeq ($(if $(findstring ..,$(BUILD))$(word 2,$(BUILD)),,$(BELOW)),)
$(error BUILD is "$(BUILD)": expected a folder below build/, which "make clean" may remove, as BUILD=build/mine)
endif
PY     := .venv/bin/python
READY  := .venv/.ready
COLAB  := .venv-colab

NOTEBOOKS := $(sort $(wildcard notebooks/[0-9]*.ipynb))
EXECUTED  := $(NOTEBOOKS:notebooks/%=$(BUILD)/executed/%)
FIRST     := $(filter $(BUILD)/executed/01-%,$(EXECUTED))
# minutes.csv is written from executed notebooks (make minutes), so it must not make them run again.
HELPERS   := $(shell find medgan_helpers -type f -not -name '*.pyc' -not -name minutes.csv)
PROSE     := $(shell find book teaching -type f -not -name '*.pyc')
SITE      := $(BUILD)/html/index.html

# Chapters and tests run side by side, each in one thread. Two threads wait for each other as soon as another
# program wants one of the cores; and a chapter's last digits depend on the number of threads, so the book's
# numbers are the same on any number of cores.
JOBS ?= $(shell getconf _NPROCESSORS_ONLN 2> /dev/null || echo 2)
OMP_NUM_THREADS ?= 1
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += --jobs=$(JOBS)
endif
SIDE_BY_SIDE := -n $(JOBS) --dist loadfile

export OMP_NUM_THREADS
export MEDGAN_PROFILE := $(PROFILE)
export DATASET DATA_ROOT
export MPLBACKEND := agg
export PYTHONUNBUFFERED := 1

.PHONY: help
help:  ## list the targets
	@echo "make TARGET [PROFILE=smoke|class|full] [DATASET=chexpert|... DATA_ROOT=folder]"
	@sed -n 's/^\([a-z]*\):.*## /\1|/p' Makefile | awk -F'|' '{printf "  %-9s %s\n", $$1, $$2}'

# --- the environments ---------------------------------------------------------------------------

.PHONY: setup
setup: $(READY)  ## make the environment .venv/ (the other targets do it by themselves)

$(READY): requirements.txt pyproject.toml book/scripts/environment.sh
	@bash book/scripts/environment.sh .venv -r requirements.txt
	@bash book/scripts/environment.sh .venv --no-deps -e .
	@touch $@

# Like a fresh Colab runtime: only what the package itself asks for, in the newest versions, no lock.
# The package is installed from a copy: setuptools would leave its own files in build/ otherwise.
$(COLAB)/.ready: pyproject.toml $(HELPERS) book/scripts/environment.sh | $(READY)
	@rm -rf build/package && mkdir -p build/package
	@cp -R pyproject.toml README.md medgan_helpers build/package/
	@bash book/scripts/environment.sh $(COLAB) ./build/package ipykernel
	@bash book/scripts/environment.sh $(COLAB) --no-deps --force-reinstall ./build/package
	@touch $@

# --- the book -----------------------------------------------------------------------------------

.PHONY: book
book: $(SITE)  ## run the notebooks that changed, build the site, check it
	@echo "The book is $(SITE)"

# A notebook runs again when it, the helpers or the notebook it learns from changed. Chapter 1 makes
# the films, so the others wait for it; each also runs alone, making what it needs.
$(BUILD)/executed/%.ipynb: notebooks/%.ipynb $(HELPERS) book/scripts/execute.py $(READY)
	@mkdir -p $(@D)
	@echo "== $* (profile $(PROFILE)$(if $(DATASET),$(COMMA) data $(DATASET)))"
	@$(PY) book/scripts/execute.py $< $@ PROFILE="$(PROFILE)" DATASET="$(DATASET)" DATA_ROOT="$(DATA_ROOT)"

chapter = $(foreach number,$(1),$(filter $(BUILD)/executed/$(number)-%,$(EXECUTED)))
$(call chapter,06): $(call chapter,05)
$(call chapter,07): $(call chapter,06)

# The chapters that wait for each other come first, the others fill the second core beside them: 00 and 11, which
# bring their own films, while 01 makes those of the others. Make begins what need not wait before it looks for 06
# and 07 again, so 10 waits for 04, and the last ones for 06: short ones, so that both cores end together.
$(call chapter,03 04 05): | $(FIRST)
$(call chapter,10): | $(call chapter,04)
$(call chapter,02 08 09): | $(call chapter,06)
$(SITE): $(call chapter,07 08 02) $(EXECUTED) $(PROSE) _config.yml $(READY)
	@echo "== pages"
	@ASKED_BY=$$PPID exec $(PY) book/scripts/build_site.py $(BUILD) $(EXECUTED)

# --- everything else ----------------------------------------------------------------------------

# Everything quick: no book, no network, no second environment. `make test` runs all of this too.
.PHONY: check
check: $(READY)  ## style and the quick unit tests, in under two minutes: run it before every commit
	@.venv/bin/ruff check .
	@env -u MEDGAN_PROFILE -u DATASET -u DATA_ROOT $(PY) -m pytest tests -m "not slow" $(SIDE_BY_SIDE)

.PHONY: test
test: $(READY) $(COLAB)/.ready  ## unit tests, the smoke book and its contract, every notebook as on Colab
	@$(MAKE) --no-print-directory book PROFILE=smoke DATASET= DATA_ROOT=
	@$(MAKE) --no-print-directory proof

# Notebooks and unit tests in one run, a file at a time on whichever core is free.
.PHONY: proof
proof: $(READY) $(COLAB)/.ready
	@rm -rf build/colab
	@$(COLAB)/bin/python -m ipykernel install --prefix $(COLAB) --name colab \
	    --env MEDGAN_PROFILE smoke --env MEDGAN_BUILD "$(CURDIR)/build/colab" > /dev/null
	@env -u MEDGAN_PROFILE -u DATASET -u DATA_ROOT JUPYTER_PATH=$(COLAB)/share/jupyter $(PY) -m pytest \
	    notebooks tests --nbval-lax --nbval-kernel-name colab --nbval-cell-timeout 600 $(SIDE_BY_SIDE) \
	    --junitxml build/proof.xml

# Every shape, file and network of the full profile before hours on a GPU: its sizes, smoke's amounts of work.
.PHONY: rehearsal
rehearsal: $(READY)  ## run the book in the full profile's sizes for a few steps, in build/rehearsal
	@MEDGAN_REHEARSAL=1 MEDGAN_BUILD="$(CURDIR)/build/rehearsal" \
	    $(MAKE) --no-print-directory book PROFILE=full BUILD=build/rehearsal/full DATASET= DATA_ROOT=
	@$(PY) book/scripts/minutes.py rehearsal build/rehearsal/full/executed/[0-9]*.ipynb

.PHONY: student
student: $(READY)  ## the notebooks without solutions, in build/student
	@$(PY) book/scripts/student.py build/student

.PHONY: pdf
pdf: $(SITE)  ## the whole book as one PDF, build/<profile>/medgan.pdf (needs Chromium)
	@$(PY) book/scripts/pdf.py $(BUILD)/html $(BUILD)/medgan.pdf

.PHONY: slides
slides: $(EXECUTED) $(READY)  ## slides of every chapter from its executed notebook, in build/<profile>/slides
	@$(PY) book/scripts/slides.py $(BUILD)/slides $(EXECUTED)

.PHONY: exam
exam: $(READY)  ## questions and solutions to print, in build/exam (IDS=60, 90, two-days or "1.1 2.3"; EXAM_FOLDER=...)
	@$(PY) book/scripts/exam.py build/exam $(IDS)

# Kills, full discs, hostile files and planted faults by the hundred; about an hour on two cores.
.PHONY: torture
torture: $(READY)  ## what can go wrong, tried and counted: book/results/reliability.csv
	@env -u MEDGAN_PROFILE -u DATASET -u DATA_ROOT PYTHONPATH=tests $(PY) -m torture

.PHONY: lab
lab: $(READY)  ## open the notebooks in Jupyter
	@env -u MPLBACKEND -u OMP_NUM_THREADS .venv/bin/jupyter lab notebooks

.PHONY: serve
serve: $(SITE)  ## build the book and serve it at http://localhost:8000 (PORT=...)
	@$(PY) -m http.server $(PORT) --bind 127.0.0.1 --directory $(BUILD)/html

.PHONY: bench
bench: $(READY)  ## every speed beside a named peer, in one table: book/results/bench.csv
	@env -u OMP_NUM_THREADS $(PY) benchmarks/table.py

.PHONY: links
links: $(READY)  ## stamp the repository's address of _config.yml into badges and install lines
	@$(PY) book/scripts/stamp_links.py

.PHONY: minutes
minutes: $(SITE)  ## write the minutes that the notebooks took here into medgan_helpers/assets/minutes.csv
	@$(PY) book/scripts/minutes.py $(PROFILE) $(EXECUTED)

# One lock for every system and Python >= 3.11: what only Linux has (CUDA) is marked so.
LOCK := uv pip compile pyproject.toml --universal --fork-strategy fewest --python-version 3.11 \
    --all-extras --no-annotate

.PHONY: lock
lock:  ## make requirements.txt again from pyproject.toml (needs uv)
	@$(LOCK) --custom-compile-command "make lock, which runs: $(LOCK)" --upgrade --output-file requirements.txt

.PHONY: clean
clean:  ## remove build/<profile> (the environments stay)
	@rm -rf "$(BUILD)"
