"""How sure figures of a run are: confidence intervals of shares and of differences."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from annotation.errors import AnnotationError

CONFIDENCE = 0.95
RESAMPLES = 10_000
CHUNK = 4_000_000
"""Draws held in memory at a time."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and the interval in which it lies with the confidence that was asked for."""

    value: float
    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


def wilson(successes: int, trials: int, confidence: float = CONFIDENCE) -> Interval:
    """The score interval of a share (Wilson, 1927): within [0, 1], and of use for few trials and rare successes.

    Trials have to be independent; where they come in clusters, such as the claims of one caption, use
    `bootstrap_ratio`.

    Args:
        successes: 0 to `trials`.
        trials: how many there were; of none the share is 0 and the interval all of [0, 1].
        confidence: in (0, 1).

    Raises:
        AnnotationError: numbers that cannot be.
    """
    if not 0 <= successes <= trials:
        raise AnnotationError(f"{successes} of {trials} is no share")
    z = NormalDist().inv_cdf((1 + _checked(confidence)) / 2)
    if not trials:
        return Interval(0.0, 0.0, 1.0)
    share = successes / trials
    middle = share + z * z / (2 * trials)
    half = z * sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    low, high = ((middle + side * half) / (1 + z * z / trials) for side in (-1, 1))
    return Interval(share, low if successes else 0.0, high if successes < trials else 1.0)


def bootstrap_difference(
    first: Sequence[float],
    second: Sequence[float],
    *,
    seed: int,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
) -> Interval:
    """Mean of `first` less mean of `second`, measured on the same samples (paired percentile bootstrap, Efron 1979).

    Args:
        first: a figure of each sample.
        second: the same figure of the same samples, in the same order.
        seed: the same seed gives the same interval.
        confidence: in (0, 1).
        resamples: how often samples are drawn.

    Raises:
        AnnotationError: there are no samples, not as many of one as of the other, or values that are no numbers.
    """
    differences = _column("first", first, len(second)) - _column("second", second, len(first))
    drawn = _drawn(differences[:, None], seed, resamples)[:, 0]
    return _percentiles(float(differences.mean()), drawn, confidence)


def bootstrap_ratio(
    parts: Sequence[float],
    wholes: Sequence[float],
    *,
    seed: int,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
) -> Interval:
    """Sum of `parts` by sum of `wholes`, such as unsupported claims by claims, where captions are drawn, not claims.

    Args:
        parts: of each caption.
        wholes: of each caption; their sum is above 0.
        seed: the same seed gives the same interval.
        confidence: in (0, 1).
        resamples: how often captions are drawn; draws without any whole are left out.

    Returns:
        The interval; where no caption or every caption is all parts, of which every draw is the same, Wilson's for
        that many captions.

    Raises:
        AnnotationError: as `bootstrap_difference`, and for a sum of 0.
    """
    pairs = np.stack([_column("parts", parts, len(wholes)), _column("wholes", wholes, len(parts))], axis=1)
    part, whole = pairs.sum(axis=0)
    if whole <= 0:
        raise AnnotationError("a ratio needs wholes whose sum is above 0")
    if part in (0, whole):  # every draw would be the same; a caption counts as one trial
        return wilson(0 if part == 0 else len(pairs), len(pairs), confidence)
    drawn = _drawn(pairs, seed, resamples)
    drawn = drawn[drawn[:, 1] > 0]
    return _percentiles(float(part / whole), drawn[:, 0] / drawn[:, 1], confidence)


def _column(name: str, values: Sequence[float], length: int) -> NDArray[np.float64]:
    column = np.asarray(values, dtype=np.float64)
    if not len(column) or len(column) != length:
        raise AnnotationError(f"{name}: {len(column)} values where {length or 'some'} are needed, one a sample")
    if not np.isfinite(column).all():
        raise AnnotationError(f"{name}: not every value is a finite number")
    return column


def _drawn(values: NDArray[np.float64], seed: int, resamples: int) -> NDArray[np.float64]:
    """Means over samples drawn with replacement: (resamples, columns)."""
    rng, count = np.random.default_rng(seed), len(values)
    step = max(1, CHUNK // count)
    return np.concatenate(
        [
            values[rng.integers(0, count, (min(step, resamples - start), count))].mean(axis=1)
            for start in range(0, resamples, step)
        ]
    )


def _percentiles(value: float, drawn: NDArray[np.float64], confidence: float) -> Interval:
    tail = (1 - _checked(confidence)) / 2
    low, high = np.quantile(drawn, (tail, 1 - tail)).tolist()
    return Interval(value, low, high)


def _checked(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise AnnotationError(f"a confidence lies between 0 and 1, not at {confidence}")
    return confidence
