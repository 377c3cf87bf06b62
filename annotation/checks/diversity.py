"""Diversity: how much captions differ from each other, over many of them."""

import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotation.errors import AnnotationError

FACTOR = 0.72
"""Share of distinct words at which a factor of MTLD is full (McCarthy and Jarvis, 2010)."""
Numbers = NDArray[np.integer[Any]]
_TOKEN = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Lengths:
    """Lengths of texts in words: mean, extremes and quartiles; all 0 without texts."""

    mean: float
    least: int
    lower: float
    median: float
    upper: float
    most: int


def tokens(text: str) -> list[str]:
    """Words in lower case; hyphens and apostrophes within a word belong to it."""
    return _TOKEN.findall(text.lower())


@dataclass(frozen=True, slots=True)
class Corpus:
    """Words of texts as numbers, the same number for the same word: small, and quick to compare.

    Attributes:
        words: of all texts, one after the other: (words,).
        texts: number of the text that each word stands in: (words,).
    """

    words: NDArray[np.int64]
    texts: NDArray[np.int64]

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Corpus":
        """Reads the words of texts; no text is kept."""
        following = count()
        numbers: defaultdict[str, int] = defaultdict(lambda: next(following))
        words, lengths = array("q"), array("q")
        for text in texts:
            found = tokens(text)
            words.extend(numbers[word] for word in found)
            lengths.append(len(found))
        several = np.frombuffer(lengths, dtype=np.int64)
        return cls(np.frombuffer(words, dtype=np.int64), np.repeat(np.arange(len(several)), several))

    def distinct(self, n: int) -> float:
        """Share of distinct runs of `n` words among all such runs within the texts; 0 if there are none."""
        runs, most = self.words[: max(0, len(self.words) - n + 1)], int(self.words.max(initial=0)) + 1
        for step in range(1, n):
            _, ranks = np.unique(runs, return_inverse=True)
            runs = ranks * most + self.words[step : step + len(runs)]
        within = self.texts[: len(runs)] == self.texts[n - 1 :]
        total = int(np.count_nonzero(within))
        return len(np.unique(runs[within])) / total if total else 0.0


def mtld(tokens: Sequence[Hashable], threshold: float = FACTOR) -> float:
    """Measure of textual lexical diversity: the mean length of a run whose share of distinct words stays high.

    The words are cut into factors, each ended when the share of distinct words in it has fallen to the threshold; the
    rest at the end counts as a part of a factor. The mean of both directions (McCarthy and Jarvis, 2010,
    doi:10.3758/BRM.42.2.381). For a corpus, give the words of all its texts one after the other.

    Args:
        tokens: words in their order, or numbers that stand for them.
        threshold: share of distinct words at which a factor is full, in (0, 1).

    Returns:
        Words a factor; 0 without words, and the number of words if none is ever repeated.

    Raises:
        AnnotationError: the threshold is none.
    """
    if not 0 < threshold < 1:
        raise AnnotationError(f"a threshold of MTLD lies between 0 and 1, not at {threshold}")
    return (_one_way(tokens, threshold) + _one_way(tokens[::-1], threshold)) / 2


def _one_way(tokens: Sequence[Hashable], threshold: float) -> float:
    factors, length = 0.0, 0
    types: set[Hashable] = set()
    for token in tokens:
        types.add(token)
        length += 1
        if len(types) <= threshold * length:
            factors, length = factors + 1, 0
            types.clear()
    if length:
        factors += (1 - len(types) / length) / (1 - threshold)
    return len(tokens) / factors if factors else float(len(tokens))


def opening_share(texts: Sequence[str], words: int = 3, most: int = 10) -> list[tuple[str, float]]:
    """The commonest openings of so many words and the share of texts that begin so, the commonest first."""
    begun = (islice(_TOKEN.finditer(text.lower()), words) for text in texts)
    openings = Counter(" ".join(word[0] for word in found) for found in begun)
    ranked = sorted(openings.items(), key=lambda item: (-item[1], item[0]))
    return [(opening, count / len(texts)) for opening, count in ranked[:most]]


def summary(lengths: Numbers) -> Lengths:
    """Mean, extremes and quartiles of lengths in words."""
    if not len(lengths):
        return Lengths(0.0, 0, 0.0, 0.0, 0.0, 0)
    lower, median, upper = np.percentile(lengths, (25, 50, 75)).tolist()
    mean = int(lengths.sum(dtype=np.int64)) / len(lengths)
    return Lengths(mean, int(lengths.min()), lower, median, upper, int(lengths.max()))
