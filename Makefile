# One verb a line; each sets up what it needs. Plain Python 3.11 - 3.13 and make suffice.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev
INFRA := $(VENV)/.infra
ONCE ?=
ONLY ?=
URL ?=
ENVIRONMENT ?=
# Tests start the program hundreds of times; let it be compiled once, whatever the shell says.
export PYTHONDONTWRITEBYTECODE =
# Debian's node is older than the construct library would like; it does.
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION = 18,20
export JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION = 1
export JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION = 1

.PHONY: demo test check fix bench torture upgrade fuzz docs reference drill golive monitoring stack stack-check screenshots script lock clean unit help

help:            ## what this Makefile can do
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

demo: $(RUNTIME) ## clicks, signed webhooks and Meta's sandbox, live (ONCE=1 ends by itself)
	@$(BIN)/trackai demo $(if $(ONCE),--once)

# The first tests take all of the processors, the others wait for servers half of the time.
test: $(DEV)     ## every test: rules first, then PostgreSQL, HTTP and journeys
	@$(BIN)/python -m pytest tests/unit tests/gateways tests/contracts tests/conformance tests/docs tests/house -n 2 -q
	@$(BIN)/python -m pytest tests/storage tests/matching tests/housekeeping tests/alarms tests/monitoring tests/privacy tests/analytics tests/queue tests/secrets tests/backups tests/dispatch tests/flags tests/golive tests/ingest tests/api tests/accounts tests/tracker tests/dashboard tests/mail tests/sandbox tests/cli tests/deploy tests/infra tests/upgrade tests/journeys -n 4 -q --dist loadgroup
	@$(BIN)/python -m pytest tests/browser -n 3 -q

unit: $(DEV)     ## the rules alone, in seconds
	@$(BIN)/python -m pytest tests/unit -n 2 -q

check: $(DEV)    ## format, lint, strict types, import contracts
	@$(BIN)/ruff format --check src tests benchmarks torture upgrade tools infra
	@$(BIN)/ruff check src tests benchmarks torture upgrade tools infra
	@$(BIN)/codespell src docs infra README.md CHANGELOG.md CONTRIBUTING.md
	@$(BIN)/squawk src/trackai/storage/migrations/versions/*.sql
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

fix: $(DEV)      ## format and mend what can be mended
	@$(BIN)/ruff format src tests benchmarks torture upgrade tools infra
	@$(BIN)/ruff check --fix src tests benchmarks torture upgrade tools infra

bench: $(DEV)    ## figures as ratios of one run (ONLY=ingest,webhook,match,dispatch,queue,payload,analytics,pages,alarms,telemetry,metrics; ROWS=10000000)
	@$(BIN)/python -m benchmarks $(if $(ONLY),--only $(ONLY)) $(if $(ROWS),--rows $(ROWS))

torture: $(DEV)  ## faults from a seed, then the ledger (SHORT=1, SEED=7, QUEUE=sqs)
	@$(BIN)/python -m torture $(if $(SHORT),--short) $(if $(SEED),--seed $(SEED)) $(if $(QUEUE),--queue $(QUEUE))

upgrade: $(DEV)  ## the previous release and this one on one database, under load, forward and back
	@$(BIN)/python -m upgrade $(if $(SEED),--seed $(SEED))

fuzz: $(DEV)     ## damaged input for everything that reads what strangers send (SECONDS=600, SEED=7, ONLY=http)
	@$(BIN)/python -m tools.fuzz $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only $(ONLY))

screenshots: $(DEV) ## every page of the dashboard, drawn into docs/screens (ONLY="home live")
	@$(BIN)/python -m tools.screenshots $(ONLY)

drill: $(RUNTIME) ## every alarm fired on purpose on a scratch database, called for, and ended (ONLY=dlq_depth)
	@$(BIN)/trackai alarms drill --scratch $(ONLY)

golive: $(DEV)   ## every item of the go-live checklist brought to hold on a scratch installation; checks really run
	@$(BIN)/python -m tools.attest --quick --out $(VENV)/build.json || echo "Something failed: the checklist will say so."
	@$(BIN)/trackai golive rehearse --build $(VENV)/build.json

monitoring: $(RUNTIME) ## rules for Prometheus, routes for Alertmanager, a dashboard for Grafana: monitoring/
	@# What somebody's shell says of an installation of theirs is none of these files'.
	@env -i PATH="$$PATH" HOME="$$HOME" $(BIN)/trackai alarms render all --out monitoring --url https://track.example.com --environment production

docs: $(VENV)/.docs ## docs/ as a site in .site/html, strictly: a link that leads nowhere fails
	@$(BIN)/python -m tools.site

reference: $(DEV) ## docs/reference/*.json, the two OpenAPI documents, as the program makes them
	@$(BIN)/python -m tools.reference

stack: $(INFRA)  ## the template for Amazon, its parameters and what it may cost (URL=https://track.example.com ENVIRONMENT=production)
	@$(BIN)/python -m infra synth $(if $(URL),--url $(URL)) $(if $(ENVIRONMENT),--environment $(ENVIRONMENT))

stack-check: $(INFRA) ## strict types of infra/ and its tests, then those tests: takes node
	@$(BIN)/mypy infra tests/infra/*.py
	@TRACKAI_TEST_STACK=required $(BIN)/python -m pytest tests/infra -q

script: $(DEV)   ## t.min.js from the tracker script's parts
	@$(BIN)/python -m tools.minify

lock: $(DEV)     ## pin every dependency with hashes, without addresses; image.txt has what a container needs
	@$(BIN)/python -m pip install -q uv
	@$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header -q --extra build pyproject.toml -o requirements/runtime.txt
	@$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header -q --extra build --extra dev --extra otel -c requirements/runtime.txt pyproject.toml -o requirements/dev.txt
	@$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header -q --extra build --extra otel -c requirements/dev.txt pyproject.toml -o requirements/otel.txt
	@$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header -q --extra otel -c requirements/otel.txt pyproject.toml -o requirements/image.txt
	@echo zensical | $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header -q -c requirements/dev.txt - -o requirements/docs.txt
	@echo pip-audit | $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header -q - -o requirements/audit.txt
	@$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header -q --extra infra -c requirements/dev.txt pyproject.toml -o requirements/infra.txt
	@echo hatchling | $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header -q -c requirements/runtime.txt - -o requirements/build.txt

clean:           ## remove the environment and caches, never data
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else f"Track AI needs Python 3.11 to 3.13, this is {v[0]}.{v[1]}: name another with make PYTHON=python3.12 ...")'
	@echo "Setting up $(VENV) (once) ..."
	@$(PYTHON) -m venv $(VENV) || { echo "Could not make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv"; rm -rf $(VENV); exit 1; }

$(RUNTIME): requirements/runtime.txt pyproject.toml | $(VENV)/bin/python
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/runtime.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): requirements/dev.txt $(RUNTIME)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)/.docs: requirements/docs.txt $(DEV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/docs.txt
	@touch $@

$(INFRA): requirements/infra.txt $(DEV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-compile --require-hashes -r requirements/infra.txt
	@touch $@
