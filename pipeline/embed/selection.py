"""The best share of millions of scored rows, in all or in each class, exactly and in flat memory."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Batch = tuple[NDArray[np.float32], NDArray[np.int64]]
"""Scores of some rows and the numbers of their classes; a score of NaN takes no part."""

DIGIT_BITS = 4
DIGITS = 1 << DIGIT_BITS


@dataclass(slots=True)
class Selection:
    """Which rows to keep.

    A class of n rows keeps its `ceil(share * n)` best, so that a class of one row keeps it. Of equal scores the rows
    that come first are kept, so that the same rows in the same order give the same choice.

    Attributes:
        cuts: of each class the lowest kept score, as `_ranks` orders them.
        spare: of each class how many rows at its cut are still to be kept.
        kept: rows kept so far, by class.
    """

    cuts: NDArray[np.uint32]
    spare: NDArray[np.int64]
    kept: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self.kept = np.zeros(len(self.cuts), np.int64)

    def keep(self, scores: NDArray[np.float32], classes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which rows of the next batch are kept; call it with the same batches in the same order as before."""
        ranks, valid = _ranks(scores), ~np.isnan(scores)
        above, level = valid & (ranks > self.cuts[classes]), valid & (ranks == self.cuts[classes])
        chosen: NDArray[np.bool_] = above
        rows = np.flatnonzero(level)
        if len(rows):
            order = rows[np.argsort(classes[rows], kind="stable")]
            numbers, starts, counts = np.unique(classes[order], return_index=True, return_counts=True)
            place = np.arange(len(order)) - np.repeat(starts, counts)
            chosen[order[place < np.repeat(self.spare[numbers], counts)]] = True
            self.spare[numbers] = np.maximum(0, self.spare[numbers] - counts)
        self.kept += np.bincount(classes[chosen], minlength=len(self.kept))
        return chosen


def select(batches: Callable[[], Iterable[Batch]], share: float, classes: int) -> Selection:
    """Finds the cut of every class by radix selection: eight passes, each over one digit of the score.

    Memory is a batch and 16 counts a class, however many rows there are.

    Args:
        batches: gives the rows anew for each pass, always in the same order.
        share: above 0, at most 1.
        classes: how many there are, numbered from 0.

    Returns:
        The selection, to be asked batch by batch.
    """
    prefix = np.zeros(classes, np.uint32)
    wanted = np.zeros(classes, np.int64)
    for first, shift in enumerate(range(32 - DIGIT_BITS, -1, -DIGIT_BITS)):
        counts = np.zeros(classes * DIGITS, np.int64)
        for ranks, numbers in _ranked(batches()):
            inside = (ranks >> np.uint32(shift) >> np.uint32(DIGIT_BITS)) == prefix[numbers] if first else slice(None)
            digits = (ranks[inside] >> np.uint32(shift)) & np.uint32(DIGITS - 1)
            counts += np.bincount(numbers[inside] * DIGITS + digits, minlength=len(counts))
        table = counts.reshape(classes, DIGITS)
        if not first:
            wanted = np.ceil(share * table.sum(axis=1) - 1e-9).astype(np.int64)
        at_least = table[:, ::-1].cumsum(axis=1)[:, ::-1]
        digit = np.maximum((at_least >= wanted[:, None]).sum(axis=1) - 1, 0)
        better = (
            np.take_along_axis(at_least, digit[:, None], axis=1)[:, 0]
            - np.take_along_axis(table, digit[:, None], axis=1)[:, 0]
        )
        wanted -= better
        prefix = (prefix << np.uint32(DIGIT_BITS)) | digit.astype(np.uint32)
    return Selection(prefix, wanted)


def _ranked(batches: Iterable[Batch]) -> Iterator[tuple[NDArray[np.uint32], NDArray[np.int64]]]:
    for scores, numbers in batches:
        valid = ~np.isnan(scores)
        yield _ranks(scores[valid]), numbers[valid]


def _ranks(scores: NDArray[np.float32]) -> NDArray[np.uint32]:
    """Whole numbers in the order of the scores: IEEE 754 bits, the sign turned round; -0 is 0."""
    bits = (scores.astype(np.float32) + np.float32(0)).view(np.uint32)
    negative = (bits >> np.uint32(31)).astype(bool)
    ranks: NDArray[np.uint32] = np.where(negative, ~bits, bits | np.uint32(1 << 31))
    return ranks
