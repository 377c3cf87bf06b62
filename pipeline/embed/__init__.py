"""Pictures and texts as vectors of one space, by models that others have trained."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from pipeline.embed.open_clip import OpenClipModel
from pipeline.embed.transformers import TransformersModel

EmbeddingModel = Annotated[OpenClipModel | TransformersModel, Field(discriminator="kind")]
"""What a configuration can name; `.load()` gives the `Embedder`."""

__all__ = ["EmbeddingModel", "OpenClipModel", "TransformersModel", "embedding_model"]


def embedding_model(model: Path, architecture: str | None = None) -> OpenClipModel | TransformersModel:
    """A folder of `transformers`, or with an architecture a checkpoint of open_clip."""
    if architecture:
        return OpenClipModel(kind="open_clip", architecture=architecture, model=model)
    return TransformersModel(model=model)
