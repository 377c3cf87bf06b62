"""A tiny model that sees: an Idefics3 with random weights, whose answers are noise that hangs on the picture."""

import json
from pathlib import Path
from typing import Any

from pipeline.bench.tiny_model import make_tiny_model

SIDE, PATCH, SHUFFLE = 32, 8, 2
PARTS = (SIDE // PATCH // SHUFFLE) ** 2
PICTURE_TOKENS = PARTS + 3
"""Of one picture in a prompt; two tokens stand around it, one says that it is whole."""
SPECIAL = ["<fake_token_around_image>", "<global-img>", "<image>", "<end_of_utterance>"]
CHAT = """\
{{- bos_token -}}
{%- for turn in messages -%}
  {%- if turn.role == "system" -%}{{- raise_exception("nobody is called system here") -}}{%- endif -%}
  {{- "[INST]" if turn.role == "user" -}}
  {%- for part in turn.content -%}
    {%- if part.type == "image" -%}<image>{%- elif part.type == "text" -%}{{- part.text -}}{%- endif -%}
  {%- endfor -%}
  {{- "[/INST]" if turn.role == "user" else eos_token -}}
{%- endfor -%}
"""
"""Reads turns in parts only, as the templates of Idefics3, SmolVLM and LLaVA do, and knows no system message."""


def make_seeing_model(folder: Path) -> Path:
    """Saves an Idefics3 of two layers that see and four that speak; vLLM loads this kind without torchvision.

    Args:
        folder: is made.

    Returns:
        The folder.
    """
    import torch
    import transformers

    library: Any = transformers
    make_tiny_model(folder)
    tokenizer = library.AutoTokenizer.from_pretrained(folder)
    tokenizer.add_special_tokens({"additional_special_tokens": SPECIAL})
    edge = {"longest_edge": SIDE}
    library.Idefics3Processor(
        image_processor=library.Idefics3ImageProcessorPil(size=edge, max_image_size=edge),
        tokenizer=tokenizer,
        image_seq_len=PARTS,
        chat_template=CHAT,
    ).save_pretrained(folder)
    speaking = json.loads((folder / "config.json").read_text())
    config = library.Idefics3Config(
        text_config={**speaking, "model_type": "llama", "vocab_size": len(tokenizer)},
        vision_config={
            "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2,
            "image_size": SIDE, "patch_size": PATCH,
        },
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        scale_factor=SHUFFLE,
        pad_token_id=speaking["pad_token_id"],
    )  # fmt: skip
    torch.manual_seed(0)
    model = library.Idefics3ForConditionalGeneration(config)
    model.model.connector.modality_projection.proj.weight.data *= 10  # what is seen weighs as much as what is read
    model.save_pretrained(folder)
    return folder
