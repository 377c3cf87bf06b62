"""Splits: shares are met in every neighbourhood, and neighbours never straddle."""

from collections import Counter
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.split import BLOCK, NONE, Split

SHARED = Split(train=0.7, validation=0.2, test=0.1, cell=0.05)
SIDE = 0.003

lons, lats = st.floats(-179, 179), st.floats(-85, 85)


def _box(lon: float, lat: float) -> tuple[float, float, float, float]:
    return lon - SIDE / 2, lat - SIDE / 2, lon + SIDE / 2, lat + SIDE / 2


def test_every_square_of_cells_has_all_splits_in_their_shares() -> None:
    for column in range(-3 * BLOCK, 3 * BLOCK, BLOCK):
        for row in range(-3 * BLOCK, 3 * BLOCK, BLOCK):
            middles = [((column + x + 0.5) * 0.05, (row + y + 0.5) * 0.05) for x in range(BLOCK) for y in range(BLOCK)]
            dealt = Counter(SHARED.of(lon, lat, seed=4) for lon, lat in middles)
            for name, share in (("train", 0.7), ("validation", 0.2), ("test", 0.1)):
                assert abs(dealt[name] - share * BLOCK**2) < 1 + 1e-9


def test_shares_are_met_without_regard_to_their_sum() -> None:
    split = Split(train=8, validation=0, test=2, cell=0.1)
    drawn = Counter(split.of(x * 0.1 + 0.05, y * 0.1 + 0.05, seed=1) for x in range(100) for y in range(100))
    assert drawn["test"] / drawn.total() == pytest.approx(0.2, abs=0.01)
    assert set(drawn) == {"train", "test"}


def test_seeds_deal_differently() -> None:
    places = [(x * 0.05 + 0.02, y * 0.05 + 0.02) for x in range(40) for y in range(40)]
    one, other = ([SHARED.of(lon, lat, seed) for lon, lat in places] for seed in (1, 2))
    assert one == [SHARED.of(lon, lat, 1) for lon, lat in places]
    assert sum(a != b for a, b in zip(one, other, strict=True)) > 400


@given(lons, lats, st.floats(-0.006, 0.006), st.floats(-0.006, 0.006))
def test_patches_of_different_splits_are_two_gaps_apart(lon: float, lat: float, east: float, north: float) -> None:
    one, other = _box(lon, lat), _box(lon + east, lat + north)
    splits = {SHARED.of_box(one, 3), SHARED.of_box(other, 3)} - {NONE}
    if len(splits) > 1:
        apart = max(other[0] - one[2], one[0] - other[2], other[1] - one[3], one[1] - other[3])
        assert apart >= 2 * SHARED.gap * SIDE - 1e-9


@given(lons, lats)
def test_a_patch_has_the_split_of_its_middle_or_none(lon: float, lat: float) -> None:
    assert SHARED.of_box(_box(lon, lat), 3) in (SHARED.of(lon, lat, 3), NONE)
    assert Split().of_box(_box(lon, lat), 3) == "train"


def test_a_patch_belongs_to_none_only_where_splits_meet() -> None:
    seen = set()
    for step in range(4000):
        lon = step * 0.001 + 0.0003
        found = SHARED.of_box(_box(lon, 0.025), 3)
        cells = {floor((lon + side * SIDE) / 0.05) for side in (-1, 1)}
        meet = len({SHARED.of((cell + 0.5) * 0.05, 0.025, 3) for cell in cells}) > 1
        assert (found == NONE) == meet
        seen.add(found)
    assert seen == {"train", "validation", "test", NONE}


def test_without_a_gap_a_patch_may_touch_another_split_but_not_reach_into_it() -> None:
    split = Split(train=0.5, test=0.5, cell=0.05, gap=0)
    for step in range(2000):
        west = step * 0.0017
        found = split.of_box((west, 0.02, west + SIDE, 0.02 + SIDE), 3)
        ends = {split.of(west, 0.02, 3), split.of(west + SIDE, 0.02, 3)}
        assert found == (NONE if len(ends) > 1 else ends.pop())


def test_shares_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="all 0"):
        Split(train=0)
