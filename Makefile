# AG06 Mixer. `make run` and `make test` are all that is needed; `make help` lists the rest.
# Files under $(DONE) remember what has been installed, so that a second run starts at once and
# needs no network.

VENV := .venv
DONE := $(VENV)/.done
BIN := $(VENV)/bin
# The models' wheels go without what they name but never use; pip need not say so each time.
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-warn-conflicts
NODE := tools/with_node.sh
NPM_DONE := node_modules/.package-lock.json
SOURCES := webrtc archive rooms gateway mixer dsp
PYTHON_FILES := $(SOURCES) benchmarks training tests tools start_webrtc.py
KERNELS := $(shell find $(SOURCES) -name '*.py' -exec grep -lE 'numba|dsp.jit' {} + 2>/dev/null)
REAL := browser or server
UNIT := not ($(REAL))
JAVASCRIPT := test
EXAMPLES := ours
BENCHMARKS := latency browser_loop capacity breaking_point loss idle

# A second run starts from what the first one has compiled, whatever the shell says.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test check format bench soak screenshots lighthouse clean install install-dev install-bench \
	manifests checkov \
	lint types javascript unit

help:
	@echo "make run      install what is missing, start the server, print the address to open"
	@echo "make test     install what the tests need, then run every test and check"
	@echo "make check    format, lint, types, import arrows unit tests but the slow ones: in under a minute"
	@echo "make format   format the code and sort its imports"
	@echo "make bench    run the benchmarks that docs/performance.md quotes"
	@echo "make soak     let people come and go for five minutes; fail if anything grows"
	@echo "make screenshots  take the pictures of the documentation from the real page"
	@echo "make lighthouse   judge the pages by Lighthouse, which is fetched"
	@echo "make manifests  hold deploy/k8s against Kubernetes' schemas"
	@echo "make checkov  look for weaknesses in deploy/k8s, with checkov"
	@echo "make clean    remove what was installed and built"

run: install
	@exec tools/run.sh

test: install-dev
	@tools/install_test_packages.sh
	@$(MAKE) --no-print-directory --jobs --output-sync lint types javascript
	@$(MAKE) --no-print-directory unit
	@echo "== whole server and browsers"
	@$(BIN)/python -m pytest -q --durations=15 -m "$(REAL)"

check: install-dev
	@$(MAKE) --no-print-directory --jobs --output-sync lint types javascript \
		JAVASCRIPT=test:quick
	@$(MAKE) --no-print-directory unit UNIT="not ($(REAL) or slow)" EXAMPLES=quick

lint:
	@echo "== format, lint, types, import arrows"
	@$(BIN)/ruff format --check --quiet $(PYTHON_FILES)
	@$(BIN)/ruff check --quiet $(PYTHON_FILES)
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports > $(DONE)/imports.txt || { cat $(DONE)/imports.txt; exit 1; }

types:
	@echo "== JavaScript: types"
	@$(NODE) npm run --silent types

javascript:
	@echo "== JavaScript: unit tests"
	@$(NODE) npm run --silent $(JAVASCRIPT) > $(DONE)/javascript.txt \
		|| { cat $(DONE)/javascript.txt; exit 1; }
	@grep -oE '(pass|fail|skipped) [0-9]+$$' $(DONE)/javascript.txt | xargs echo

# There is a process for each CPU already: further threads of numpy's would wait for each other.
unit:
	@echo "== unit tests"
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -q -n auto --dist worksteal \
		--hypothesis-profile $(EXAMPLES) -m "$(UNIT)"

format: install-dev
	@$(BIN)/ruff check --quiet --select I --fix $(PYTHON_FILES)
	@$(BIN)/ruff format --quiet $(PYTHON_FILES)

bench: install-bench
	@for each in $(BENCHMARKS); do \
		echo "== benchmarks.$$each"; $(BIN)/python -m benchmarks.$$each || exit 1; \
	done

soak: install-dev
	@$(BIN)/python -m benchmarks.soak --minutes 5 --strict

screenshots: install-dev
	@$(BIN)/python tools/screenshots.py

lighthouse: install-dev
	@$(NODE) $(BIN)/python tools/lighthouse.py

# In an environment of its own: the schemas are large.
manifests: $(DONE)/venv
	@$(BIN)/python -m venv $(VENV)/manifests
	@$(VENV)/manifests/bin/python -m pip install --quiet --disable-pip-version-check \
		-r requirements-manifests.txt
	@$(VENV)/manifests/bin/python tools/validate_manifests.py

checkov: $(DONE)/venv
	@$(BIN)/python -m venv $(VENV)/checkov
	@$(VENV)/checkov/bin/python -m pip install --quiet --disable-pip-version-check \
		-r requirements-checkov.txt
	@$(VENV)/checkov/bin/python tools/run_checkov.py

clean:
	rm -rf $(VENV) node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find $(SOURCES) benchmarks tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- what is installed ------------------------------------------------------------------------

install: $(DONE)/requirements $(DONE)/requirements-models $(NPM_DONE) $(DONE)/kernels
install-dev: install $(DONE)/requirements-dev
install-bench: install-dev $(DONE)/requirements-bench

$(DONE)/venv:
	@python=$$(tools/find_python.sh $(PYTHON)) || exit 2; \
	$(BIN)/python -m pip --version >/dev/null 2>&1 \
		|| { echo "Making $(VENV) with $$python."; "$$python" -m venv --clear $(VENV); }
	@mkdir -p $(DONE) && touch $@

$(DONE)/requirements: requirements.txt | $(DONE)/venv
	@echo "Installing Python packages ($<)."
	@$(PIP_INSTALL) -r $< && touch $@

# The file says why without dependencies.
$(DONE)/requirements-models: requirements-models.txt | $(DONE)/requirements
	@echo "Installing Python packages ($<)."
	@$(PIP_INSTALL) --no-deps -r $< && touch $@

$(DONE)/requirements-dev: requirements-dev.txt requirements-tracing.txt requirements.txt | $(DONE)/requirements
	@echo "Installing Python packages ($<)."
	@$(PIP_INSTALL) -r $< && touch $@

$(DONE)/requirements-bench: requirements-bench.txt | $(DONE)/requirements-dev
	@echo "Installing Python packages ($<); this needs a C compiler."
	@$(PIP_INSTALL) -r $< && touch $@

$(NPM_DONE): package.json package-lock.json .npmrc | $(DONE)/venv
	@echo "Installing npm packages."
	@$(NODE) npm ci --ignore-scripts --prefer-offline --loglevel=error > $(DONE)/npm.txt \
		|| { cat $(DONE)/npm.txt; exit 1; }
	@touch $@

# Compiled once here, so that the first sound does not wait for a compiler.
$(DONE)/kernels: $(KERNELS) $(DONE)/requirements $(DONE)/requirements-models
	@echo "Compiling the audio kernels."
	@$(BIN)/python -m webrtc.media.warm > $(DONE)/warm.txt && touch $@
