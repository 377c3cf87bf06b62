"""What every writer can do."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from pipeline.writers.sample import Sample


class Writer(BaseModel, ABC):
    """Writes captioned samples, a shard at a time; the configuration is the component."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    wants_pictures: ClassVar[bool] = True
    """Whether samples come with their pictures; otherwise no pixel is read."""

    wants_elements: ClassVar[bool] = True
    """Whether samples come with their elements; otherwise they are not read."""

    samples_per_shard: int

    @property
    @abstractmethod
    def suffix(self) -> str:
        """Ending of a shard's file name."""

    @abstractmethod
    def write(self, samples: Iterable[Sample], target: Path) -> list[dict[str, Any]]:
        """Writes one shard; the same samples give the same bytes.

        Returns:
            An index row for each sample: its patch id, image name, split, tasks, and where in the file it lies.
        """

    def finish(self, folder: Path) -> list[Path]:  # noqa: ARG002 - for most, shards are all there is
        """Writes what can only be written when all shards are there; returns the files."""
        return []
