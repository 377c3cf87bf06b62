"""Git-10M's format: Parquet that `datasets.load_dataset` reads, a row for each picture."""

import io
import json
import math
import mmap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from pipeline.quality import MeasuredQuality, Quality
from pipeline.source import Encoded, Picture, Row
from pipeline.writers.sample import Sample
from pipeline.writers.writer import Writer

COLUMNS = {
    "image": pa.struct({"bytes": pa.binary(), "path": pa.string()}),
    "img_name": pa.string(),
    "img_quality_score": pa.float64(),
    "caption": pa.string(),
    "caption_length": pa.int64(),
    "resolution": pa.float64(),
    "Google_location": pa.string(),
    "ground_resolution": pa.float64(),
    "longitude": pa.float64(),
    "latitude": pa.float64(),
    "captions": pa.list_(pa.string()),
    "split": pa.string(),
    "acquired": pa.string(),
    "licence": pa.string(),
    "attribution": pa.string(),
}
"""The first seven as published; the others are ours."""

FEATURES = {"string": "string", "double": "float64", "int64": "int64"}
"""Arrow's names of types in the words of `datasets`."""

EQUATOR_M = 2 * math.pi * 6378137.0
"""Of Web Mercator (EPSG:3857)."""

TILE = 256
ZOOMS = range(25)
NOWHERE = "0_0_0"
"""Level 0: the picture is no tile, as the card marks pictures of public sets."""

SLACK = 0.02
"""Of a tile's side: how far bounds, rounded to a centimetre, may lie from those of the tile."""


class Git10mWriter(Writer):
    """Parquet files with the published columns, and what they leave open: true ground resolution and tile centre.

    | column | what |
    |---|---|
    | `image` | the picture's bytes, a PIL image when loaded |
    | `img_name` | unique file name |
    | `img_quality_score` | 0 to 10, see `pipeline.quality` |
    | `caption`, `caption_length` | the first caption, and its words |
    | `resolution` | nominal metres a pixel, `2 ** (17 - zoom)` for tiles as published; the GSD for other pictures |
    | `Google_location` | `zoom_x_y` of the tile; `0_0_0` for other pictures |
    | `ground_resolution` | true metres a pixel at the centre |
    | `longitude`, `latitude` | of the centre, not of the north-west corner that the card's `XYZToLonLat` gives |
    | `captions` | all captions, the first included |

    Attributes:
        kind: `git10m`.
        samples_per_shard: pictures in a file.
        image: `png`, whose pixels are the source's exactly, or `jpg`.
        quality: of JPEG.
        score: who gives `img_quality_score`.
    """

    wants_elements: ClassVar[bool] = False

    kind: Literal["git10m"]
    samples_per_shard: int = Field(default=4096, ge=1)
    image: Literal["jpg", "png"] = "png"
    quality: int = Field(default=95, ge=1, le=100)
    score: Quality = MeasuredQuality()

    @property
    def suffix(self) -> str:
        """Ending of a shard's file name; its index ends with `.parquet` alone."""
        return ".git10m.parquet"

    def write(self, samples: Iterable[Sample], target: Path) -> list[dict[str, Any]]:
        """Writes one shard; the same samples give the same bytes.

        Pictures are stored neither compressed again nor in a dictionary, so that each lies in one piece in the file.

        Returns:
            An index row for each sample: its patch id, image name, split, tasks, and where its picture lies.
        """
        rows: list[dict[str, Any]] = []
        lengths: list[tuple[bytes, int]] = []
        packed = {name: "zstd" for name in _leaves() if not name.startswith("image.")}
        with pq.ParquetWriter(
            target, _schema(), compression=packed | {"image.bytes": "none", "image.path": "none"},
            use_dictionary=list(packed), write_statistics=list(packed), store_schema=True,
        ) as parquet:  # fmt: skip
            for batch in _batches(samples, 64):
                told = [self._row(sample) for sample in batch]
                parquet.write_table(pa.Table.from_pylist(told, schema=_schema()))
                rows += [_index(sample) for sample in batch]
                lengths += [(row["image"]["bytes"][:64], len(row["image"]["bytes"])) for row in told]
        for row, (offset, size) in zip(rows, _places(target, lengths), strict=True):
            row["offset"], row["bytes"] = offset, size
        return rows

    def _row(self, sample: Sample) -> Row:
        metadata = sample.metadata
        content, pixels = self._encode(sample.shown)
        captions = [annotation["text"] for annotation in sample.annotations]
        name = f"{sample.patch_id}.{self.image}"
        return {
            "image": {"bytes": content, "path": name},
            "img_name": name,
            "img_quality_score": self.score.score(pixels),
            "caption": captions[0],
            "caption_length": len(captions[0].split()),
            "captions": captions,
            **_where(metadata, pixels.shape[1]),
            **{key: metadata.get(key) for key in ("split", "acquired", "licence", "attribution")},
        }

    def _encode(self, picture: Picture) -> tuple[bytes, np.ndarray[Any, np.dtype[np.uint8]]]:
        """A file's bytes, and the pixels that it shows."""
        from PIL import Image

        if isinstance(picture, Encoded):
            image = Image.open(io.BytesIO(picture.content)).convert("RGB")
            if picture.suffix == self.image:
                return picture.content, np.asarray(image)
        else:
            image = Image.fromarray(picture)
        buffer = io.BytesIO()
        if self.image == "png":
            image.save(buffer, "PNG", compress_level=6)
            return buffer.getvalue(), np.asarray(image)
        image.save(buffer, "JPEG", quality=self.quality, subsampling=0)
        return buffer.getvalue(), np.asarray(Image.open(io.BytesIO(buffer.getvalue())))


def tile_of(bounds: Sequence[float]) -> tuple[int, int, int] | None:
    """Zoom, x and y (from north) of the XYZ tile with these bounds; None where there is none.

    Args:
        bounds: west, south, east, north in degrees.
    """
    west, south, east, north = bounds
    if not (east > west and north > south):
        return None
    zoom = round(math.log2(360 / (east - west)))
    if zoom not in ZOOMS:
        return None
    (left, top), (right, bottom) = _in_tiles(west, north, zoom), _in_tiles(east, south, zoom)
    x, y = round(left), round(top)
    off = max(abs(left - x), abs(top - y), abs(right - x - 1), abs(bottom - y - 1))
    return (zoom, x, y) if off < SLACK else None


def tile_centre(zoom: int, x: int, y: int) -> tuple[float, float]:
    """Longitude and latitude of a tile's centre, in degrees: half a tile beyond the corner."""
    side = 2**zoom
    latitude = math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * (y + 0.5) / side))))
    return (x + 0.5) / side * 360 - 180, latitude


def ground_resolution(zoom: int, latitude: float, size: int = TILE) -> float:
    """Metres a pixel on the ground (the sphere of Web Mercator; within 0.7 % of the ellipsoid).

    Args:
        zoom: of the tile.
        latitude: of its centre, in degrees.
        size: pixels of its side.
    """
    return EQUATOR_M * math.cos(math.radians(latitude)) / size / 2.0**zoom


def _where(metadata: Mapping[str, Any], size: int) -> Row:
    if metadata["bounds"] is None:  # a record that nobody could place
        unplaced = dict.fromkeys(("resolution", "ground_resolution", "longitude", "latitude"))
        return {**unplaced, "Google_location": NOWHERE}
    west, south, east, north = metadata["bounds"]
    tile = tile_of((west, south, east, north))
    if tile is None:
        gsd = metadata["gsd"]
        return {
            "resolution": gsd, "Google_location": NOWHERE, "ground_resolution": gsd,
            "longitude": (west + east) / 2, "latitude": (south + north) / 2,
        }  # fmt: skip
    longitude, latitude = tile_centre(*tile)
    return {
        "resolution": 2.0 ** (17 - tile[0]),
        "Google_location": "_".join(map(str, tile)),
        "ground_resolution": round(ground_resolution(tile[0], latitude, size), 6),
        "longitude": round(longitude, 7),
        "latitude": round(latitude, 7),
    }


def _in_tiles(longitude: float, latitude: float, zoom: int) -> tuple[float, float]:
    """Position in sides of a tile from the north-west corner of the map."""
    y = math.asinh(math.tan(math.radians(max(-89.0, min(89.0, latitude))))) / math.pi
    return (longitude + 180) / 360 * 2**zoom, (1 - y) / 2 * 2**zoom


def _schema() -> pa.Schema:
    """With the features that `datasets` looks for, so that pictures are decoded."""
    features: dict[str, Any] = {"image": {"_type": "Image"}}
    for name, of in list(COLUMNS.items())[1:]:
        value = {"dtype": FEATURES[str(of.value_type if name == "captions" else of)], "_type": "Value"}
        features[name] = {"feature": value, "_type": "List"} if name == "captions" else value
    said = json.dumps({"info": {"features": features}}, sort_keys=True)
    return pa.schema(COLUMNS, metadata={"huggingface": said})


def _leaves() -> list[str]:
    """Names of the columns as Parquet stores them."""
    return ["captions.list.element" if name == "captions" else name for name in COLUMNS if name != "image"]


def _batches(samples: Iterable[Sample], size: int) -> Iterator[list[Sample]]:
    source = iter(samples)
    while batch := list(islice(source, size)):
        yield batch


def _index(sample: Sample) -> Row:
    return {
        "patch_id": sample.patch_id,
        "image_name": sample.metadata["image_name"],
        "split": sample.metadata["split"],
        "tasks": [annotation["task"] for annotation in sample.annotations],
    }


def _places(target: Path, pictures: Sequence[tuple[bytes, int]]) -> Iterator[tuple[int, int]]:
    """Offset and size of each picture, by its first bytes behind its length, in the order they were written."""
    if not pictures:
        return
    with target.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as held:
        at = 0
        for head, size in pictures:
            found = held.find(size.to_bytes(4, "little") + head, at)
            if found < 0:
                raise AssertionError(f"{target}: a picture does not lie in one piece")
            at = found + 4 + size
            yield found + 4, size
