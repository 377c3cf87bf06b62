"""Parts: what a unit leaves on disk, as rows of Parquet tables."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache

import pyarrow as pa

from annotation import gaia
from annotation.annotate import Attempt
from annotation.request import TASKS, Message, Request
from pipeline.json_cells import to_json
from pipeline.source import Look, Row

PART_KINDS = ("patches", "elements", "requests", "rejected", "captions")
"""A unit's parts in the order they are written; the last one commits the unit."""

TAGS = pa.map_(pa.string(), pa.string())
SCHEMAS: Mapping[str, pa.Schema] = {
    "patches": pa.schema(
        {"patch_id": pa.int64(), "scene": pa.string(), "window": pa.list_(pa.int32(), 4), "size": pa.int32(),
         "metadata": pa.string(), "status": pa.string(), "task": pa.string()}
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
         "reasons": pa.list_(pa.string()), "final": pa.bool_(), "attempt": pa.int32(), "claims": pa.string(),
         "elements": pa.list_(pa.string())}
    ),
    "captions": pa.schema(
        {"patch_id": pa.int64(), "task": pa.int32(), "text": pa.string(), "annotator": pa.string(),
         "elements": pa.list_(pa.string()), "prompt": pa.string(), "seed": pa.int64(), "checks": pa.string(),
         "claims": pa.string(), "attempts": pa.int32(), "finish_reason": pa.string(), "prompt_tokens": pa.int32(),
         "completion_tokens": pa.int32(), "cached_tokens": pa.int32(), "answer": pa.string()}
    ),
}  # fmt: skip


def parts_of(look: Look, attempts: Mapping[int, Sequence[Attempt]]) -> tuple[dict[str, list[Row]], dict[str, int]]:
    """Rows of each part of a unit, and what became of its patches.

    Args:
        look: the unit.
        attempts: every answer, by patch id; first captions before revisions.
    """
    fates = {
        patch_id: "captioned" if any(not attempt.reasons for attempt in several) else "rejected"
        for patch_id, several in attempts.items()
    }
    answers = [(patch_id, attempt) for patch_id, several in attempts.items() for attempt in several]
    parts = {
        "patches": look.patch_rows(fates),
        "elements": look.element_rows({patch_id for patch_id, fate in fates.items() if fate == "captioned"}),
        "requests": [_request_row(patch_id, attempt.request) for patch_id, attempt in answers],
        "rejected": [_rejected_row(patch_id, attempt) for patch_id, attempt in answers if attempt.reasons],
        "captions": [
            row for patch_id, attempt in answers if not attempt.reasons for row in _caption_rows(patch_id, attempt)
        ],
    }
    counts = Counter({"captioned": 0, **look.counts})
    counts.update(row["status"] for row in parts["patches"])
    counts["captions"], counts["refused"] = len(parts["captions"]), len(parts["rejected"])
    counts["failed"] = sum(attempt.failed for _, attempt in answers)
    counts.update(f"captions.{attempt.request.task}" for _, attempt in answers if not attempt.reasons)
    return parts, dict(sorted(counts.items()))


def _request_row(patch_id: int, request: Request) -> Row:
    *prefix, last = request.messages
    return {
        "patch_id": patch_id, "key": request.key, "task": request.task, "prompt": request.prompt, "seed": request.seed,
        "prefix": _prefix_json(tuple(map(_turn, prefix))), "content": last["content"],
    }  # fmt: skip


def _turn(message: Message) -> tuple[str, str]:
    return message["role"], message["content"]


@lru_cache(maxsize=64)
def _prefix_json(turns: tuple[tuple[str, str], ...]) -> str:
    """All requests of a template begin alike."""
    return to_json([{"role": role, "content": content} for role, content in turns])


def _rejected_row(patch_id: int, attempt: Attempt) -> Row:
    return {
        "patch_id": patch_id, "key": attempt.request.key, "task": TASKS[attempt.request.task],
        "text": attempt.completion.text, "annotator": attempt.completion.annotator,
        "reasons": list(attempt.reasons), "final": attempt.final, "attempt": attempt.number,
        "claims": to_json(attempt.claims), "elements": [element.id for element in attempt.request.elements],
    }  # fmt: skip


def _caption_rows(patch_id: int, attempt: Attempt) -> list[Row]:
    """One for each caption of an answer; a structured answer's tokens are counted with its first caption."""
    row = _caption_row(patch_id, attempt)
    if attempt.request.task != gaia.TASK:
        return [row]
    answer = gaia.Answer.of(attempt.text)
    first = row | {"answer": to_json(answer.metadata)}
    later = first | dict.fromkeys(("prompt_tokens", "completion_tokens", "cached_tokens"), 0)
    return [(later if number else first) | {"text": caption} for number, caption in enumerate(answer.captions)]


def _caption_row(patch_id: int, attempt: Attempt) -> Row:
    request, completion = attempt.request, attempt.completion
    return {
        "patch_id": patch_id, "task": TASKS[request.task], "text": attempt.text, "annotator": completion.annotator,
        "elements": [element.id for element in request.elements], "prompt": request.prompt, "seed": request.seed,
        "checks": to_json(_tally(attempt)), "claims": to_json(attempt.claims), "attempts": attempt.number + 1,
        "finish_reason": completion.finish_reason,
        "prompt_tokens": completion.prompt_tokens, "completion_tokens": completion.completion_tokens,
        "cached_tokens": completion.cached_tokens, "answer": None,
    }  # fmt: skip


def _tally(attempt: Attempt) -> dict[str, int]:
    """Claims by verdict; a hedge is no claim that could be borne out, and counts for itself."""
    counts = Counter("hedges" if claim.kind == "hedge" else claim.verdict for claim in attempt.claims)
    verdicts = {verdict: counts[verdict] for verdict in ("supported", "contradicted", "unsupported")}
    return {"claims": sum(verdicts.values()), **verdicts, "hedges": counts["hedges"]}
