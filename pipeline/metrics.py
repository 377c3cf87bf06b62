"""Metrics of a run: what its parts say of the captions, the annotators, the map and the splits."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from pipeline.atomic import write_json
from pipeline.errors import PipelineError
from pipeline.measuring.blind import blind_floor
from pipeline.measuring.claims import claim_figures
from pipeline.measuring.coverage import coverage
from pipeline.measuring.splits import splits
from pipeline.measuring.tally import tally
from pipeline.measuring.texts import Captions
from pipeline.measuring.told import part, units
from pipeline.measuring.variety import Near, diversity, repeats
from pipeline.store import RunFolder

ENOUGH = 50
"""Captions from which on a text may be said to cover too much of a run."""
SHOWN = 120
"""Letters of a text in a message."""


def metrics(folder: RunFolder) -> dict[str, Any]:
    """Measures a run from its committed parts, one part in memory at a time beside a few dozen bytes of each caption.

    Counts are of all captions. Of large runs some figures are of seeded samples: words of 20,000 texts of each
    annotator and of all, near-duplicates of 100,000, the blind floor of 500; each says of how many. Intervals are
    drawn patch by patch up to 20,000, of more by kinds of patches. The same parts give the same figures.

    Raises:
        PipelineError: the folder holds no run.
        AnnotationError: the CSV that was laid over the tag table cannot be read any more.
    """
    info = folder.info()
    if info is None:
        raise PipelineError(f"{folder.path} holds no run to measure: there is no run.json.")
    overlay = Path(info["config"]["tags"]) if info["config"].get("tags") else None
    whole, each = tally(folder)
    captions = Captions.of(folder)
    varied = {name: diversity(captions, captions.of_annotator(name)) for name in each if name}
    near = Near.among(captions, captions.by_annotator())
    return {
        "captions": whole.as_captions(),
        "annotators": {name: {**each[name].as_annotator(), "diversity": varied[name]} for name in varied},
        "rejections": dict(sorted(whole.reasons.items())),
        **claim_figures(whole.before, whole.after),
        "diversity": _diversity(captions, varied),
        "repeats": repeats(captions, near.repeats),
        "coverage": coverage(folder, overlay),
        "blind_floor": blind_floor(folder, overlay),
        "splits": splits(captions, near, overlay),
        "tokens": _tokens(folder, info),
    }


def write_metrics(folder: RunFolder) -> dict[str, Any]:
    """Measures a run and writes metrics.json.

    Raises:
        PipelineError: the folder holds no run.
        AnnotationError: the CSV that was laid over the tag table cannot be read any more.
    """
    measured = metrics(folder)
    write_json(folder.path / "metrics.json", measured)
    return measured


def check_repeats(measured: Mapping[str, Any], max_repeat: float) -> None:
    """Refuses a run in which one text stands for many pictures; of fewer than 50 captions nothing is said.

    Args:
        measured: from `metrics`.
        max_repeat: largest share of the captions that one text may have.

    Raises:
        PipelineError: one has more.
    """
    exact, commonest = measured["repeats"]["exact"], measured["repeats"]["commonest"]
    if exact["texts"] < ENOUGH or not commonest or commonest[0]["share"] <= max_repeat:
        return
    text, count, share = (commonest[0][key] for key in ("text", "count", "share"))
    shown = text if len(text) <= SHOWN else f"{text[:SHOWN].rstrip()} …"
    raise PipelineError(
        f"One text covers {share:.1%} of the captions ({count:,} of {exact['texts']:,}), more than the "
        f"{max_repeat:.1%} of captions.checks.max_repeat: {shown!r}. Look at the engine and its sampling "
        "(temperature above 0, another model, prompts that tell pictures apart), then --resume never; or raise "
        "captions.checks.max_repeat if so much repetition is meant. metrics.json lists the commonest texts."
    )


def _diversity(captions: Captions, varied: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Of all annotators; where there is but one, what is known of it."""
    alone = captions.names[0] if len(captions.names) == 1 else ""
    return varied[alone] if alone in varied else diversity(captions, captions.by_annotator())


def _tokens(folder: RunFolder, info: Mapping[str, Any]) -> dict[str, Any]:
    """Tokens of accepted captions, from the parts; tokens, rates and cost of engines since the last start."""
    sums = dict.fromkeys(("prompt_tokens", "completion_tokens", "cached_tokens"), 0)
    for unit in units(folder):
        table = part(folder, unit, "captions", tuple(sums))
        sums = {name: tokens + (pc.sum(table[name]).as_py() or 0) for name, tokens in sums.items()}
    return {"captions": sums, "run": info.get("engines") or {}, "seconds": info.get("seconds")}
