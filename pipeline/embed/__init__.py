"""Pictures and texts as vectors of one space, by models that others have trained."""

from typing import Annotated

from pydantic import Field

from pipeline.embed.open_clip import OpenClipModel
from pipeline.embed.transformers import TransformersModel

EmbeddingModel = Annotated[OpenClipModel | TransformersModel, Field(discriminator="kind")]
"""What a configuration can name; `.load()` gives the `Embedder`."""

__all__ = ["EmbeddingModel", "OpenClipModel", "TransformersModel"]
