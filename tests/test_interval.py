"""Confidence intervals of shares and differences."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.checks.interval import Interval, bootstrap_difference, bootstrap_ratio, wilson
from annotation.errors import AnnotationError


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        # Newcombe (1998), Statistics in Medicine 17, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_published_score_intervals(successes: int, trials: int, low: float, high: float) -> None:
    interval = wilson(successes, trials)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=5e-5)
    assert interval.value == successes / trials


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.floats(0.5, 0.999))
def test_score_intervals_hold_the_share_and_mirror_each_other(one: int, other: int, confidence: float) -> None:
    interval, mirrored = (wilson(successes, one + other, confidence) for successes in (one, other))
    assert 0 <= interval.low <= interval.high <= 1
    assert interval.value in interval
    assert (interval.low, interval.high) == pytest.approx((1 - mirrored.high, 1 - mirrored.low))
    wider = wilson(one, one + other, (1 + confidence) / 2)
    assert wider.low <= interval.low
    assert wider.high >= interval.high


def test_score_intervals_of_nothing_and_of_nonsense() -> None:
    assert wilson(0, 0) == Interval(0.0, 0.0, 1.0)
    for successes, trials in ((-1, 4), (5, 4)):
        with pytest.raises(AnnotationError, match="no share"):
            wilson(successes, trials)
    with pytest.raises(AnnotationError, match="confidence"):
        wilson(1, 4, 1.0)


def test_bootstrap_of_many_samples_is_that_of_the_normal_distribution() -> None:
    rng = np.random.default_rng(1)
    first = rng.normal(3, 2, 4000)
    second = first - rng.normal(0.5, 1, 4000)
    interval = bootstrap_difference(first.tolist(), second.tolist(), seed=1)
    differences = first - second
    half = 1.96 * differences.std() / np.sqrt(4000)
    assert interval.value == pytest.approx(differences.mean())
    assert (interval.low, interval.high) == pytest.approx(
        (differences.mean() - half, differences.mean() + half), abs=0.1 * half
    )


def test_bootstrap_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(2)
    hits = 0
    for run in range(200):
        difference = rng.exponential(1, 60)
        hits += 1.0 in bootstrap_difference(difference.tolist(), [0.0] * 60, seed=run, resamples=1000)
    assert 0.88 <= hits / 200 <= 0.99


def test_bootstrap_is_paired_and_seeded() -> None:
    first = np.random.default_rng(3).normal(0, 100, 500)
    shifted = bootstrap_difference((first + 1).tolist(), first.tolist(), seed=1)
    assert (shifted.low, shifted.high) == pytest.approx((1, 1))
    noisy = np.random.default_rng(4).normal(0, 1, 500).tolist()
    assert bootstrap_difference(noisy, [0.0] * 500, seed=1) == bootstrap_difference(noisy, [0.0] * 500, seed=1)
    assert bootstrap_difference(noisy, [0.0] * 500, seed=1) != bootstrap_difference(noisy, [0.0] * 500, seed=2)


def test_claims_of_one_caption_count_as_one() -> None:
    rng = np.random.default_rng(5)
    wrong = (rng.random(400) < 0.1).astype(float)
    single = bootstrap_ratio(wrong.tolist(), [1.0] * 400, seed=1)
    tenfold = bootstrap_ratio((10 * wrong).tolist(), [10.0] * 400, seed=1)
    assert tenfold == single, "ten claims that are wrong together tell no more than one"
    naive = wilson(int(10 * wrong.sum()), 4000)
    assert tenfold.high - tenfold.low > 2.5 * (naive.high - naive.low)
    assert single.low == pytest.approx(wilson(int(wrong.sum()), 400).low, abs=0.01)


def test_bootstrap_refuses_what_is_no_sample() -> None:
    for first, second in (([], []), ([1.0], [1.0, 2.0])):
        with pytest.raises(AnnotationError, match="one a sample"):
            bootstrap_difference(first, second, seed=1)
    with pytest.raises(AnnotationError, match="finite"):
        bootstrap_difference([float("nan")], [1.0], seed=1)
    with pytest.raises(AnnotationError, match="above 0"):
        bootstrap_ratio([0.0], [0.0], seed=1)
