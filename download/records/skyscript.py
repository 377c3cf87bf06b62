"""SkyScript as published: parts of pictures and metadata, as folders or as the zip files themselves.

Names, columns and fields are those of the project's README (github.com/wangzhecheng/SkyScript); the sources and their
GSD those of the paper (Wang et al., AAAI 2024, arXiv 2312.12856).
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from download.errors import DownloadError
from download.records.metadata import Metadata
from download.records.parts import FolderPart, Part, ZipStore
from download.records.refused import Refused
from download.records.safe_pickle import MOST_BYTES
from download.records.zips import index_zip

MOST_PICTURE_BYTES: Final = 64 << 20
NAIP_SHARPER: Final = 2018
"""From this year on USDA/NAIP/DOQQ has 0.6 m, before mostly 1 m."""

Group = Literal["images", "meta"]


@dataclass(frozen=True, slots=True)
class ImageSource:
    """Where pictures with a code come from.

    Attributes:
        collection: in the Earth Engine catalogue.
        gsd: metres per pixel.
    """

    collection: str
    gsd: float


SOURCES: Final[Mapping[str, ImageSource]] = {
    "CH": ImageSource("ORTHO/Switzerland/SWISSIMAGE/10cm", 0.1),
    "ES": ImageSource("Spain/PNOA/PNOA10", 0.1),
    "DE": ImageSource("Germany/Brandenburg/orthos/20cm", 0.2),
    "FI": ImageSource("Finland/SMK/V/50cm", 0.5),
    "US": ImageSource("USDA/NAIP/DOQQ", 0.6),
    "P3": ImageSource("SKYSAT/GEN-A/PUBLIC/ORTHO/RGB", 0.8),
    "P5": ImageSource("SKYSAT/GEN-A/PUBLIC/ORTHO/MULTISPECTRAL", 2.0),
    "S2": ImageSource("COPERNICUS/S2_SR_HARMONIZED", 10.0),
    "L8": ImageSource("LANDSAT/LC08/C02/T1_TOA", 30.0),
    "L9": ImageSource("LANDSAT/LC09/C02/T1_TOA", 30.0),
}
"""Sources by code; their order is part of every `Name.key`."""

_CODES: Final = {code: place for place, code in enumerate(SOURCES)}
_KINDS: Final = {"n": ("node", "point", 0), "w": ("way", "line", 1), "a": ("way", "area", 2)}
_STEM: Final = re.compile(r"([awn])([1-9]\d{0,10})_([A-Z][A-Z0-9])_(\d\d)")
_FILE: Final = re.compile(r"(?:\./)?images(\d{1,3})/([^/]+)\.(?:jpg|jpeg|png)")


@dataclass(frozen=True, slots=True)
class Name:
    """What the name of a picture says: `a198234555_CH_19`.

    Attributes:
        stem: the name without ending.
        letter: `a` area, `w` line, `n` node.
        osm_id: of the focus object. Whether an area is a way or a relation is not said; of
            573 known ids all but one are larger than those of relations.
        code: of the source.
        year: of the picture.
        key: a number below 2^53 that no other name has.
    """

    stem: str
    letter: str
    osm_id: int
    code: str
    year: int
    key: int

    @classmethod
    def of(cls, stem: str) -> "Name":
        """Reads a name.

        Raises:
            Refused: it is of another form, or its source is unknown.
        """
        found = _STEM.fullmatch(stem)
        if not found:
            raise Refused("name of another form", stem[:80])
        letter, digits, code, year = found.groups()
        if code not in _CODES:
            raise Refused("source unknown", code)
        key = (((int(digits) << 2 | _KINDS[letter][2]) << 5 | _CODES[code]) << 7) | int(year)
        return cls(stem, letter, int(digits), code, 2000 + int(year), key)

    @property
    def element(self) -> str:
        """Id of the focus object, `way/123`."""
        return f"{_KINDS[self.letter][0]}/{self.osm_id}"

    @property
    def kind(self) -> str:
        """How it is drawn: `area`, `line` or `point`."""
        return _KINDS[self.letter][1]

    @property
    def gsd(self) -> float:
        """Metres per pixel of its source."""
        return 1.0 if self.code == "US" and self.year < NAIP_SHARPER else SOURCES[self.code].gsd


def picture_of(filepath: str) -> tuple[str, Name]:
    """Part and name of a cell of the column `filepath`: `images2/a198234555_CH_19.jpg`.

    Raises:
        Refused: the path leads elsewhere, or is of another form.
    """
    _check_inside(filepath)
    found = _FILE.fullmatch(filepath)
    if not found:
        raise Refused("path of another form", filepath[:120])
    return found[1], Name.of(found[2])


def key_of_member(path: str) -> int:
    """Key of a member of a zip part.

    Raises:
        Refused: its path leads out of the archive, or its name is none of SkyScript's.
    """
    _check_inside(path)
    return Name.of(path.rpartition("/")[2].rpartition(".")[0]).key


def _check_inside(path: str) -> None:
    if path.startswith(("/", "\\")) or path[1:2] == ":" or ".." in path.replace("\\", "/").split("/") or "\0" in path:
        raise Refused("path leads elsewhere", repr(path[:120]))


@dataclass(frozen=True, slots=True)
class SkyScriptParts:
    """Parts of pictures and metadata, by group and number.

    Attributes:
        parts: what can be read.
        damaged: what cannot, and why.
        left_out: members of zip parts that are none of SkyScript's, by reason.
    """

    parts: Mapping[tuple[Group, str], Part]
    damaged: Mapping[tuple[Group, str], str] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path, index: Path) -> "SkyScriptParts":
        """Looks for `imagesN` and `metaN`, each a folder or a zip file; of both the folder is taken.

        Args:
            folder: where they lie.
            index: where the directories of zip files are kept.

        Raises:
            DownloadError: there are none, or none that can be read.
        """
        parts: dict[tuple[Group, str], Part] = {}
        damaged: dict[tuple[Group, str], str] = {}
        left_out: Counter[str] = Counter()
        for group, number, path in _found(folder):
            if path.is_dir():
                parts[group, number] = FolderPart(path)
                continue
            try:
                part, reasons = index_zip(path, index, key_of_member)
            except DownloadError as error:
                damaged[group, number] = str(error)
                continue
            parts[group, number] = ZipStore(part)
            left_out.update({f"{path.name}: {reason}": count for reason, count in reasons.items()})
        for group in ("images", "meta"):
            if not any(found == group for found, _ in parts):
                causes = "; ".join(damaged.values()) or f"put {group}2.zip or a folder {group}2 (to 7) there"
                raise DownloadError(f"{folder} holds no {group} of SkyScript that can be read: {causes}")
        return cls(parts, damaged, dict(left_out))

    def find(self, group: Group, number: str, names: Sequence[Name]) -> list[Any]:
        """Where the files of a part are; None for what is not there."""
        part = self.parts.get((group, number))
        return part.find(names) if part else [None] * len(names)

    def missing(self, group: Group, number: str) -> Refused:
        """Why a file is not there."""
        said = "picture" if group == "images" else "metadata"
        if (group, number) in self.damaged:
            return Refused(f"{said} in a damaged part", f"{group}{number}")
        return Refused(f"no {said}", "" if (group, number) in self.parts else f"{group}{number} is not there")

    def metadata(self, number: str, found: Any) -> Metadata:
        """Reads what `find` found.

        Raises:
            Refused: it cannot be used.
        """
        return Metadata.of(self.parts["meta", number].read(found, MOST_BYTES))

    def picture(self, filepath: str) -> bytes:
        """The bytes of a picture.

        Raises:
            Refused: it is not there, damaged or no picture.
        """
        number, name = picture_of(filepath)
        found = self.find("images", number, [name])[0]
        if found is None:
            raise self.missing("images", number)
        return self.parts["images", number].read(found, MOST_PICTURE_BYTES)


def _found(folder: Path) -> Iterator[tuple[Group, str, Path]]:
    """Parts by group and number; a folder goes before a zip file of the same name."""
    groups: tuple[Group, ...] = ("images", "meta")
    for group in groups:
        seen: set[str] = set()
        for path in sorted(folder.glob(f"{group}*"), key=lambda path: (not path.is_dir(), path.name)):
            number = path.name.removeprefix(group).removesuffix(".zip")
            if number.isdecimal() and number not in seen and (path.is_dir() or path.suffix == ".zip"):
                seen.add(number)
                yield group, number, path
