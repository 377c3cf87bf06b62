"""Cells dealt out to splits so that each has the mixture of the whole."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.draw import draw
from pipeline.stratify import GAIA_SHARES, assign, distance

Cells = dict[str, Counter[tuple[str, int]]]
CELLS = st.dictionaries(
    st.text(max_size=6),
    st.dictionaries(
        st.tuples(st.sampled_from("abc"), st.integers(0, 3)), st.integers(1, 30), min_size=1, max_size=5
    ).map(Counter),
    max_size=40,
)
SHARES = st.dictionaries(st.sampled_from(("train", "validation", "test")), st.floats(0, 1), min_size=1).filter(
    lambda shares: sum(shares.values()) > 0.01
)


def world(seed: int, cells: int = 500) -> Cells:
    """Cells of very different sizes; each has a biome of its own and pictures of ten years."""
    random, found = Random(seed), {}
    for number in range(cells):
        biome, size = random.choice("abcdef"), min(300, int(3 * random.paretovariate(1.1)))
        drawn = ((random.choice(biome * 3 + "abcdef"), 2000 + random.randrange(10)) for _ in range(size))
        found[f"cell {number}"] = Counter(drawn)
    return found


def plain(cells: Cells, seed: int) -> dict[str, str]:
    """By their lots alone."""
    lots = {name: draw(f"{seed}/{name}") for name in cells}
    return {name: "train" if lot < 0.7 else "test" if lot < 0.9 else "validation" for name, lot in lots.items()}


def shares_of(cells: Cells, splits: dict[str, str]) -> dict[str, float]:
    sizes: Counter[str] = Counter()
    for name, cell in cells.items():
        sizes[splits[name]] += cell.total()
    return {name: size / sizes.total() for name, size in sizes.items()}


@given(CELLS, SHARES, st.integers(0, 5))
@settings(max_examples=150, deadline=None)
def test_every_cell_is_in_one_split_that_has_a_share_whatever_the_order(
    cells: Cells, shares: dict[str, float], seed: int
) -> None:
    found = assign(cells, shares, seed)
    assert list(found) == sorted(cells)
    assert set(found.values()) <= {name for name, share in shares.items() if share}
    backwards = {name: Counter(dict(reversed(cell.items()))) for name, cell in reversed(cells.items())}
    assert assign(backwards, shares, seed) == found


@pytest.mark.parametrize("seed", range(6))
def test_shares_are_met_and_mixtures_are_nearer_than_by_lots_alone(seed: int) -> None:
    cells = world(seed)
    found = assign(cells, GAIA_SHARES, seed)
    assert shares_of(cells, found) == pytest.approx(dict(GAIA_SHARES), abs=0.015)
    assert distance(cells, found) < 0.6 * distance(cells, plain(cells, seed))


@given(st.integers(0, 100), st.integers(10, 200))
@settings(max_examples=50, deadline=None)
def test_equal_cells_are_dealt_out_as_the_shares_say(seed: int, number: int) -> None:
    cells = {f"{name}": Counter({"same": 1}) for name in range(number)}
    counts = Counter(assign(cells, GAIA_SHARES, seed).values())
    for name, share in GAIA_SHARES.items():
        assert abs(counts[name] - share * number) <= 1


@given(st.integers(0, 100))
@settings(max_examples=25, deadline=None)
def test_strata_of_one_sample_do_not_all_go_to_the_largest_split(seed: int) -> None:
    cells = {f"{name}": Counter({f"stratum {name}": 1}) for name in range(100)}
    assert Counter(assign(cells, GAIA_SHARES, seed).values()) == {"train": 70, "test": 20, "validation": 10}


def test_seeds_deal_differently_and_a_single_split_gets_all() -> None:
    cells = world(1, 60)
    assert assign(cells, GAIA_SHARES, 1) != assign(cells, GAIA_SHARES, 2)
    assert set(assign(cells, {"train": 1.0, "test": 0.0}, 1).values()) == {"train"}
    assert assign({}, GAIA_SHARES, 1) == {}


@pytest.mark.parametrize("shares", [{}, {"train": 0.0}, {"train": 1.0, "test": -0.1}])
def test_shares_that_are_none(shares: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="shares"):
        assign(world(1, 3), shares, 1)
