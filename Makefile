# Everything runs in the environment that ./seawall makes; SEAWALL_PYTHON chooses its Python.
.PHONY: demo test lint bench lock clean environment
.NOTPARALLEL:

BIN := .venv/bin

demo:
	./seawall demo

# What is quickest to find comes first; pytest's summary is the last line.
test: lint
	$(BIN)/python -m pytest -n auto --dist worksteal

lint: environment
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/flake8 .
	$(BIN)/mypy

bench: environment
	$(BIN)/python -m benchmarks

# Versions and hashes for every platform and both Pythons; addresses have no place in it.
lock: environment
	UV_SYSTEM_CERTS=1 $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.12 \
	    --python $(BIN)/python --generate-hashes --no-header --no-annotate --extra dev \
	    --output-file requirements.lock pyproject.toml

environment:
	@./seawall --bootstrap

clean:
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage dist
	find . -name __pycache__ -not -path './.venv*' -prune -exec rm -rf {} +
