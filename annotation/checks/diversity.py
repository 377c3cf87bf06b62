"""Diversity: how much captions differ from each other, over many of them."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from zlib import crc32

import numpy as np
from datasketch import MinHash, MinHashLSH
from numpy.typing import NDArray

from annotation.errors import AnnotationError

FACTOR = 0.72
"""Share of distinct words at which a factor of MTLD is full (McCarthy and Jarvis, 2010)."""
SHINGLE = 3
"""Words of a shingle, of which near-duplicates share most."""
PERMUTATIONS = 128
SEED = 5
WEIGHTS = (0.3, 0.7)
"""Of false and missed candidates: false ones are measured and fall out, missed ones are lost."""
DOUBT = 0.07
"""How much MinHash may underrate a pair that is still measured: two standard errors of 128 permutations."""
CHUNK = 4096
"""Texts whose hashes are made at a time; bounds the memory."""

Words = Sequence[str]
Shingles = NDArray[np.uint64]
_TOKEN = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")
_MULTIPLIERS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], dtype=np.uint64)


@dataclass(frozen=True, slots=True)
class Lengths:
    """Lengths of texts in words: mean, extremes and quartiles; all 0 without texts."""

    mean: float
    least: int
    lower: float
    median: float
    upper: float
    most: int


@dataclass(frozen=True, slots=True)
class Repeats:
    """Texts that are the same, or nearly.

    Attributes:
        texts: how many were looked at.
        groups: indices of the texts of each group of two and more, ascending; larger groups first.
    """

    texts: int
    groups: tuple[tuple[int, ...], ...]

    @property
    def repeated(self) -> int:
        """How many texts could go without losing a group."""
        return sum(len(group) - 1 for group in self.groups)

    @property
    def share(self) -> float:
        """The same as a share of all texts."""
        return self.repeated / self.texts if self.texts else 0.0

    @property
    def largest(self) -> float:
        """Share of all texts that the largest group has."""
        return len(self.groups[0]) / self.texts if self.groups else 0.0


def tokens(text: str) -> list[str]:
    """Words in lower case; hyphens and apostrophes within a word belong to it."""
    return _TOKEN.findall(text.lower())


def mtld(tokens: Words, threshold: float = FACTOR) -> float:
    """Measure of textual lexical diversity: the mean length of a run whose share of distinct words stays high.

    The words are cut into factors, each ended when the share of distinct words in it has fallen to the threshold; the
    rest at the end counts as a part of a factor. The mean of both directions (McCarthy and Jarvis, 2010,
    doi:10.3758/BRM.42.2.381). For a corpus, give the words of all its texts one after the other.

    Args:
        tokens: words in their order.
        threshold: share of distinct words at which a factor is full, in (0, 1).

    Returns:
        Words a factor; 0 without words, and the number of words if none is ever repeated.

    Raises:
        AnnotationError: the threshold is none.
    """
    if not 0 < threshold < 1:
        raise AnnotationError(f"a threshold of MTLD lies between 0 and 1, not at {threshold}")
    return (_one_way(tokens, threshold) + _one_way(tokens[::-1], threshold)) / 2


def _one_way(tokens: Words, threshold: float) -> float:
    factors, length = 0.0, 0
    types: set[str] = set()
    for token in tokens:
        types.add(token)
        length += 1
        if len(types) <= threshold * length:
            factors, length = factors + 1, 0
            types.clear()
    if length:
        factors += (1 - len(types) / length) / (1 - threshold)
    return len(tokens) / factors if factors else float(len(tokens))


def distinct_ngrams(texts: Iterable[str], n: int) -> float:
    """Share of distinct runs of `n` words among all such runs within the texts; 0 if there are none."""
    seen: set[tuple[str, ...]] = set()
    total = 0
    for text in texts:
        words = tokens(text)
        runs = list(zip(*(words[start:] for start in range(n)), strict=False))
        seen.update(runs)
        total += len(runs)
    return len(seen) / total if total else 0.0


def opening_share(texts: Sequence[str], words: int = 3, most: int = 10) -> list[tuple[str, float]]:
    """The commonest openings of so many words and the share of texts that begin so, the commonest first."""
    openings = Counter(" ".join(tokens(text)[:words]) for text in texts)
    return [(opening, count / len(texts)) for opening, count in _commonest(openings, most)]


def length_summary(texts: Iterable[str]) -> Lengths:
    """Lengths in words as blanks part them."""
    lengths = [len(text.split()) for text in texts]
    if not lengths:
        return Lengths(0.0, 0, 0.0, 0.0, 0.0, 0)
    lower, median, upper = np.percentile(lengths, (25, 50, 75)).tolist()
    return Lengths(fmean(lengths), min(lengths), lower, median, upper, max(lengths))


def commonest(texts: Iterable[str], k: int) -> list[tuple[str, int]]:
    """The texts that occur most, and how often; of equally common ones the alphabet decides."""
    return _commonest(Counter(texts), k)


def _commonest(counts: Counter[str], k: int) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:k]


def exact_repeats(texts: Sequence[str]) -> Repeats:
    """Texts that are the same to the letter, but for blanks."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, text in enumerate(texts):
        places[" ".join(text.split())].append(place)
    return _repeats(len(texts), places.values())


def near_duplicates(texts: Sequence[str], threshold: float = 0.8) -> Repeats:
    """Texts that share most of their shingles of three words, the same ones among them.

    Texts that are the same are folded first. Of the others MinHash (Broder, 1997) with locality-sensitive hashing
    finds candidates, and their Jaccard similarity is then measured. A text joins the first group whose first text it
    resembles, so that groups do not drift and many alike cost no more than many different.

    Args:
        texts: any number; a text of fewer than three words is one shingle.
        threshold: Jaccard similarity of shingles from which on two texts are near-duplicates, in (0, 1].

    Raises:
        AnnotationError: the threshold is none.
    """
    if not 0 < threshold <= 1:
        raise AnnotationError(f"a threshold of similarity lies above 0 and at most at 1, not at {threshold}")
    same: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, text in enumerate(texts):
        same[tuple(tokens(text))].append(place)
    shingles = [_shingles(words) for words in same]
    leaders = _leaders(shingles, threshold)
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for leader, places in zip(leaders, same.values(), strict=True):
        groups[leader] += places
    return _repeats(len(texts), groups.values())


def _leaders(shingles: Sequence[Shingles], threshold: float) -> list[int]:
    """For each set of shingles the first one that it resembles; itself if there is none before it."""
    template = MinHash(num_perm=PERMUTATIONS, seed=SEED, scheme="affine32")
    index = MinHashLSH(threshold=threshold, num_perm=PERMUTATIONS, weights=WEIGHTS)
    signatures = _signatures(shingles, template.permutations)
    leaders = []
    for number, signature in enumerate(signatures):
        sketch = MinHash(hashvalues=signature, permutations=template.permutations, scheme="affine32")
        found = np.array(sorted(index.query(sketch)), dtype=np.intp)
        likely = found[(signatures[found] == signature).mean(axis=1) >= threshold - DOUBT]
        alike = (int(other) for other in likely if _jaccard(shingles[number], shingles[other]) >= threshold)
        leader = next(alike, number)
        if leader == number:
            index.insert(number, sketch, check_duplication=False)
        leaders.append(leader)
    return leaders


def _repeats(texts: int, groups: Iterable[Sequence[int]]) -> Repeats:
    many = (tuple(sorted(group)) for group in groups if len(group) > 1)
    return Repeats(texts, tuple(sorted(many, key=lambda group: (-len(group), group))))


def _shingles(words: Words) -> Shingles:
    """Distinct hashes of the shingles, ascending; the same on every machine."""
    hashes = np.array([crc32(word.encode()) for word in words] or [0], dtype=np.uint64)
    width = min(SHINGLE, len(hashes))
    count = len(hashes) - width + 1
    mixed = np.zeros(count, dtype=np.uint64)
    for step in range(width):
        mixed += (hashes[step : step + count] + np.uint64(1)) * _MULTIPLIERS[step]
    return np.unique(mixed ^ (mixed >> np.uint64(29)))


def _jaccard(first: Shingles, second: Shingles) -> float:
    shared = len(np.intersect1d(first, second, assume_unique=True))
    return shared / (len(first) + len(second) - shared)


def _signatures(shingles: Sequence[Shingles], permutations: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """The least hash of each set under each permutation: (sets, permutations), made many at a time."""
    signatures = np.empty((len(shingles), PERMUTATIONS), dtype=np.uint32)
    for start in range(0, len(shingles), CHUNK):
        sets = shingles[start : start + CHUNK]
        starts = np.cumsum([0, *(len(each) for each in sets[:-1])])
        hashes = _mixed(np.concatenate(sets))
        for column, (factor, offset) in enumerate(permutations.T):
            signatures[start : start + CHUNK, column] = np.minimum.reduceat(hashes * factor + offset, starts)
    return signatures


def _mixed(hashes: Shingles) -> NDArray[np.uint32]:
    """64 bits to 32, every bit of which depends on all (the finalizer of SplitMix64, Steele et al., 2014)."""
    hashes = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    hashes = (hashes ^ (hashes >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((hashes ^ (hashes >> np.uint64(31))) >> np.uint64(32)).astype(np.uint32)
