# make demo    see what gwlint does, on samples/ (a fresh machine with Python 3.11 is enough)
# make test    install what the tests need, lint, and run all tests
# make lint    ruff, mypy, import contracts
# make docs    build the documentation as a site in build/site
# make bench   measure speed and memory
# make fuzz    look for bytes that break a parser: make fuzz TARGET=nginx MINUTES=24
# make rule    begin a rule: make rule CODE=NGX903 NAME=conflicting-server-name

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := test
.PHONY: demo test lint docs bench fuzz rule clean

PYTHON ?= python3
VENV ?= .venv
BIN := $(abspath $(VENV))/bin
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check

GWLINT := $(BIN)/gwlint

demo: $(VENV)/.demo
	@run() { printf '\n$$ gwlint %s\n' "$$*"; code=0; $(GWLINT) "$$@" || code=$$?; \
	  echo "(exit code $$code)"; [ "$$code" -le 1 ]; }; \
	run check samples; \
	run fix samples; \
	for spec in samples/generate/*.yaml; do for proxy in nginx haproxy; do \
	  run generate "$$spec" --proxy "$$proxy"; done; done

test: $(VENV)/.installed
	.ci/system-packages nginx-extras libnginx-mod-stream haproxy openssl git patch zsh fish groff man-db
	$(MAKE) --no-print-directory lint
	$(BIN)/pytest -n auto

# mypy and import-linter see no packages through the folder mapping of an editable install, so they
# read a copy that is laid out as the packages are named.
lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	rm -rf build/lint
	mkdir -p build/lint
	cp -R linter build/lint/gwlint
	cp -R rules templates build/lint/gwlint/
	cd build/lint && $(BIN)/mypy --config-file ../../pyproject.toml -p gwlint
	cd build/lint && $(BIN)/lint-imports --config ../../pyproject.toml --no-logo

docs: $(VENV)/.installed
	$(BIN)/mkdocs build --strict --quiet --config-file docs/mkdocs.yml

# The peers get environments of their own: what they need shall not mix with what gwlint needs, and
# two of them call their command gixy.
bench: $(VENV)/.installed
	$(PYTHON) -m venv build/peers
	build/peers/bin/python $(PIP_INSTALL) -r tests/bench/peers.txt
	$(PYTHON) -m venv build/gixy-ng
	build/gixy-ng/bin/python $(PIP_INSTALL) -r tests/bench/gixy-ng.txt
	$(BIN)/python tests/bench/speed.py build/peers/bin build/gixy-ng/bin

# atheris has wheels for few versions of Python, and only this needs it.
fuzz:
	$(PYTHON) -m venv build/fuzz-environment
	build/fuzz-environment/bin/python $(PIP_INSTALL) 'atheris>=2.3' .
	build/fuzz-environment/bin/python tests/fuzz/fuzz.py "$(TARGET)" "$(MINUTES)"

rule: $(VENV)/.installed
	$(BIN)/python -m gwlint.rules.new_rule "$(CODE)" "$(NAME)"

clean:
	rm -rf build $(VENV)/.installed

$(VENV)/.demo: pyproject.toml
	.ci/system-packages python3-venv
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python $(PIP_INSTALL) --editable .
	touch $@

$(VENV)/.installed: pyproject.toml
	.ci/system-packages python3-venv
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python $(PIP_INSTALL) --editable '.[test]'
	touch $@
