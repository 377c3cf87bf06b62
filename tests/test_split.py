"""Splits: shares are met in every neighbourhood, and neighbours never straddle."""

from collections import Counter
from itertools import combinations
from math import floor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.tags import TagTable
from download.imagery.local import LocalImagery
from download.osm.extract import OsmExtract
from download.sample import make_county
from pipeline.elements import ElementStore, write_elements
from pipeline.maps import Maps
from pipeline.split import BLOCK, NONE, Split
from pipeline.strata import strata_of

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


@given(st.lists(st.sampled_from(["wood", "town", "field"]), min_size=BLOCK**2, max_size=BLOCK**2), st.integers(0, 99))
def test_each_stratum_of_a_square_has_all_splits_in_their_shares(held: list[str], seed: int) -> None:
    strata = {(number % BLOCK, number // BLOCK): name for number, name in enumerate(held)}
    dealt = {
        (x, y): SHARED.of((x + 0.5) * 0.05, (y + 0.5) * 0.05, seed, strata) for x in range(BLOCK) for y in range(BLOCK)
    }
    for name, number in Counter(held).items():
        found = Counter(dealt[cell] for cell, stratum in strata.items() if stratum == name)
        for split, share in (("train", 0.7), ("validation", 0.2), ("test", 0.1)):
            assert abs(found[split] - share * number) < 2


def test_strata_are_the_land_use_and_years_of_cells(tmp_path: Path) -> None:
    county = make_county(tmp_path / "county")
    elements = tmp_path / "elements.parquet"
    write_elements(OsmExtract(path=county.extract), TagTable.load(), elements)
    scenes = LocalImagery(kind="local", path=county.rasters[0].parent).scenes()
    cell = 0.002
    strata = strata_of(Maps({None: elements}), scenes, cell)
    assert len(strata) > 20
    assert {stratum.rpartition(" ")[2] for stratum in strata.values()} <= {
        "+".join(sorted({str(scene.acquired.year) for scene in group if scene.acquired}))
        for size in (1, 2, 3, 4)
        for group in combinations(scenes, size)
    }
    column, row = max(strata, key=lambda place: strata[place])
    found = ElementStore(elements).read((column * cell, row * cell, (column + 1) * cell, (row + 1) * cell))
    assert strata[column, row].split()[0] in found["main"].to_pylist()


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
