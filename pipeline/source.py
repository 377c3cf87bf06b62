"""What samples of any kind have in common: units of work, what is to be told of them, and their pictures."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from annotation.request import ElementFacts

Row = dict[str, Any]
"""A row of a part; see `parts.SCHEMAS`."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """What is to be told of one sample.

    Attributes:
        patch_id: of the sample.
        task: a key of `annotation.request.TASKS`.
        revisions: rewritten captions wanted of each first one.
        told: facts of what the caption is about.
        gsd: metres per pixel of the picture.
        place: administrative names around it, the largest area first.
        picture: a file for engines that see; None: nobody is shown anything.
    """

    patch_id: int
    task: str
    revisions: int
    told: tuple[ElementFacts, ...]
    gsd: float
    place: Sequence[str] = ()
    picture: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Encoded:
    """A picture as it lies in a file.

    Attributes:
        content: the bytes.
        suffix: `jpg` or `png`.
    """

    content: bytes
    suffix: str


Picture = NDArray[np.uint8] | Encoded
"""(size, size, 3) pixels, or a file's bytes."""


class Unit(Protocol):
    """A piece of work that is committed whole."""

    @property
    def id(self) -> str:
        """Unique in the run; a file name."""

    @property
    def laid(self) -> int:
        """Samples that it may hold."""

    def fingerprint(self, run: str) -> str:
        """Changes when the captions of the unit may."""


class Look(Protocol):
    """A unit that has been looked at."""

    @property
    def assignments(self) -> Sequence[Assignment]:
        """What is to be told."""

    @property
    def counts(self) -> Mapping[str, int]:
        """Figures of its own, for run.json."""

    def patch_rows(self, fates: Mapping[int, str]) -> list[Row]:
        """Rows of the patches part, given what became of the assigned ones (`captioned` or `rejected`)."""

    def element_rows(self, captioned: AbstractSet[int]) -> list[Row]:
        """Rows of the elements part, for captioned patches."""


class Pictures(Protocol):
    """Where pixels come from, once a sample has a caption."""

    def fetch(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Fetches the pictures of some rows of the patches part in as few requests as it takes; `read` has them then.

        Raises:
            DownloadError: some cannot be had; those that can are there nevertheless.
        """

    def read(self, row: Mapping[str, Any]) -> Picture:
        """The picture of a row of the patches part.

        Raises:
            DownloadError: it cannot be read.
        """


class Source(Protocol):
    """Samples of one kind, looked at but not worked on."""

    @property
    def inputs(self) -> Mapping[str, str]:
        """Digests of what the samples are made of."""

    @property
    def units(self) -> Sequence[Any]:
        """The units of work, in order."""

    @property
    def info(self) -> Mapping[str, Any]:
        """What run.json says of the samples."""

    @property
    def summary(self) -> str:
        """For people: what there is to do."""

    def ready(self, folder: Path, console: Console) -> "Source":
        """Does what has to be done once, before the first unit; what is made for it goes into `folder`.

        Raises:
            DownloadError: the map cannot be used.
            PipelineError: samples and map do not fit together.
        """

    def look(self, unit: Any, limit: int | None = None) -> Look:
        """Looks at a unit; `limit` keeps a preview short."""

    def pictures(self) -> Pictures:
        """Where the pixels are."""
