"""How varied captions are: words, openings, lengths, and texts that come again."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from heapq import nsmallest
from random import Random
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from annotation.checks.diversity import Corpus, mtld, opening_share, summary
from annotation.checks.repeats import Repeats, near_duplicates
from pipeline.measuring.texts import Captions, Places

SEED = 12
WORDED = 20_000
"""Texts whose words are compared; n-grams of more texts are ever less distinct, so a bound also makes runs alike."""
COMPARED = 100_000
"""Texts compared for near-duplicates; bounds time and memory."""
LISTED = 20

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Near:
    """Near-duplicates (MinHash, Jaccard similarity of 3-word shingles from 0.8 on) among the captions at some places.

    Attributes:
        places: of those compared.
        repeats: groups of them.
    """

    places: Places
    repeats: Repeats

    @classmethod
    def among(cls, captions: Captions, places: Places) -> "Near":
        """Compares captions, of a seeded sample of 100,000 where there are more."""
        sample = cls.sampled(places)
        return cls(sample, near_duplicates(captions.texts(sample)))

    @staticmethod
    def sampled(places: Places) -> Places:
        """Which of them would be compared."""
        return places[chosen(len(places), COMPARED)]


def diversity(captions: Captions, places: Places) -> dict[str, Any]:
    """MTLD of all words in order, distinct n-grams and openings, of more than 20,000 texts of a sample; lengths."""
    sample = captions.texts(places[chosen(len(places), WORDED)])
    corpus = Corpus.of(sample)
    openings = opening_share(sample, most=5) if sample else []
    return {
        "texts": len(sample),
        "mtld": round(mtld(corpus.words.tolist()), 3),
        "distinct": {str(n): round(corpus.distinct(n), 6) for n in (1, 2, 3)},
        "openings": [{"words": opening, "share": round(share, 6)} for opening, share in openings],
        "words": {key: round(value, 3) for key, value in asdict(summary(captions.lengths[places])).items()},
    }


def repeats(captions: Captions, near: Repeats) -> dict[str, Any]:
    """Texts that are the same but for blanks, those that nearly are, and the commonest.

    Same texts are counted over all captions; near ones among those that were compared, `texts` says how many.
    """
    _, first, counts = np.unique(captions.digests, return_index=True, return_counts=True)
    total, repeated, most = len(captions), len(captions) - len(counts), int(counts.max(initial=0))
    return {
        "exact": {
            "texts": total, "repeated": repeated, "share": _share(repeated, total), "largest": _share(most, total),
        },
        "near": {
            "texts": near.texts, "repeated": near.repeated, "share": round(near.share, 6),
            "largest": round(near.largest, 6), "groups": len(near.groups),
        },
        "commonest": [
            {"text": text, "count": count, "share": _share(count, total)}
            for text, count in _commonest(captions, first, counts)
        ],
    }  # fmt: skip


def drawn(texts: Sequence[T], most: int) -> list[T]:
    """A seeded sample, in order; all where there are no more."""
    return [texts[place] for place in chosen(len(texts), most).tolist()]


def chosen(count: int, most: int) -> Places:
    """Places of a seeded sample of so many, ascending; all where there are no more."""
    if count <= most:
        return np.arange(count)
    return np.array(sorted(Random(SEED).sample(range(count), most)), dtype=np.int64)


def _commonest(captions: Captions, first: Places, counts: NDArray[np.int64]) -> list[tuple[str, int]]:
    """Texts that come more than once, the commonest first, of equally common ones by the alphabet.

    Args:
        captions: of the run.
        first: where each text comes first.
        counts: how often it comes.
    """
    least = max(2, int(np.partition(counts, -LISTED)[-LISTED])) if len(counts) > LISTED else 2
    places, often = (column[counts >= least] for column in (first, counts))
    order = np.argsort(places)
    folded = (" ".join(text.split()) for text in captions.stream(places[order]))
    ranked = nsmallest(LISTED, zip((-often[order]).tolist(), folded, strict=True))
    return [(text, -count) for count, text in ranked]


def _share(count: int, total: int) -> float:
    return round(count / total, 6) if total else 0.0
