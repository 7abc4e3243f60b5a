# Two commands do everything on a machine with Python 3.11 and make: `make run` and `make test`.
# The others are parts of `make test`, for one at a time. CONTRIBUTING.md says what each red light means.

UV := $(shell command -v uv || echo .tools/uv)
EMPTY :=
SPACE := $(EMPTY) $(EMPTY)
RUN := $(UV) run --frozen --no-sync
export UV_PYTHON_PREFERENCE ?= system
# The system's certificates, so that a proxy with an authority of its own is trusted where the machine trusts it.
export UV_SYSTEM_CERTS ?= 1
# Tests start many servers, and each would compile every module anew where a shell forbids to keep the bytecode.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test install lint types contracts unit bench clean

run: install
	@$(RUN) wardgate dev $(if $(LISTEN),--listen '$(LISTEN)')

test: lint types contracts unit

install: $(UV)
	@test -d .venv || echo "installing into .venv ..."
	@$(UV) sync --frozen --quiet --all-packages

.tools/uv: scripts/install_uv.py
	@python3 scripts/install_uv.py .tools

lint: install
	$(RUN) ruff format --check .
	$(RUN) ruff check .

types: install
	MYPYPATH=$(subst $(SPACE),:,gateway conformance $(wildcard plugins/*)) $(RUN) mypy gateway plugins conformance tests bench scripts

contracts: install
	$(RUN) lint-imports

unit: install
	$(RUN) pytest -n 2 --dist loadfile --no-loadscope-reorder

bench: install
	$(RUN) python -m bench

clean:
	rm -rf .venv .tools .mypy_cache .pytest_cache .ruff_cache .hypothesis
