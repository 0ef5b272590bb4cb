# The verbs of this project; CI calls the same ones.
PYTHON    ?= python3
WORKERS   ?= 2
BIN       := .venv/bin
STAMP     := .venv/.installed
IMAGE     := .build/protos.binpb
RELEASED  := $(wildcard protos/released.binpb)
GRPCURL   := .tools/bin/grpcurl
GRPCURL_VERSION := v1.9.4

# Compiled once: without bytecode every start of a service compiles its whole tree again, which takes seconds.
export PYTHONDONTWRITEBYTECODE :=
export PYTHONPYCACHEPREFIX := $(CURDIR)/.venv/bytecode

.DEFAULT_GOAL := help
.PHONY: help run demo test check faults test-more coverage mutation lint format types proto proto-check bench real-input tools lock venv clean

help: ## List the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' Makefile

run: $(STAMP) ## Start everything on loopback: PostgreSQL, NATS and the three services; Ctrl-C stops it
	@$(BIN)/python -m chassis.stack --with-parent

demo: $(STAMP) ## Start everything and load the sample catalogue
	@$(BIN)/python -m chassis.stack --with-parent --then $(BIN)/trainingctl demo

test: $(STAMP) ## Run the units, the bus's contracts and the whole line, on real PostgreSQL and NATS
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile tests/unit tests/contract tests/e2e/test_line.py

check: lint types proto-check coverage test-more ## Check everything else that CI checks

test-more: $(STAMP) ## Run the tests that `test` does not: integration, processes, the README's tour, faults, fuzz
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile tests/integration tests/e2e tests/faults tests/fuzz \
	  --ignore tests/e2e/test_line.py

coverage: $(STAMP) ## Check that the units take every branch of the rules
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile --cov --cov-report= tests/unit/offer tests/unit/program
	@$(BIN)/coverage report --include 'offer_svc/domain/*,program_svc/domain/*' --fail-under 100

mutation: $(STAMP) ## Change the rules one by one and count which changes the units notice (tens of minutes)
	@$(BIN)/python tests/mutation.py

faults: $(STAMP) ## Kill every process under load for FAULTS_SECONDS (600) from FAULTS_SEED, and compare all stores
	@FAULTS_SECONDS=$${FAULTS_SECONDS:-600} $(BIN)/python -m pytest tests/faults

lint: $(STAMP) ## Check style, format and the direction of dependencies
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/lint-imports --no-logo --cache-dir .build/imports

format: $(STAMP) ## Format the code, mend what can be mended
	@$(BIN)/ruff check --fix-only --quiet
	@$(BIN)/ruff format

types: $(STAMP) ## Check types, tests included
	@$(BIN)/mypy . .ci

proto: $(STAMP) ## Generate the Python stubs from the protos
	@$(BIN)/python protos/generate.py

proto-check: $(STAMP) ## Check that the stubs are fresh, the protos clean and nothing released is broken
	@$(BIN)/python protos/generate.py --check --image $(IMAGE)
	@$(BIN)/buf lint $(IMAGE) --path training
	@$(if $(RELEASED),$(BIN)/buf breaking $(IMAGE) --against $(RELEASED) --path training,echo "nothing is released yet: nothing to break")

bench: $(STAMP) ## Measure every figure beside its floor
	@$(BIN)/python -m bench

real-input: $(STAMP) ## Import the real data of ../shared/data into a stack of its own and compare what comes out
	@$(BIN)/python -m bench.umd

tools: $(GRPCURL) ## Build grpcurl into .tools, where Go is installed

$(GRPCURL):
	@command -v go >/dev/null || { echo "grpcurl is built with Go, which is not on the PATH: https://go.dev/doc/install" >&2; exit 1; }
	@GOBIN=$(CURDIR)/.tools/bin go install github.com/fullstorydev/grpcurl/cmd/grpcurl@$(GRPCURL_VERSION)

# uv resolves for every platform at once; it does not read pip's configuration, so what pip knows about indexes is passed on.
lock: $(STAMP) ## Resolve the dependencies anew and write requirements.lock (UPGRADE=1 takes newer versions)
	@test -x .tools/lock/bin/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check --target .tools/lock uv
	@index=$$($(BIN)/python -m pip config list | sed -n "s/^[a-z:]*[.]index-url='\(.*\)'\$$/\1/p" | tail -n 1); \
	UV_DEFAULT_INDEX=$${UV_DEFAULT_INDEX:-$$index} .tools/lock/bin/uv pip compile pyproject.toml --all-extras --universal \
	  --generate-hashes --only-binary :all: --no-header --no-emit-index-url --quiet $(if $(UPGRADE),--upgrade) --output-file requirements.lock

venv: $(STAMP) ## Make the virtual environment (the other verbs do it when needed)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) .ci/environment.py

clean: ## Remove what was built, the environment and the tools included; data in .data stays
	rm -rf .venv .venv.lock .build .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.* dist
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
