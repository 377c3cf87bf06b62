"""Checkpoints of open_clip: RemoteCLIP, GeoRSCLIP, SkyCLIP."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from download.paths import ConfigPath
from pipeline.embed.embedder import Pixels, Vectors, digest_of, in_batches
from pipeline.errors import PipelineError


class OpenClipModel(BaseModel):
    """One file of weights, and the name of the architecture that it fits.

    Attributes:
        kind: `open_clip`.
        architecture: as open_clip calls it, such as `ViT-L-14` or `ViT-B-32-quickgelu`.
        model: the checkpoint; read as weights only, so that a hostile pickle runs nothing.
        batch_size: pictures or texts at a time.
        device: `auto` takes a GPU where there is one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["open_clip"]
    architecture: str
    model: ConfigPath
    batch_size: int = Field(default=64, ge=1)
    device: str = "auto"

    @property
    def name(self) -> str:
        """Of the file, without its ending."""
        return self.model.stem

    def check(self) -> None:
        """Looks for the file.

        Raises:
            PipelineError: it is not there.
        """
        if not self.model.is_file():
            raise PipelineError(f"model: {self.model} is no file; give an open_clip checkpoint (.pt or .safetensors).")

    def digest(self) -> str:
        """Changes with the model, not with where it lies."""
        return digest_of([self.model], self.architecture)

    def load(self) -> "LoadedOpenClip":
        """Reads the weights.

        Raises:
            PipelineError: the checkpoint cannot be used, or open_clip is missing.
        """
        self.check()
        try:
            import torch

            open_clip: Any = import_module("open_clip")
        except ImportError as error:
            raise PipelineError(
                f"model: {self.model} is a checkpoint of open_clip ({error}); pip install 'mapteller[open-clip]'"
            ) from error
        known = open_clip.list_models()
        if self.architecture not in known:
            raise PipelineError(
                f"architecture: open_clip knows no {self.architecture!r}; it knows {', '.join(known[:8])}, …"
            )
        device = ("cuda" if torch.cuda.is_available() else "cpu") if self.device == "auto" else self.device
        try:
            model, _, transform = open_clip.create_model_and_transforms(
                self.architecture, pretrained=str(self.model), device=device, weights_only=True
            )
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            raise PipelineError(f"model: {self.model} does not fit {self.architecture}: {error}") from error
        return LoadedOpenClip(
            self.batch_size, device, model.eval(), open_clip.get_tokenizer(self.architecture), transform
        )


@dataclass(frozen=True, slots=True)
class LoadedOpenClip:
    """A model in memory.

    Attributes:
        batch_size: pictures or texts at a time.
        device: where it calculates.
        model: with `encode_image` and `encode_text`.
        tokenizer: texts to numbers.
        transform: a PIL picture to a tensor.
    """

    batch_size: int
    device: str
    model: Any
    tokenizer: Any
    transform: Any

    def images(self, pictures: Sequence[Pixels]) -> Vectors:
        """One vector for each picture."""
        return in_batches(pictures, self.batch_size, self._images)

    def texts(self, texts: Sequence[str]) -> Vectors:
        """One vector for each text."""
        return in_batches(texts, self.batch_size, self._texts)

    def _images(self, pictures: Sequence[Pixels]) -> Any:
        import torch
        from PIL import Image

        tensors = torch.stack([self.transform(Image.fromarray(np.ascontiguousarray(picture))) for picture in pictures])
        with torch.inference_mode():
            return self.model.encode_image(tensors.to(self.device)).float().cpu().numpy()

    def _texts(self, texts: Sequence[str]) -> Any:
        import torch

        with torch.inference_mode():
            return self.model.encode_text(self.tokenizer(list(texts)).to(self.device)).float().cpu().numpy()
