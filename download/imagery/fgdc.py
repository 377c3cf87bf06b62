"""The day a picture was taken, from the metadata that is delivered beside it.

NAIP comes with an XML file for each chip: FGDC's content standard (FGDC-STD-001-1998), or ISO 19115 in newer years.
Both have a place for the time of the content, and say whether that is the condition of the ground or a publication.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from xml.parsers import expat

NAIP = re.compile(r"m_\d{7}_[ns][ew]_\d{2}_[\d.]{1,3}_(\d{4})(\d{2})(\d{2})(?!\d)")
"""Chip and day of acquisition in a NAIP file's name (m_QQQQQQQ_qq_zz_GGG_YYYYMMDD); what follows may differ."""

RASTER_ENDING = re.compile(r"\.(tiff?|jp2|img|vrt|png|jpg)$", re.IGNORECASE)
LARGEST, DEEPEST = 4 << 20, 64
"""Bytes of a metadata file and elements within elements, at most; NAIP's have some 50 thousand and 15."""

FGDC_TIME = re.compile(r"/idinfo/timeperd/timeinfo/(?:mdattim/)?(?:sngdate/caldate|rngdates/(?:begdate|enddate))$")
FGDC_MEANS = re.compile(r"/idinfo/timeperd/current$")
ISO_TIME = re.compile(r"/identificationinfo/.*/temporalelement/.*/(?:timeposition|beginposition|endposition)$")
ISO_MEANS = re.compile(r"/identificationinfo/.*/temporalelement/.*/description$")


@dataclass(frozen=True, slots=True)
class Acquired:
    """When a picture was taken.

    Attributes:
        day: of acquisition, if anything says it.
        notices: what the user should know of how it was found.
    """

    day: date | None
    notices: tuple[str, ...] = ()


def metadata_beside(rasters: Iterable[Path]) -> dict[Path, list[Path]]:
    """The metadata files of rasters, in the order of their names; each folder is looked at once.

    They are called like their raster, with `.xml` behind or instead of its ending. Of NAIP, the part of the name up to
    the day of acquisition has to agree, since the day of delivery behind it may be in one name only.
    """
    rasters = list(rasters)
    found: defaultdict[tuple[Path, str], list[Path]] = defaultdict(list)
    for folder in {raster.parent for raster in rasters}:
        for file in sorted(folder.glob("*.[xX][mM][lL]")):
            if not file.stem.endswith(".aux"):  # GDAL's own
                found[folder, _chip(file.stem)].append(file)
    return {raster: found.get((raster.parent, _chip(raster.name)), []) for raster in rasters}


def acquired(raster: Path, metadata: Sequence[Path], in_file: date | None = None) -> Acquired:
    """The day of acquisition of a raster: of its metadata, else of its name, else what the raster itself says.

    Where the metadata say several days, the one in the name is taken if it is among them, else the last. Where files
    of metadata differ, the last by name is believed, which was delivered last.

    Args:
        raster: file whose name may say a day.
        metadata: its files, from `metadata_beside`.
        in_file: day that the raster's own tags say.
    """
    named = day_in_name(raster)
    spans, notices = [], []
    for file in metadata:
        try:
            spans.append((file, *period(file)))
        except ValueError as error:
            notices.append(f"{file} {error}.")
    if not spans:
        day = named or in_file
        taken = f"{day} of the file's {'name' if named else 'own tags'} is taken" if day else "The day stays unknown"
        return Acquired(day, tuple(f"{notice} {taken}." for notice in notices))
    file, first, last = spans[-1]
    day = named if named and first <= named <= last else last
    if len({span[1:] for span in spans}) > 1:
        notices.append(f"{', '.join(str(span[0]) for span in spans)} say different days. The last one is believed.")
    if first != last:
        notices.append(f"{file} says no single day, but {first} to {last}. {day} is taken.")
    elif named and named != day:
        notices.append(f"{file} says {day}, the file's name {named}. The metadata are believed.")
    return Acquired(day, tuple(notices))


def day_in_name(raster: Path) -> date | None:
    """The day in the name of a NAIP file."""
    found = NAIP.match(raster.name)
    return day_of(*found.groups()) if found else None


def day_of(year: str, month: str, day: str) -> date | None:
    """A day from its numbers; None where there is no such day."""
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def period(file: Path) -> tuple[date, date]:
    """First and last day of a metadata file's content.

    Raises:
        ValueError: the file cannot be read, or says no day of acquisition; the message goes on after the file's name.
    """
    texts = _texts(file)
    means = " ".join(text for path, text in texts if FGDC_MEANS.search(path) or ISO_MEANS.search(path))
    if "publication" in means.lower():
        raise ValueError("dates its publication, not its content")
    said = [text for path, text in texts if FGDC_TIME.search(path) or ISO_TIME.search(path)]
    days = [day for text in said if (day := _day(text))]
    if not days:
        also = f" (it says {', '.join(map(repr, said))})" if any(said) else ""
        raise ValueError(f"lacks the day of its content{also}")
    return min(days), max(days)


def _chip(name: str) -> str:
    naip = NAIP.match(name)
    return naip[0] if naip else RASTER_ENDING.sub("", name)


def _day(text: str) -> date | None:
    found = re.match(r"(\d{4})(-?)(\d{2})\2(\d{2})(?!\d)", text)
    return day_of(found[1], found[3], found[4]) if found else None


def _texts(file: Path) -> list[tuple[str, str]]:
    """Texts of the elements of an XML file with their paths, such as `/metadata/idinfo/…`, without namespaces.

    Raises:
        ValueError: it cannot be opened, is too large, no XML, or has a document type, in which entities could hide.
    """
    try:
        with file.open("rb") as stream:
            content = stream.read(LARGEST + 1)
    except OSError as error:
        raise ValueError(f"cannot be read ({error.strerror})") from None
    if len(content) > LARGEST:
        raise ValueError(f"has more than {LARGEST:,} bytes, too many for metadata")
    texts: list[tuple[str, str]] = []
    open_elements: list[tuple[str, list[str]]] = []

    def start(name: str, attributes: dict[str, str]) -> None:  # noqa: ARG001 - expat gives them
        if len(open_elements) == DEEPEST:
            raise ValueError(f"has more than {DEEPEST} elements within each other, too many for metadata")
        above = open_elements[-1][0] if open_elements else ""
        open_elements.append((f"{above}/{name.rpartition(' ')[2].lower()}", []))

    def text(piece: str) -> None:
        open_elements[-1][1].append(piece)

    def end(name: str) -> None:  # noqa: ARG001 - it is the last one opened
        path, pieces = open_elements.pop()
        texts.append((path, "".join(pieces).strip()))

    def refuse(*declaration: object) -> None:  # noqa: ARG001 - whatever it is
        raise ValueError("has a document type, which metadata do not need and which is not read")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = text, refuse
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, LookupError) as error:
        raise ValueError(f"is no XML that can be read ({error})") from None
    return texts
