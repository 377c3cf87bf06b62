"""What can be seen of a language model without loading it."""

import json
import re
from pathlib import Path
from typing import Any

from annotation.errors import AnnotationError

WEIGHTS = ("*.safetensors", "*.bin", "*.pt", "*.pth")
TOKENIZERS = ("tokenizer.json", "tokenizer.model*", "tekken.json", "vocab.json", "vocab.txt", "spiece.model")
TEMPLATES = ("chat_template.jinja", "chat_template.json", "additional_chat_templates/default.jinja")
HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
BYTES = {"float32": 4, "float16": 2, "bfloat16": 2, "auto": 2, "half": 2, "float": 4, "fp8": 1}
CONFIGS = ("config.json", "params.json")


def as_folder(model: str) -> Path | None:
    """The folder that a model's name stands for; None for a name on the Hugging Face hub."""
    path = Path(model).expanduser()
    looks_like_path = model.startswith((".", "/", "~")) or model.count("/") > 1
    return path if looks_like_path or path.exists() else None


def check_model(model: str, *, weights: bool = True, template: bool = True) -> None:
    """Looks for all that an engine needs of a model.

    Args:
        model: a folder, or a name on the Hugging Face hub, of which only the form is looked at.
        weights: whether weights are needed.
        template: whether a chat template is needed.

    Raises:
        AnnotationError: something is missing; the message names the file.
    """
    folder = as_folder(model)
    if folder is None:
        if not HUB_NAME.fullmatch(model):
            raise AnnotationError(f"model {model!r}: no such folder, and no name on the Hugging Face hub (owner/name)")
        return
    if not folder.is_dir():
        raise AnnotationError(f"model {model}: no such folder; download the model there, or give its owner/name")
    if not _any(folder, CONFIGS):
        raise AnnotationError(f"{folder / 'config.json'}: missing; copy it from where the model comes from")
    if not _any(folder, TOKENIZERS):
        raise AnnotationError(f"{folder / 'tokenizer.json'}: missing; copy it from where the model comes from")
    if weights and not _any(folder, WEIGHTS):
        raise AnnotationError(f"{folder}: no weights (*.safetensors); copy them from where the model comes from")
    if template and not _has_template(folder):
        raise AnnotationError(
            f"{folder / 'chat_template.jinja'}: missing, and tokenizer_config.json has no chat_template; copy it "
            "from the instruct version of the model. A model that was never taught to chat writes no captions"
        )


def size_of_weights(model: str) -> int:
    """Bytes of a model's weights on disk; 0 where there is no folder to look at."""
    folder = as_folder(model)
    for pattern in WEIGHTS if folder else ():
        found = sum(path.stat().st_size for path in Path(model).expanduser().glob(pattern))
        if found:
            return found
    return 0


def cache_per_token(model: str, dtype: str = "auto") -> int:
    """Bytes that one token takes in the key-value cache, all layers; 0 where the model's configuration is not known.

    Two vectors (key, value) for each layer and key-value head.
    """
    folder = as_folder(model)
    if folder is None or not (folder / "config.json").is_file():
        return 0
    config = _json(folder / "config.json")
    config = config.get("text_config", config)
    heads = config.get("num_attention_heads", 0)
    width = config.get("head_dim") or (config.get("hidden_size", 0) // heads if heads else 0)
    pairs = config.get("num_key_value_heads") or heads
    return int(2 * config.get("num_hidden_layers", 0) * pairs * width * BYTES.get(dtype, 2))


def _any(folder: Path, patterns: tuple[str, ...]) -> bool:
    return any(True for pattern in patterns for _ in folder.glob(pattern))


def _has_template(folder: Path) -> bool:
    settings = folder / "tokenizer_config.json"
    return _any(folder, TEMPLATES) or (settings.is_file() and bool(_json(settings).get("chat_template")))


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise AnnotationError(
            f"{path}: is not JSON ({error}); copy it again from where the model comes from"
        ) from error
    if not isinstance(found, dict):
        raise AnnotationError(f"{path}: has to be a JSON object; copy it again from where the model comes from")
    return found
