"""Gallery entries: all that was known, asked and said of one patch, small enough for thousands in a page."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow.compute as pc
import shapely

from annotation.request import TASKS
from pipeline.json_cells import from_json
from pipeline.report.look import Finished
from pipeline.report.outlines import svg_path
from pipeline.source import Row
from pipeline.store import RunFolder

LONGEST = 400
"""Characters of a tag or a fact that are shown; a name may have ten thousand."""
TASK_NAMES = {number: name.replace("_", "-") for name, number in TASKS.items()}
SHOWN_METADATA = (
    "image_name",
    "acquired",
    "year",
    "gsd",
    "split",
    "source",
    "place",
    "bounds",
    "attribution",
    "licence",
)

Entry = dict[str, Any]


def entries(run: Finished, chosen: Sequence[int], prefixes: dict[str, int]) -> Iterator[Entry]:
    """Entries of some patches.

    Args:
        run: the run.
        chosen: places in `run.patches`, ascending.
        prefixes: is filled: beginnings of prompts, which many share, with their number.
    """
    units: dict[str, list[int]] = {}
    for place in chosen:
        units.setdefault(run.patches.units[place], []).append(place)
    for unit, places in units.items():
        ids = [int(run.patches.ids[place]) for place in places]
        parts = {kind: _of(run.folder, kind, unit, ids) for kind in ("elements", "requests", "rejected", "captions")}
        for place, patch_id in zip(places, ids, strict=True):
            metadata = run.patches.metadata[place]
            yield {
                "id": patch_id,
                "status": str(run.patches.status[place]),
                "metadata": {key: short(metadata[key]) for key in SHOWN_METADATA if metadata.get(key)},
                "elements": [_element(row) for row in parts["elements"][patch_id] if row["told"]],
                "captions": [_caption(row) for row in parts["captions"][patch_id]],
                "rejected": [_rejected(row) for row in parts["rejected"][patch_id]],
                "prompts": [_prompt(row, prefixes) for row in parts["requests"][patch_id]],
            }


def classes(entry: Entry) -> list[str]:
    """What a person would call the things that a patch's captions are about."""
    return [str(element["facts"].get("noun") or element["kind"]) for element in entry["elements"]]


def labels(entry: Entry) -> list[str]:
    """Why captions of a patch were rejected, without details."""
    return [label(reason) for attempt in entry["rejected"] for reason in attempt["reasons"]]


def label(reason: str) -> str:
    """The part of a reason that many share."""
    return reason.partition(":")[0].strip()


def short(value: Any) -> Any:
    """The same, with long texts cut and their length told."""
    if isinstance(value, str) and len(value) > LONGEST:
        return f"{value[:LONGEST]}… ({len(value):,} characters)"
    if isinstance(value, Mapping):
        return {short(key): short(item) for key, item in value.items()}
    return [short(item) for item in value] if isinstance(value, list | tuple) else value


def _of(folder: RunFolder, kind: str, unit: str, ids: Sequence[int]) -> Mapping[int, list[Row]]:
    grouped: defaultdict[int, list[Row]] = defaultdict(list)
    for row in folder.read(kind, unit).filter(pc.field("patch_id").isin(ids)).to_pylist():
        grouped[row["patch_id"]].append(row)
    return grouped


def _element(row: Row) -> Entry:
    return {
        "id": row["id"], "kind": row["kind"], "tags": short(dict(row["tags"])),
        "facts": short(from_json(row["facts"])), "outline": svg_path(shapely.from_wkb(row["outline"])),
    }  # fmt: skip


def _caption(row: Row) -> Entry:
    return {
        **_said(row), "elements": row["elements"], "prompt": row["prompt"], "seed": row["seed"],
        "attempts": row["attempts"],
    }  # fmt: skip


def _rejected(row: Row) -> Entry:
    return {**_said(row), "text": short(row["text"]), "reasons": short(row["reasons"]), "final": row["final"],
            "attempt": (row.get("attempt") or 0) + 1}  # fmt: skip


def _said(row: Row) -> Entry:
    claims = from_json(row.get("claims") or "[]")
    return {
        "task": TASK_NAMES.get(row["task"], str(row["task"])), "text": row["text"], "annotator": row["annotator"],
        "claims": [[*claim["span"], *(claim.get(key) for key in ("kind", "verdict", "element", "fact"))]
                   for claim in claims],
    }  # fmt: skip


def _prompt(row: Row, prefixes: dict[str, int]) -> Entry:
    prefix = prefixes.setdefault(row["prefix"] or "[]", len(prefixes))
    return {
        "key": row["key"],
        "prompt": row["prompt"],
        "seed": row["seed"],
        "prefix": prefix,
        "content": row["content"],
    }
