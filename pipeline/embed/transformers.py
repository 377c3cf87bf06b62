"""CLIP and SigLIP in the format of `transformers`: OpenAI's CLIP, SigLIP, Git-RSCLIP."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from download.paths import ConfigPath
from pipeline.embed.embedder import Pixels, Vectors, digest_of, in_batches
from pipeline.errors import PipelineError

FAMILIES = ("clip", "siglip", "siglip2")
"""Values of `model_type` in config.json; SigLIP 2 of fixed size calls itself `siglip`."""


KNOWN = ("*.json", "*.safetensors", "*.bin", "*.txt", "*.model")
"""Files that make a model what it is."""


class TransformersModel(BaseModel):
    """A folder with config.json, weights, tokenizer and preprocessor_config.json.

    Attributes:
        kind: `transformers`.
        model: the folder; nothing is fetched, and no code that lies in it is run.
        batch_size: pictures or texts at a time.
        device: `auto` takes a GPU where there is one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["transformers"] = "transformers"
    model: ConfigPath
    batch_size: int = Field(default=64, ge=1)
    device: str = "auto"

    @property
    def name(self) -> str:
        """Of the folder."""
        return self.model.name

    def check(self) -> None:
        """Looks at the folder without loading it.

        Raises:
            PipelineError: it is no CLIP and no SigLIP, or something is missing.
        """
        config = self.model / "config.json"
        try:
            family = json.loads(config.read_text(encoding="utf-8")).get("model_type")
        except (OSError, ValueError, AttributeError) as error:
            raise PipelineError(
                f"model: {config} cannot be read ({error}). Give a local folder of a CLIP or SigLIP model, "
                "for example one made by `huggingface-cli download NAME --local-dir FOLDER`."
            ) from error
        if family not in FAMILIES:
            raise PipelineError(f"model: {config} has model_type {family!r}; wanted is one of {', '.join(FAMILIES)}.")
        if not any(self.model.glob("*.safetensors")) and not any(self.model.glob("*.bin")):
            raise PipelineError(f"model: {self.model} holds no weights (*.safetensors).")

    def digest(self) -> str:
        """Changes with the model, not with where it lies."""
        return digest_of(sorted(file for ending in KNOWN for file in self.model.glob(ending)))

    def load(self) -> "LoadedTransformers":
        """Reads the weights.

        Raises:
            PipelineError: the folder cannot be used, or `transformers` or `torch` is missing.
        """
        self.check()
        try:
            import torch
            import transformers
            from safetensors import SafetensorError
        except ImportError as error:
            raise PipelineError(f"{error}; pip install 'mapteller[embed]'") from error
        library: Any = transformers
        device = ("cuda" if torch.cuda.is_available() else "cpu") if self.device == "auto" else self.device
        local = {"local_files_only": True, "trust_remote_code": False}
        try:
            model = library.AutoModel.from_pretrained(self.model, **local)
            tokenizer = library.AutoTokenizer.from_pretrained(self.model, **local)
            pictures = library.AutoImageProcessor.from_pretrained(self.model, **local)
        except (OSError, ValueError, ImportError, RuntimeError, SafetensorError) as error:
            raise PipelineError(f"model: {self.model} cannot be loaded: {error}") from error
        return LoadedTransformers(self.batch_size, device, model.to(device).eval(), tokenizer, pictures)


@dataclass(frozen=True, slots=True)
class LoadedTransformers:
    """A model in memory.

    Attributes:
        batch_size: pictures or texts at a time.
        device: where it calculates.
        model: with `get_image_features` and `get_text_features`.
        tokenizer: texts to numbers.
        processor: pictures to tensors.
    """

    batch_size: int
    device: str
    model: Any
    tokenizer: Any
    processor: Any

    def images(self, pictures: Sequence[Pixels]) -> Vectors:
        """One vector for each picture."""
        return in_batches(pictures, self.batch_size, self._images)

    def texts(self, texts: Sequence[str]) -> Vectors:
        """One vector for each text."""
        return in_batches(texts, self.batch_size, self._texts)

    def _images(self, pictures: Sequence[Pixels]) -> Any:
        import torch

        tensors = self.processor(images=list(pictures), input_data_format="channels_last", return_tensors="pt")
        with torch.inference_mode():
            return _vectors(self.model.get_image_features(**tensors.to(self.device)))

    def _texts(self, texts: Sequence[str]) -> Any:
        """Padded to the model's full length: SigLIP was trained so, and a text's vector must not hang on its batch."""
        import torch

        tensors = self.tokenizer(
            list(texts),
            padding="max_length",
            truncation=True,
            max_length=self.model.config.text_config.max_position_embeddings,
            return_tensors="pt",
        )
        wanted = {key: tensors[key].to(self.device) for key in ("input_ids", "attention_mask") if key in tensors}
        with torch.inference_mode():
            return _vectors(self.model.get_text_features(**wanted))


def _vectors(answer: Any) -> Any:
    """Of the model's answer: a tensor in `transformers` 4, an object that holds it since."""
    return getattr(answer, "pooler_output", answer).float().cpu().numpy()
