"""Parts: what a unit leaves on disk, as rows of Parquet tables."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from annotation.annotate import Attempt
from annotation.request import TASKS, Request
from pipeline.config import Config
from pipeline.grid import Block, Patches
from pipeline.samples import patch_gsd
from pipeline.scribe import Brief, Scribe

Row = dict[str, Any]

PART_KINDS = ("patches", "elements", "requests", "rejected", "captions")
"""A unit's parts in the order they are written; the last one commits the unit."""

TAGS = pa.map_(pa.string(), pa.string())
SCHEMAS: Mapping[str, pa.Schema] = {
    "patches": pa.schema(
        {"patch_id": pa.int64(), "scene": pa.string(), "window": pa.list_(pa.int32(), 4), "size": pa.int32(),
         "metadata": pa.string(), "status": pa.string()}
    ),
    "elements": pa.schema(
        {"patch_id": pa.int64(), "id": pa.string(), "kind": pa.string(), "tags": TAGS, "facts": pa.string(),
         "told": pa.bool_(), "outline": pa.binary()}
    ),
    "requests": pa.schema(
        {"patch_id": pa.int64(), "key": pa.string(), "task": pa.string(), "prompt": pa.string(), "seed": pa.int64(),
         "prefix": pa.dictionary(pa.int32(), pa.string()), "content": pa.string()}
    ),
    "rejected": pa.schema(
        {"patch_id": pa.int64(), "key": pa.string(), "task": pa.int32(), "text": pa.string(), "annotator": pa.string(),
         "reasons": pa.list_(pa.string()), "final": pa.bool_()}
    ),
    "captions": pa.schema(
        {"patch_id": pa.int64(), "task": pa.int32(), "text": pa.string(), "annotator": pa.string(),
         "elements": pa.list_(pa.string()), "prompt": pa.string(), "seed": pa.int64(), "checks": pa.string(),
         "attempts": pa.int32(), "finish_reason": pa.string(), "prompt_tokens": pa.int32(),
         "completion_tokens": pa.int32(), "cached_tokens": pa.int32()}
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """What a unit's engines made of its briefs.

    Attributes:
        patches: the unit's patches.
        places: administrative names of each.
        complete: which of them hold no nodata.
        scribe: knows the unit's elements; None without patches.
        briefs: what was to be told, of complete patches.
        attempts: every answer, by patch index; first captions before revisions.
    """

    patches: Patches
    places: Sequence[Sequence[str]]
    complete: NDArray[np.bool_]
    scribe: Scribe | None
    briefs: Sequence[Brief]
    attempts: dict[int, list[Attempt]]


def parts_of(config: Config, block: Block, told: Told) -> tuple[dict[str, list[Row]], dict[str, int]]:
    """Rows of each part, and what became of the patches."""
    captioned = {
        brief.patch: brief
        for brief in told.briefs
        if any(not attempt.reasons for attempt in told.attempts[brief.patch])
    }
    tried = {brief.patch for brief in told.briefs}
    statuses = [
        "captioned" if index in captioned else "rejected" if index in tried else "nothing" if whole else "nodata"
        for index, whole in enumerate(told.complete.tolist())
    ]
    attempts = [
        (int(told.patches.ids[index]), attempt) for index, several in told.attempts.items() for attempt in several
    ]
    parts = {
        "patches": [_patch_row(config, block, told, index, status) for index, status in enumerate(statuses)],
        "elements": _element_rows(told, list(captioned.values())),
        "requests": [_request_row(patch_id, attempt.request) for patch_id, attempt in attempts],
        "rejected": [_rejected_row(patch_id, attempt) for patch_id, attempt in attempts if attempt.reasons],
        "captions": [_caption_row(patch_id, attempt) for patch_id, attempt in attempts if not attempt.reasons],
    }
    counts = Counter({"laid": block.laid, "kept": len(told.patches), "captioned": 0, **Counter(statuses)})
    counts["newer"] = told.scribe.elements.newer if told.scribe else 0
    counts["captions"], counts["refused"] = len(parts["captions"]), len(parts["rejected"])
    counts["failed"] = sum(attempt.failed for _, attempt in attempts)
    counts.update(f"captions.{attempt.request.task}" for _, attempt in attempts if not attempt.reasons)
    return parts, dict(sorted(counts.items()))


def _patch_row(config: Config, block: Block, told: Told, index: int, status: str) -> Row:
    patches = told.patches
    scene, window, size = block.scene, patches.windows[index], block.grid.size
    a, b, _, d, e, _ = scene.transform
    left, _, _, top = patches.boxes[index].tolist()
    west, south, east, north = patches.bounds[index].tolist()
    metadata = {
        "patch_id": int(patches.ids[index]),
        "image_name": scene.id,
        "bounds": [round(value, 7) for value in (west, south, east, north)],
        "crs": scene.crs,
        "transform": [a * window.width / size, b, left, d, e * window.height / size, top],
        "gsd": round(patch_gsd(block), 4),
        "acquired": scene.acquired.isoformat() if scene.acquired else None,
        "source": scene.source,
        "place": list(told.places[index]),
        "licence": _both(scene.licence, config.samples.osm.licence),
        "attribution": _both(scene.attribution, config.samples.osm.attribution),
        "split": config.split.of((west + east) / 2, (south + north) / 2, config.seed),
    }
    return {
        "patch_id": metadata["patch_id"], "scene": scene.id, "window": list(window), "size": size,
        "metadata": json.dumps(metadata, ensure_ascii=False), "status": status,
    }  # fmt: skip


def _both(imagery: str, map_: str) -> str:
    """One line from what the imagery and the map say."""
    return "; ".join(f"{of}: {said}" for of, said in (("imagery", imagery), ("map", map_)) if said)


def _element_rows(told: Told, captioned: Sequence[Brief]) -> list[Row]:
    """What captioned patches' captions are about, and what else is known of them."""
    if told.scribe is None:
        return []
    known = iter(told.scribe.facts([subject for brief in captioned for subject in brief.others]))
    return [
        {"patch_id": int(told.patches.ids[brief.patch]), "id": element.id, "kind": element.kind,
         "tags": list(element.tags.items()), "facts": json.dumps(element.facts, ensure_ascii=False, sort_keys=True),
         "told": subject in brief.plan.told, "outline": shapely.to_wkb(told.scribe.outline(subject))}
        for brief in captioned
        for subject, element in zip(
            (*brief.plan.told, *brief.others), (*brief.told, *(next(known) for _ in brief.others)), strict=True
        )
    ]  # fmt: skip


def _request_row(patch_id: int, request: Request) -> Row:
    *prefix, last = request.messages
    return {
        "patch_id": patch_id, "key": request.key, "task": request.task, "prompt": request.prompt, "seed": request.seed,
        "prefix": json.dumps(prefix, ensure_ascii=False), "content": last["content"],
    }  # fmt: skip


def _rejected_row(patch_id: int, attempt: Attempt) -> Row:
    return {
        "patch_id": patch_id, "key": attempt.request.key, "task": TASKS[attempt.request.task],
        "text": attempt.completion.text, "annotator": attempt.completion.annotator,
        "reasons": list(attempt.reasons), "final": attempt.final,
    }  # fmt: skip


def _caption_row(patch_id: int, attempt: Attempt) -> Row:
    request, completion = attempt.request, attempt.completion
    return {
        "patch_id": patch_id, "task": TASKS[request.task], "text": attempt.text, "annotator": completion.annotator,
        "elements": [element.id for element in request.elements], "prompt": request.prompt, "seed": request.seed,
        "checks": json.dumps({}), "attempts": attempt.number + 1, "finish_reason": completion.finish_reason,
        "prompt_tokens": completion.prompt_tokens, "completion_tokens": completion.completion_tokens,
        "cached_tokens": completion.cached_tokens,
    }  # fmt: skip
