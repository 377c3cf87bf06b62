"""A synthetic run of any size, written as runs are written, with names that a test chooses."""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import shapely
from PIL import Image

from pipeline.config import Config
from pipeline.shards import Piece, ShardPlan, list_shards, make_shard
from pipeline.source import Encoded, Row
from pipeline.store import Commit, RunFolder

PER_UNIT = 500
NOUNS = ("lake", "tertiary road", "wood", "sports pitch", "residential area", "warehouse", "river")
REASONS = ("length: 3 words", "claim: no lake is on the sheet", "markup: a code fence")


class Pixels:
    """Tiny pictures, in a colour for each patch."""

    def fetch(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """They are made when they are read."""

    def read(self, row: Mapping[str, Any]) -> Encoded:
        buffer = io.BytesIO()
        Image.new("RGB", (16, 16), (row["patch_id"] % 200, 120, 80)).save(buffer, "PNG")
        return Encoded(buffer.getvalue(), "png")


def make_run(
    path: Path, patches: int, names: tuple[str, ...] = ("Mill Lane", "Älvsjö"), run: str = "synthetic"
) -> Path:
    """A finished run folder of so many patches, one in 25 rejected, written as a run writes it."""
    config = Config.model_validate(
        {
            "name": run,
            "seed": 5,
            "samples": {
                "kind": "grid",
                "imagery": {"kind": "local", "path": "*.tif", "source": "test imagery", "licence": "CC0-1.0"},
                "osm": {"kind": "extract", "path": "map.osm.pbf"},
                "patch": {"size": 224, "gsd": 0.6},
            },
            "output": {"kind": "webdataset", "image": "png"},
        }
    )
    folder, lines = RunFolder(path), []
    for number, start in enumerate(range(0, patches, PER_UNIT)):
        ids = range(start, min(patches, start + PER_UNIT))
        parts = _parts(ids, names)
        captioned = sum(row["status"] == "captioned" for row in parts["patches"])
        unit = f"scene-{number:03d}"
        folder.commit(unit, parts, Commit("f", str(number), {"captioned": captioned}))
        plan = ShardPlan(number, (Piece(unit, str(number), 0, captioned),))
        lines.append(make_shard(plan, folder, Pixels(), config.output))
    list_shards(folder, run, lines)
    folder.write_info(
        {
            "name": run, "state": "complete", "started": "2024-05-01T00:00:00Z", "fingerprint": "abc", "scenes": 1,
            "config": config.model_dump(mode="json"), "versions": {"mapteller": "0.1.0"},
            "counts": {"kept": patches, "captioned": sum(line["samples"] for line in lines), "captions.area": 7},
        }
    )  # fmt: skip
    return path


def _parts(ids: range, names: tuple[str, ...]) -> dict[str, list[Row]]:
    parts: dict[str, list[Row]] = {kind: [] for kind in ("patches", "elements", "requests", "rejected", "captions")}
    for patch_id in ids:
        rejected = patch_id % 25 == 24
        for kind, rows in _patch(patch_id, names[patch_id % len(names)], rejected=rejected).items():
            parts[kind] += rows
    return parts


def _patch(patch_id: int, name: str, *, rejected: bool) -> dict[str, list[Row]]:
    noun, element = NOUNS[patch_id % len(NOUNS)], f"way/{patch_id}"
    west, south = 9.4 + patch_id % 80 * 0.002, 47.0 + patch_id // 80 * 0.0015
    metadata = {
        "patch_id": patch_id, "image_name": "scene", "bounds": [west, south, west + 0.002, south + 0.0015], "gsd": 0.6,
        "acquired": "2021-06-01", "split": "train", "source": "test imagery", "place": ["Tell"],
    }  # fmt: skip
    text = f"A {noun} named {name} 😀 covers about 41 % of the picture and lies in the north."
    claims = [
        _claim(text, noun, "class", "supported", element, "noun"),
        _claim(text, name, "name", "supported", element, "name"),
        _claim(text, "41 %", "share", "contradicted" if patch_id % 10 == 0 else "supported", element, "share"),
        _claim(text, "in the north", "position", "unsupported", element, None),
    ]
    angles = range(40)
    outline = shapely.Polygon(
        [(0.5 + 0.3 * (1 - k % 2 / 5) * (k - 20) / 20, 0.5 + 0.4 * abs(k - 20) / 20) for k in angles]
    )
    caption: Row = {
        "patch_id": patch_id, "task": 1, "text": text, "annotator": f"engine {patch_id % 3}", "elements": [element],
        "prompt": "area@abc", "seed": patch_id, "checks": "{}", "attempts": 1, "claims": json.dumps(claims),
        "finish_reason": "stop", "prompt_tokens": 200, "completion_tokens": 40, "cached_tokens": 0,
    }  # fmt: skip
    facts = {"noun": noun, "name": name, "share": 0.4132, "position": ["top", "center"], "edges": ["north"]}
    request = {
        "patch_id": patch_id, "key": f"{patch_id}/area/0", "task": "area", "prompt": "area@abc", "seed": patch_id,
        "prefix": json.dumps([{"role": "system", "content": "Rules. " * 300}]), "content": f'named "{name}"\n' * 5,
    }  # fmt: skip
    refusal = {key: caption[key] for key in ("patch_id", "task", "text", "annotator", "elements", "claims")} | {
        "key": request["key"], "reasons": [f"{REASONS[patch_id % 3]} {name}"], "final": rejected, "attempt": 0,
    }  # fmt: skip
    told = {"patch_id": patch_id, "id": element, "kind": "area", "tags": [("name", name), ("natural", "water")],
            "facts": json.dumps(facts), "told": True, "outline": shapely.to_wkb(outline)}  # fmt: skip
    return {
        "patches": [{"patch_id": patch_id, "scene": "scene", "window": [0, 0, 224, 224], "size": 224, "task": "area",
                     "metadata": json.dumps(metadata), "status": "rejected" if rejected else "captioned"}],
        "elements": [] if rejected else [told],
        "requests": [request],
        "rejected": [refusal] if rejected or patch_id % 4 == 0 else [],
        "captions": [] if rejected else [caption, {**caption, "task": 3, "seed": patch_id + 1}],
    }  # fmt: skip


def _claim(text: str, part: str, kind: str, verdict: str, element: str, fact: str | None) -> dict[str, Any]:
    start = text.index(part)
    return {"kind": kind, "text": part, "span": [start, start + len(part)], "verdict": verdict, "element": element,
            "fact": fact}  # fmt: skip
