"""A finished sample, as every writer gets it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.source import Picture


@dataclass(frozen=True, slots=True)
class Sample:
    """One captioned patch.

    Attributes:
        patch_id: unique in the dataset.
        picture: (size, size, 3) pixels, or a file's bytes; None for writers that want none.
        metadata: where, when and by whom the picture was taken.
        elements: what is under it, with facts; empty for writers that want none.
        annotations: its captions.
    """

    patch_id: int
    picture: Picture | None
    metadata: Mapping[str, Any]
    elements: list[dict[str, Any]]
    annotations: list[dict[str, Any]]

    @property
    def shown(self) -> Picture:
        """The picture, for writers that want it."""
        if self.picture is None:
            raise ValueError(f"patch {self.patch_id} came without its picture")
        return self.picture
