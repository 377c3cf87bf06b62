"""The contact sheet: pictures with the outlines and captions of their elements."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely
from jinja2 import Environment, PackageLoader

from pipeline.atomic import read_json, replacing, write_text
from pipeline.errors import PipelineError
from pipeline.store import RunFolder

SHOWN = 120
"""Patches on the sheet, spread evenly over the run."""

TASK_NAMES = {1: "area", 2: "non-area", 3: "revision", 4: "scene"}


def write_sheet(folder: RunFolder) -> Path:
    """Writes report/index.html and the pictures beside it.

    Raises:
        PipelineError: the folder holds no finished shard.
    """
    info = folder.info()
    listed = folder.shards / "dataset.json"
    if info is None or not listed.exists():
        raise PipelineError(
            f"{folder.path} holds no finished shards to show. Finish the run first: `mapteller status {folder.path}`."
        )
    environment = Environment(
        loader=PackageLoader("pipeline.report"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    cards = list(_cards(folder, [line["file"] for line in read_json(listed)["shards"]]))
    page = folder.path / "report" / "index.html"
    write_text(
        page,
        environment.get_template("sheet.html.j2").render(
            info=info, origin=info.get("origin") or info["config"]["samples"], cards=cards, task_names=TASK_NAMES
        ),
    )
    return page


def _cards(folder: RunFolder, shards: list[str]) -> Iterator[dict[str, Any]]:
    places = [
        (folder.shards / name, row)
        for name in shards
        for row in pq.read_table((folder.shards / name).with_suffix(".parquet")).to_pylist()
    ]
    chosen: Iterable[int] = (
        np.unique(np.linspace(0, len(places) - 1, min(SHOWN, len(places))).astype(int)) if places else []
    )
    wanted = [places[index] for index in chosen]
    outlines = _outlines(folder, {row["patch_id"] for _, row in wanted})
    for shard, row in wanted:
        sample = _sample(shard, row)
        picture = folder.path / "report" / "pictures" / f"{row['patch_id']}{sample['suffix']}"
        with replacing(picture) as beside:
            beside.write_bytes(sample["picture"])
        told = {element for annotation in sample["json"]["annotations"] for element in annotation["elements"]}
        yield {
            **sample["json"],
            "picture": f"pictures/{picture.name}",
            "outlines": [(path, element in told) for element, path in outlines.get(row["patch_id"], [])],
        }


def _sample(shard: Path, row: dict[str, Any]) -> dict[str, Any]:
    """A sample's picture and JSON out of its shard."""
    import tarfile

    found: dict[str, Any] = {}
    with shard.open("rb") as stream:
        start = row["offset"] - tarfile.BLOCKSIZE
        stream.seek(start)
        picture = stream.read(tarfile.BLOCKSIZE + row["bytes"])
        header = tarfile.TarInfo.frombuf(picture[: tarfile.BLOCKSIZE], "utf-8", "strict")
        found["suffix"], found["picture"] = Path(header.name).suffix, picture[tarfile.BLOCKSIZE :]
    with tarfile.open(shard) as tar:
        text = tar.extractfile(f"{row['patch_id']}.json")
        found["json"] = json.loads(text.read()) if text else {}
    return found


def _outlines(folder: RunFolder, patches: set[int]) -> dict[int, list[tuple[str, str]]]:
    found: dict[int, list[tuple[str, str]]] = {}
    for part in sorted((folder.path / "elements").glob("*.parquet")):
        table = pq.read_table(
            part, columns=["patch_id", "id", "outline"], filters=pc.field("patch_id").isin(sorted(patches))
        )
        for row in table.to_pylist():
            found.setdefault(row["patch_id"], []).append((row["id"], svg_path(shapely.from_wkb(row["outline"]))))
    return found


def svg_path(geometry: Any) -> str:
    """An outline in the unit frame as an SVG path in a box of 1000 x 1000, y down."""
    pieces = []
    for part in shapely.get_parts(shapely.get_parts(np.atleast_1d(geometry))):
        rings = [part.exterior, *part.interiors] if part.geom_type == "Polygon" else [part]
        for ring in rings:
            points = np.rint(shapely.get_coordinates(ring) * [1000, -1000] + [0, 1000]).astype(int).tolist()
            if part.geom_type == "Point":
                x, y = points[0]
                points = [[x - 6, y], [x, y - 6], [x + 6, y], [x, y + 6], [x - 6, y]]
            pieces.append("M" + "L".join(f"{x} {y}" for x, y in points))
    return "".join(pieces)
