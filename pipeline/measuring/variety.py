"""How varied captions are: words, openings, lengths, and texts that come again."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from random import Random
from typing import Any, TypeVar

from annotation.checks.diversity import (
    commonest,
    distinct_ngrams,
    length_summary,
    mtld,
    near_duplicates,
    opening_share,
    tokens,
)

SEED = 12
WORDED = 20_000
"""Texts whose words are compared; n-grams of more texts are ever less distinct, so a bound also makes runs alike."""
COMPARED = 100_000
"""Texts compared for near-duplicates; bounds time and memory."""
LISTED = 20

T = TypeVar("T")


def diversity(texts: Sequence[str]) -> dict[str, Any]:
    """MTLD of all words in order, distinct n-grams, openings and lengths; of more than 20,000 texts of a sample."""
    sample = drawn(texts, WORDED)
    words = [word for text in sample for word in tokens(text)]
    openings = opening_share(sample, most=5) if sample else []
    return {
        "texts": len(sample),
        "mtld": round(mtld(words), 3),
        "distinct": {str(n): round(distinct_ngrams(sample, n), 6) for n in (1, 2, 3)},
        "openings": [{"words": opening, "share": round(share, 6)} for opening, share in openings],
        "words": {key: round(value, 3) for key, value in asdict(length_summary(texts)).items()},
    }


def repeats(texts: Sequence[str]) -> dict[str, Any]:
    """Texts that are the same but for blanks, those that nearly are, and the commonest.

    Near-duplicates (MinHash, Jaccard similarity of 3-word shingles from 0.8 on) are sought in a sample of 100,000
    texts where there are more; `texts` says in how many.
    """
    folded = [" ".join(text.split()) for text in texts]
    counts = Counter(folded)
    most = max(counts.values(), default=0)
    near = near_duplicates(drawn(texts, COMPARED))
    return {
        "exact": {
            "texts": len(texts), "repeated": len(texts) - len(counts), "share": _share(len(texts) - len(counts), texts),
            "largest": _share(most, texts),
        },
        "near": {
            "texts": near.texts, "repeated": near.repeated, "share": round(near.share, 6),
            "largest": round(near.largest, 6), "groups": len(near.groups),
        },
        "commonest": [
            {"text": text, "count": count, "share": _share(count, texts)}
            for text, count in commonest(folded, LISTED)
            if count > 1
        ],
    }  # fmt: skip


def drawn(texts: Sequence[T], most: int) -> list[T]:
    """A seeded sample, in order; all where there are no more."""
    if len(texts) <= most:
        return list(texts)
    return [texts[place] for place in sorted(Random(SEED).sample(range(len(texts)), most))]


def _share(count: int, texts: Sequence[str]) -> float:
    return round(count / len(texts), 6) if texts else 0.0
