"""A language model of 2.6 million random parameters: its text is noise, its plumbing is real."""

from collections.abc import Iterator
from importlib.resources import files
from itertools import chain, repeat
from pathlib import Path
from typing import Any

VOCABULARY = 1_024
SPECIAL = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}
WINDOW = 8_192
FREQUENT = 1_000
"""A text read so often that its words are the first to become tokens."""

CHAT = """\
{{- bos_token -}}
{%- if messages[0].role == "system" -%}
  {%- set rules = messages[0].content + "\\n\\n" -%}
  {%- set turns = messages[1:] -%}
{%- else -%}
  {%- set rules = "" -%}
  {%- set turns = messages -%}
{%- endif -%}
{%- for turn in turns -%}
  {%- if (turn.role == "user") != (loop.index0 % 2 == 0) -%}
    {{- raise_exception("user and assistant have to take turns") -}}
  {%- endif -%}
  {%- if turn.role == "user" -%}
    {{- "[INST] " + (rules if loop.first else "") + turn.content + "[/INST]" -}}
  {%- else -%}
    {{- " " + turn.content + eos_token -}}
  {%- endif -%}
{%- endfor -%}
"""
"""Turns in brackets as Mistral's models know them; the rules stand before the first question."""

CHAT_WITHOUT_RULES = CHAT.replace('messages[0].role == "system"', "false")
"""As the first Mistral models had it: a system message breaks the taking of turns."""


CPU_ENVIRONMENT = {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CPU_NUM_OF_RESERVED_CPU": "0"}
"""Of vLLM: a cache of 1 GiB is plenty; all cores calculate, where vLLM would keep one of two for its scheduler."""


def tiny_engine(model: Path, **changes: Any) -> dict[str, Any]:
    """Configuration of a `vllm` engine that loads a tiny model on a CPU in half a minute."""
    return {
        "kind": "vllm",
        "model": str(model),
        "gpus": 0,
        "max_num_seqs": 64,
        "max_num_batched_tokens": 4_096,
        "max_model_len": 2_048,
        "engine": {"enforce_eager": True, "dtype": "float32"},
        **changes,
    }


def make_tiny_model(folder: Path, *, seed: int = 0, chat_template: str | None = CHAT, words: str = "") -> Path:
    """Saves a Mistral of four layers, 256 wide, with a tokenizer of 1,024 entries trained on our own prompts.

    Args:
        folder: is made.
        seed: of the weights: another seed is another model.
        chat_template: None: the model has none.
        words: a text each of whose words becomes one token.

    Returns:
        The folder.
    """
    import torch
    import transformers

    library: Any = transformers
    tokenizer = library.PreTrainedTokenizerFast(tokenizer_object=_tokenizer(words), **SPECIAL)
    if chat_template is not None:
        tokenizer.chat_template = chat_template
    tokenizer.save_pretrained(folder)
    torch.manual_seed(seed)
    model = library.MistralForCausalLM(
        library.MistralConfig(
            vocab_size=VOCABULARY,
            hidden_size=256,
            intermediate_size=512,
            num_hidden_layers=4,
            num_attention_heads=8,
            num_key_value_heads=2,
            max_position_embeddings=WINDOW,
            sliding_window=None,
            bos_token_id=1,
            eos_token_id=2,
            pad_token_id=3,
        )
    )
    model.save_pretrained(folder)
    return folder


def _tokenizer(words: str) -> object:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(unk_token=SPECIAL["unk_token"]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=["<unk>", "<s>", "</s>", "<pad>", "[INST]", "[/INST]"],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(chain(_texts(), repeat(f" {words}", FREQUENT)), trainer)
    return tokenizer


def _texts() -> Iterator[str]:
    for path in sorted(Path(str(files("prompts"))).rglob("*")):
        if path.suffix in {".j2", ".yaml"}:
            yield path.read_text(encoding="utf-8")
