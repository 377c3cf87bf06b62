"""SkyScript as it is published, made small: pictures, metadata pickles and a table, as folders or as zip files."""

import csv
import io
import pickle
import random
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import osmium
from PIL import Image

from pipeline.bench.records import AROUND, CENTERS

COLUMNS = ("filepath", "title", "title_multi_objects")


@dataclass
class Sample:
    """One picture as it is published; `pickled` and `picture` can be anything."""

    stem: str
    meta: Any
    part: str = "2"
    title: str = "a title"
    titles: str = "a title, surrounded by another"
    filepath: str = ""
    pickled: bytes | None = None
    picture: bytes | None = b""
    protocol: int = 4

    @property
    def path(self) -> str:
        return self.filepath or f"images{self.part}/{self.stem}.jpg"

    @property
    def pickle(self) -> bytes:
        return pickle.dumps(self.meta, self.protocol) if self.pickled is None else self.pickled


def meta(center: Mapping[str, Any], around: Sequence[Mapping[str, Any]] = (), **other: Any) -> dict[str, Any]:
    """What a metadata file holds."""
    said = {
        "box": (7.1, 46.9, 7.1013, 46.9009), "time": (2019, 7, 14, 10, 30),
        "center_tags": dict(center), "surrounding_tags": [dict(tags) for tags in around],
    }  # fmt: skip
    return {**said, **other}


def samples(number: int, seed: int = 0, parts: Sequence[str] = ("2", "5"), codes: str = "CH US") -> Iterator[Sample]:
    """So many good pictures."""
    rng = random.Random(seed)
    for place in range(number):
        letter, center = rng.choice(CENTERS)
        around = [dict(rng.choice(AROUND)) for _ in range(rng.randrange(9))]
        west, south = rng.uniform(-179, 178), rng.uniform(-80, 80)
        box = (west, south, west + 0.002, south + 0.002)
        stem = f"{letter}{1000 + place}_{rng.choice(codes.split())}_{rng.randrange(17, 22)}"
        yield Sample(stem, meta(center, around, box=box), rng.choice(list(parts)), protocol=place % 6)


def picture(number: int = 0, size: int = 16) -> bytes:
    """A tiny JPEG."""
    buffer = io.BytesIO()
    Image.new("RGB", (size, size), (number % 200, 120, 80)).save(buffer, "JPEG")
    return buffer.getvalue()


@dataclass
class Made:
    """Where what was made lies."""

    folder: Path
    table: Path
    samples: list[Sample] = field(default_factory=list)


def make(folder: Path, made: Sequence[Sample], *, zipped: bool, name: str = "SkyScript_train.csv") -> Made:
    """Writes the published layout: `imagesN` and `metaN` as folders or as zip files, and a table."""
    folder.mkdir(parents=True, exist_ok=True)
    some = picture()
    files: dict[str, dict[str, bytes]] = {}
    for sample in made:
        files.setdefault(f"images{sample.part}", {})
        files.setdefault(f"meta{sample.part}", {})
        if sample.picture is not None:
            files[f"images{sample.part}"][f"{sample.stem}.jpg"] = sample.picture or some
        if sample.meta is not None or sample.pickled is not None:
            files[f"meta{sample.part}"][f"{sample.stem}.pickle"] = sample.pickle
    for group, members in files.items():
        if zipped:
            with zipfile.ZipFile(folder / f"{group}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
                for member, content in members.items():
                    archive.writestr(zipfile.ZipInfo(f"{group}/{member}"), content)
        else:
            (folder / group).mkdir(exist_ok=True)
            for member, content in members.items():
                (folder / group / member).write_bytes(content)
    table = folder / name
    with table.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        writer.writerows((sample.path, sample.title, sample.titles) for sample in made)
    return Made(folder, table, list(made))


def from_map(path: Path, code: str, year: int, most: int, side: float = 0.0012) -> list[Sample]:
    """Samples out of a real extract: every so many tagged ways, and what has a node in the box around its first node.

    Names, labels and addresses are left out, as SkyScript's published tags have none.
    """
    found: list[tuple[str, dict[str, str], tuple[float, float]]] = []
    for element in osmium.FileProcessor(str(path)).with_locations().with_filter(osmium.filter.EmptyTagFilter()):
        tags = {tag.k: tag.v for tag in element.tags if not tag.k.startswith(("name", "addr", "source", "note", "ref"))}
        if not tags:
            continue
        if isinstance(element, osmium.osm.Node):
            letter, place = "n", element.location
        elif isinstance(element, osmium.osm.Way):
            letter, place = "a" if element.is_closed() else "w", element.nodes[0].location
        else:
            continue
        if place.valid():
            found.append((f"{letter}{element.id}", tags, (place.lon, place.lat)))
    places = np.array([place for _, _, place in found])
    made = []
    for number in range(0, len(found), max(1, len(found) // most)):
        stem, tags, (lon, lat) = found[number]
        near = np.flatnonzero((abs(places - (lon, lat)) <= side).all(axis=1)).tolist()
        around = [found[other][1] for other in near if other != number]
        box = (lon - side, lat - side, lon + side, lat + side)
        made.append(Sample(f"{stem}_{code}_{year % 100:02d}", meta(tags, around, box=box)))
    return made
