"""How many claims are borne out by facts: before and after asking again, with intervals."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from annotation.checks.interval import CONFIDENCE, RESAMPLES, Interval, bootstrap_ratio, wilson
from pipeline.measuring.told import Text, Verdicts

SEED = 11
MOST_DRAWS = 20_000_000
"""Draws of one bootstrap; runs of more than 2,000 patches are resampled less often, but never below `LEAST`."""
LEAST = 1_000
SINGLY = MOST_DRAWS // LEAST
"""Patches that are drawn one by one; of more it is drawn how many are of each kind, which is as exact and short."""


@dataclass(slots=True)
class Claims:
    """Claims of many texts, counted: texts with as many claims of each verdict are one line, and so are patches.

    Attributes:
        texts: how many.
        verdicts: of the texts whose claims were read, how many have the same.
        patches: how many have the same (claims that no fact bears out, claims).
        single: (id, claims that no fact bears out, claims) of each patch, while there are few.
    """

    texts: int = 0
    verdicts: Counter[Verdicts] = field(default_factory=Counter)
    patches: Counter[tuple[int, int]] = field(default_factory=Counter)
    single: list[tuple[int, int, int]] = field(default_factory=list)

    def add(self, texts: Iterable[Text]) -> None:
        """Counts more texts, all there are of their patches."""
        sums: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0])
        for text in texts:
            self.texts += 1
            if text.verdicts is not None:
                self.verdicts[text.verdicts] += 1
                sums[text.patch_id][0] += text.verdicts.wrong
                sums[text.patch_id][1] += text.verdicts.claims
        self.patches.update((wrong, claims) for wrong, claims in sums.values())
        self.single += [(patch_id, wrong, claims) for patch_id, (wrong, claims) in sums.items()]
        if self.patches.total() > SINGLY:
            self.single.clear()

    def sums(self) -> dict[str, int]:
        """Claims by verdict, of how many texts, and how many of these were read."""
        sums = Verdicts(*(sum(each[place] * texts for each, texts in self.verdicts.items()) for place in range(4)))
        return {"texts": self.texts, "read": self.verdicts.total(), "claims": sums.claims, **sums._asdict()}

    def rate(self) -> dict[str, float] | None:
        """Share of the claims that no fact bears out, and its 95 % interval; None where no claims were read."""
        if not any(claims for _, claims in self.patches):
            return None
        if self.single:
            _, parts, wholes = zip(*sorted(self.single), strict=True)
            found = _singly(parts, wholes)
        else:
            found = _by_kind(self.patches)
        return {key: round(value, 6) for key, value in asdict(found).items()}

    def spread(self) -> dict[str, float] | None:
        """Share of texts with so many claims that no fact bears out."""
        names, wrong = {0: "0", 1: "1", 2: "2", 3: "3+"}, Counter[int]()
        for each, texts in self.verdicts.items():
            wrong[min(each.wrong, 3)] += texts
        total = wrong.total()
        return {name: round(wrong[number] / total, 6) for number, name in names.items()} if total else None

    def speculation(self) -> float | None:
        """Share of texts with a hedge."""
        hedged = sum(texts for each, texts in self.verdicts.items() if each.hedges)
        return round(hedged / self.verdicts.total(), 6) if self.verdicts else None


def claim_figures(before: Claims, after: Claims) -> dict[str, Any]:
    """Claims of first answers (`before`) and of accepted captions (`after`), and the rates that follow.

    The hallucination rate is the share of claims that a fact contradicts or none supports; hedges are no claims. That
    of first answers tells of the annotator, that of accepted ones of the dataset. Patches are drawn for its interval,
    since claims of one patch are not independent.
    """
    return {
        "claims": {"before": before.sums(), "after": after.sums()},
        "hallucination_rate": before.rate(),
        "hallucination_rate_after": after.rate(),
        "wrong_claims": {"before": before.spread(), "after": after.spread()},
        "speculation": {"before": before.speculation(), "after": after.speculation()},
    }


def hallucination_rate(texts: Iterable[Text]) -> dict[str, float] | None:
    """Value and 95 % interval; None where no claims were read."""
    claims = Claims()
    claims.add(texts)
    return claims.rate()


@lru_cache(maxsize=4)
def _singly(parts: tuple[int, ...], wholes: tuple[int, ...]) -> Interval:
    """Patches drawn one by one; where there is one annotator, or nothing was refused, the same ones come again."""
    return bootstrap_ratio(parts, wholes, seed=SEED, resamples=min(RESAMPLES, max(LEAST, MOST_DRAWS // len(parts))))


def _by_kind(patches: Counter[tuple[int, int]]) -> Interval:
    """The same bootstrap: how often each kind of patch is drawn is multinomial."""
    total, kinds = patches.total(), sorted(patches)
    shares, pairs = np.array([patches[kind] for kind in kinds]) / total, np.array(kinds)
    part, whole = (sum(kind[place] * patches[kind] for kind in kinds) for place in range(2))
    if part in (0, whole):
        return wilson(0 if part == 0 else total, total)
    rng = np.random.default_rng(SEED)
    drawn = np.array([rng.multinomial(total, shares) @ pairs for _ in range(RESAMPLES)])
    drawn = drawn[drawn[:, 1] > 0]
    rates = drawn[:, 0] / drawn[:, 1]
    low, high = np.quantile(rates, ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)).tolist()
    return Interval(part / whole, low, high)
