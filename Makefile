# Jira Data Integrator. `make help` lists the targets.
.DEFAULT_GOAL := help
PYTHON ?= python3
UV_VERSION := 0.13.9
BIN := .venv/bin
GROUPS := dev embedded image ingestor relay projector graphql telemetry notifier build deploy docs
ARGS ?=
TEST_WORKERS ?= 4
# Modules are compiled once, whatever the environment says: else every process that starts compiles all it imports, for
# two seconds, and every Temporal worker again what it loads into its sandbox.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# The set-up: a venv, exactly the locked requirements, the project itself editable. What runs is compiled at once; what only
# tests and checks need is compiled by who uses it first.
.venv/.ready: requirements/embedded.txt requirements/dev.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet uv==$(UV_VERSION)
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python requirements/embedded.txt
	$(BIN)/uv pip sync --quiet --python $(BIN)/python requirements/dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q -j 0 libs services
	@touch $@

.PHONY: setup
setup: .venv/.ready ## Install everything the project needs into .venv

.PHONY: demo
demo: .venv/.ready ## Sync a simulated Jira end to end (ARGS=--exit ends after the first sync)
	$(BIN)/jdi demo $(ARGS)

.PHONY: up
up: .venv/.ready ## Run the whole stack against the Jira of the environment
	$(BIN)/jdi up $(ARGS)

.PHONY: test
test: .venv/.ready ## Run all tests (ARGS=... goes to pytest; TEST_WORKERS=0 for one process)
	$(BIN)/python -m pytest --numprocesses $(TEST_WORKERS) --dist loadfile $(ARGS)

.PHONY: check
check: .venv/.ready ## Format, lint, types, import contracts; of the console's JavaScript, too, where node is
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory console-check; \
	else echo 'make console-check is left out: it needs node and npm'; fi

CONSOLE := services/graphql/console

# TypeScript and the types of what is vendored, as the lock file pins them. None of it ships.
build/console/.ready: $(CONSOLE)/package.json $(CONSOLE)/package-lock.json
	mkdir -p build/console && cp $(CONSOLE)/package.json $(CONSOLE)/package-lock.json build/console
	cd build/console && npm ci --silent --no-audit --no-fund
	@touch $@

.PHONY: console-check
console-check: build/console/.ready ## Check the types of the console's JavaScript and test its pure functions (needs node and npm)
	build/console/node_modules/.bin/tsc --project $(CONSOLE)
	node --test --test-reporter=spec tests/unit/services/graphql/console/*.test.mjs

.PHONY: console-types
console-types: .venv/.ready ## Write the types of the API that the console's JavaScript is checked against
	$(BIN)/python -m tests.unit.services.graphql.console.api_types

.PHONY: format
format: .venv/.ready ## Rewrite the sources in the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: bench
bench: .venv/.ready ## Benchmarks, as ratios side by side in one run
	$(BIN)/python -m benchmarks $(ARGS)

.PHONY: conformance
conformance: .venv/.ready ## Validate the simulated Jira against Atlassian's OpenAPI documents in JIRA_OPENAPI_DIR
	@test -n "$$JIRA_OPENAPI_DIR" || { echo 'make conformance needs JIRA_OPENAPI_DIR: the folder that holds openapi-platform-v3.json and openapi-software-2022.json' >&2; exit 2; }
	$(BIN)/python -m pytest -p no:cacheprovider tests/conformance $(ARGS)

.PHONY: image
image: ## Build the container image without a daemon, look into it, start every service of it (as root, on Debian)
	deploy/build.sh $(ARGS)

DEPLOY_BIN := build/deploy-venv/bin

$(DEPLOY_BIN)/.ready: requirements/deploy.txt
	$(PYTHON) -m venv build/deploy-venv
	$(DEPLOY_BIN)/python -m pip install --quiet --require-hashes --requirement requirements/deploy.txt
	@touch $@

.PHONY: deploy-check
deploy-check: .venv/.ready $(DEPLOY_BIN)/.ready ## Check the Dockerfile, compose.yaml and every overlay with tools too heavy for `make test`
	$(DEPLOY_BIN)/hadolint deploy/Dockerfile
	$(BIN)/python -m tests.deploy.validate $(DEPLOY_BIN)/kubernetes-validate
	$(BIN)/python -m pytest tests/deploy $(ARGS)

.PHONY: pin
pin: ## Write the digests of foreign images into compose.yaml (needs skopeo and the registries)
	deploy/pin.sh

CHECKOV_VERSION := 3.3.30

.PHONY: checkov
checkov: .venv/.ready ## Checkov's security rules on the Dockerfile and the production overlay (a tool of 290 MB)
	$(PYTHON) -m venv build/checkov-venv
	build/checkov-venv/bin/python -m pip install --quiet checkov==$(CHECKOV_VERSION)
	mkdir -p build/rendered && $(BIN)/kubectl kustomize deploy/k8s/overlays/prod > build/rendered/prod.yaml
	build/checkov-venv/bin/checkov --config-file deploy/checkov.yaml --file deploy/Dockerfile build/rendered/prod.yaml

.PHONY: schema
schema: .venv/.ready ## Write schema.graphql from the code
	$(BIN)/python -m services.graphql.api.schema > schema.graphql

.PHONY: metrics
metrics: .venv/.ready ## Write docs/metrics.md from what the services export
	@mkdir -p build
	$(BIN)/python -m tests.unit.observe.catalogue > build/metrics.md.new && mv build/metrics.md.new docs/metrics.md

.PHONY: reference
reference: metrics ## Write docs/reference and docs/metrics.md from the code
	$(BIN)/python -m tests.docs.reference

.PHONY: rules
rules: .venv/.ready ## Write the PrometheusRule of deploy/k8s from the rules of deploy/observe
	@mkdir -p build
	$(BIN)/python -m tests.deploy.rules > build/rules.yaml.new && mv build/rules.yaml.new deploy/k8s/components/observe/rules.yaml

.PHONY: observe-check
observe-check: .venv/.ready ## Check the rules of Prometheus and try each alert, with promtool (from PATH, else Debian's package)
	deploy/observe/check.sh
	$(BIN)/python -m pytest -p no:cacheprovider tests/unit/observe $(ARGS)

DOCS_BIN := build/docs-venv/bin

$(DOCS_BIN)/.ready: requirements/docs.txt
	$(PYTHON) -m venv build/docs-venv
	$(DOCS_BIN)/python -m pip install --quiet --require-hashes --requirement requirements/docs.txt
	@touch $@

.PHONY: docs
docs: $(DOCS_BIN)/.ready ## Build the documentation as a site into build/site; a broken link is an error
	$(DOCS_BIN)/zensical build --clean --strict

.PHONY: docs-serve
docs-serve: $(DOCS_BIN)/.ready ## Show the site on http://127.0.0.1:8000, and what is written meanwhile at once
	$(DOCS_BIN)/zensical serve

UPLOT := uplot@1.6.32

# The library that Grafana draws lines with, which is not part of this repository.
build/uplot/package/dist:
	mkdir -p build/uplot && cd build/uplot && npm pack --silent $(UPLOT) && tar --extract --gzip --file uplot-*.tgz

.PHONY: dashboards
dashboards: .venv/.ready build/uplot/package/dist ## Draw the dashboards over ten minutes of a system in trouble (ARGS=--again: the last ones)
	$(BIN)/python -m tests.dashboards $(ARGS)

.PHONY: screenshots
screenshots: .venv/.ready ## Take the pictures of the console in docs/pictures anew, with Chromium
	$(BIN)/python -m tests.browser.screenshots

.PHONY: lock
lock: ## Resolve and hash the requirements of every group anew; what ships is what is tested
	@for group in $(GROUPS); do \
	  tested=; [ $$group = dev ] || tested="--constraint requirements/dev.txt"; \
	  $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate --no-header --python-version 3.11 \
	    --group $$group --output-file requirements/$$group.txt $$tested $(ARGS) || exit 1; \
	done

.PHONY: clean
clean: ## Remove the venv, caches and local data
	rm -rf .venv .jdi .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
