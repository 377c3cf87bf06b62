"""How many claims are borne out by facts: before and after asking again, with intervals."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from annotation.checks.interval import RESAMPLES, bootstrap_ratio
from pipeline.measuring.told import Telling, Text, Verdicts

SEED = 11
MOST_DRAWS = 20_000_000
"""Draws of one bootstrap; runs of more than 2,000 patches are resampled less often, but never below `LEAST`."""
LEAST = 1_000


def claim_figures(telling: Telling) -> dict[str, Any]:
    """Claims of first answers (`before`) and of accepted captions (`after`), and the rates that follow.

    The hallucination rate is the share of claims that a fact contradicts or none supports; hedges are no claims. That
    of first answers tells of the annotator, that of accepted ones of the dataset. Patches are drawn for its interval,
    since claims of one patch are not independent.
    """
    return {
        "claims": {"before": _verdicts(telling.before), "after": _verdicts(telling.captions)},
        "hallucination_rate": hallucination_rate(telling.before),
        "hallucination_rate_after": hallucination_rate(telling.captions),
        "wrong_claims": {"before": _spread(telling.before), "after": _spread(telling.captions)},
        "speculation": {"before": _speculation(telling.before), "after": _speculation(telling.captions)},
    }


def hallucination_rate(texts: Sequence[Text]) -> dict[str, float] | None:
    """Value and 95 % interval; None where no claims were read."""
    patches: defaultdict[int, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for text in texts:
        if text.verdicts:
            wrong, claims = patches[text.patch_id]
            patches[text.patch_id] = wrong + text.verdicts.wrong, claims + text.verdicts.claims
    ordered = [patches[patch_id] for patch_id in sorted(patches)]
    if not sum(claims for _, claims in ordered):
        return None
    resamples = min(RESAMPLES, max(LEAST, MOST_DRAWS // len(ordered)))
    parts, wholes = zip(*ordered, strict=True)
    return {
        key: round(value, 6)
        for key, value in asdict(bootstrap_ratio(parts, wholes, seed=SEED, resamples=resamples)).items()
    }


def _verdicts(texts: Sequence[Text]) -> dict[str, int]:
    """Sums over the texts whose claims were read, and how many these are."""
    read = [text.verdicts for text in texts if text.verdicts is not None]
    sums = Verdicts(*map(sum, zip(*read, strict=True))) if read else Verdicts()
    return {"texts": len(texts), "read": len(read), "claims": sums.claims, **sums._asdict()}


def _spread(texts: Sequence[Text]) -> dict[str, float] | None:
    """Share of texts with so many claims that no fact bears out."""
    wrong = [min(text.verdicts.wrong, 3) for text in texts if text.verdicts is not None]
    counts = Counter(wrong)
    names = {0: "0", 1: "1", 2: "2", 3: "3+"}
    return {name: round(counts[number] / len(wrong), 6) for number, name in names.items()} if wrong else None


def _speculation(texts: Sequence[Text]) -> float | None:
    """Share of texts with a hedge."""
    hedged = [text.verdicts.hedges > 0 for text in texts if text.verdicts is not None]
    return round(sum(hedged) / len(hedged), 6) if hedged else None
