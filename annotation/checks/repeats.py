"""Repeats: texts that are nearly the same, over many of them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from zlib import crc32

import numpy as np
from datasketch import MinHash, MinHashLSH
from numpy.typing import NDArray

from annotation.checks.diversity import tokens
from annotation.errors import AnnotationError

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
ALONE = -1
"""Bucket of a band that no other text has."""

Shingles = NDArray[np.uint64]
_MULTIPLIERS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], dtype=np.uint64)


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
    same: defaultdict[bytes, list[int]] = defaultdict(list)
    shingles = []
    for place, text in enumerate(texts):
        words = tokens(text)
        places = same[blake2b(" ".join(words).encode(), digest_size=16).digest()]
        if not places:
            shingles.append(_shingles(words))
        places.append(place)
    leaders = _leaders(shingles, threshold)
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for leader, places in zip(leaders, same.values(), strict=True):
        groups[leader] += places
    return _repeats(len(texts), groups.values())


def _leaders(shingles: Sequence[Shingles], threshold: float) -> list[int]:
    """For each set of shingles the first one that it resembles; itself if there is none before it."""
    signatures = _signatures(shingles)
    leaders = list(range(len(shingles)))
    known: defaultdict[int, list[int]] = defaultdict(list)
    buckets = _buckets(signatures, threshold)
    for number in np.flatnonzero((buckets != ALONE).any(axis=1)).tolist():
        mine = [bucket for bucket in buckets[number].tolist() if bucket != ALONE]
        found = np.array(sorted({other for bucket in mine for other in known[bucket]}), dtype=np.intp)
        likely = found[(signatures[found] == signatures[number]).mean(axis=1) >= threshold - DOUBT]
        alike = (int(other) for other in likely if _jaccard(shingles[number], shingles[other]) >= threshold)
        leaders[number] = next(alike, number)
        if leaders[number] == number:
            for bucket in mine:
                known[bucket].append(number)
    return leaders


def _buckets(signatures: NDArray[np.uint32], threshold: float) -> NDArray[np.int64]:
    """Texts with a bucket in common are candidates: (texts, bands); `ALONE` where no other text is in it."""
    index = MinHashLSH(threshold=threshold, num_perm=PERMUTATIONS, weights=WEIGHTS)
    buckets = np.empty((len(signatures), index.b), dtype=np.int64)
    for band in range(index.b):
        columns = np.ascontiguousarray(signatures[:, band * index.r : (band + 1) * index.r])
        whole = columns.view(np.dtype((np.void, columns.itemsize * index.r)))[:, 0]
        _, numbers, sizes = np.unique(whole, return_inverse=True, return_counts=True)
        buckets[:, band] = np.where(sizes[numbers] > 1, numbers * index.b + band, ALONE)
    return buckets


def _repeats(texts: int, groups: Iterable[Sequence[int]]) -> Repeats:
    many = (tuple(sorted(group)) for group in groups if len(group) > 1)
    return Repeats(texts, tuple(sorted(many, key=lambda group: (-len(group), group))))


def _shingles(words: Sequence[str]) -> Shingles:
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


def _signatures(shingles: Sequence[Shingles]) -> NDArray[np.uint32]:
    """The least hash of each set under each permutation: (sets, permutations), made many at a time."""
    permutations = MinHash(num_perm=PERMUTATIONS, seed=SEED, scheme="affine32").permutations
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
