"""Metrics of a run: what its parts say of the captions, the annotators, the map and the splits."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.atomic import write_json
from pipeline.errors import PipelineError
from pipeline.measuring.blind import blind_floor
from pipeline.measuring.claims import claim_figures
from pipeline.measuring.coverage import coverage
from pipeline.measuring.splits import splits
from pipeline.measuring.told import Telling, read_telling, rows, together
from pipeline.measuring.variety import diversity, repeats
from pipeline.store import RunFolder

ENOUGH = 50
"""Captions from which on a text may be said to cover too much of a run."""
SHOWN = 120
"""Letters of a text in a message."""


def metrics(folder: RunFolder) -> dict[str, Any]:
    """Measures a run from its committed parts, one part in memory at a time beside the texts.

    Of large runs some figures are of samples: words of 20,000 texts, near-duplicates of 100,000, the blind floor of
    500; each says of how many. The same parts give the same figures.

    Raises:
        PipelineError: the folder holds no run.
        AnnotationError: the CSV that was laid over the tag table cannot be read any more.
    """
    info = folder.info()
    if info is None:
        raise PipelineError(f"{folder.path} holds no run to measure: there is no run.json.")
    overlay = Path(info["config"]["tags"]) if info["config"].get("tags") else None
    told = read_telling(folder)
    whole = together(list(told.values()))
    texts = [caption.text for caption in whole.captions]
    return {
        "captions": _captions(whole),
        "annotators": {name: _annotator(telling) for name, telling in told.items() if name},
        "rejections": dict(sorted(whole.reasons.items())),
        **claim_figures(whole),
        "diversity": diversity(texts),
        "repeats": repeats(texts),
        "coverage": coverage(folder, overlay),
        "blind_floor": blind_floor(folder, overlay),
        "splits": splits(folder, overlay),
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


def _captions(whole: Telling) -> dict[str, Any]:
    """Accepted captions; `asked_again` of them came after a refusal, `given_up` requests ended with one."""
    return {
        "total": len(whole.captions),
        "patches": len({caption.patch_id for caption in whole.captions}),
        "by_task": _by_task(whole),
        "asked_again": whole.repeats,
        "refused": len(whole.refused),
        "given_up": whole.given_up,
    }


def _by_task(telling: Telling) -> dict[str, int]:
    return dict(sorted(Counter(caption.task for caption in telling.captions).items()))


def _annotator(telling: Telling) -> dict[str, Any]:
    """Figures of one annotator; `rejected` are its refused answers, `given_up` the last ones of a request."""
    return {
        "captions": len(telling.captions),
        "by_task": _by_task(telling),
        "rejected": len(telling.refused),
        "given_up": telling.given_up,
        "rejections": dict(sorted(telling.reasons.items())),
        **claim_figures(telling),
        "diversity": diversity([caption.text for caption in telling.captions]),
    }


def _tokens(folder: RunFolder, info: Mapping[str, Any]) -> dict[str, Any]:
    """Tokens of accepted captions, from the parts; tokens, rates and cost of engines since the last start."""
    columns = ("prompt_tokens", "completion_tokens", "cached_tokens")
    sums = Counter(dict.fromkeys(columns, 0))
    for row in rows(folder, "captions", columns):
        sums.update({name: row[name] or 0 for name in columns})
    return {"captions": dict(sums), "run": info.get("engines") or {}, "seconds": info.get("seconds")}
