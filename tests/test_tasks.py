"""Which elements are told, and as which task."""

from dataclasses import replace

import numpy as np
import pytest

from annotation.errors import AnnotationError
from annotation.rarity import weights
from annotation.tasks import AREA, LINE, POINT, Pairs, Plan, Policy, choose, uniform

RSTELLER = Policy(kind="rsteller")
BOTH = {"area": 0.6, "non_area": 0.4}


def pairs(*rows: tuple[int, int, float], klass: list[int] | None = None, weight: float = 1.0) -> Pairs:
    """Rows of (patch, kind, share or length); every row is an element of its own."""
    patch, kind, extent = (np.array(column) for column in zip(*rows, strict=True))
    number = len(rows)
    return Pairs(
        patch=patch,
        key=np.arange(number, dtype=np.uint64) + np.uint64(1000),
        kind=kind,
        klass=np.arange(number) if klass is None else np.array(klass),
        share=np.where(kind == AREA, extent, 0.0).astype(float),
        length=np.where(kind == LINE, extent, 0.0).astype(float),
        weight=np.full(number, weight),
    )


def seeds(number: int) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 2**63, number, dtype=np.uint64)


def random_pairs(patches: int, number: int) -> Pairs:
    rng = np.random.default_rng(11)
    kind = rng.integers(0, 3, number)
    return Pairs(
        patch=np.sort(rng.integers(0, patches, number)),
        key=rng.integers(0, 2**63, number, dtype=np.uint64),
        kind=kind,
        klass=rng.integers(0, 6, number),
        share=np.where(kind == AREA, rng.random(number) ** 3, 0),
        length=np.where(kind == LINE, rng.random(number), 0),
        weight=rng.random(number) + 0.1,
    )


def take(unit: Pairs, rows: np.ndarray) -> Pairs:
    return Pairs(*(getattr(unit, name)[rows] for name in Pairs.__slots__))


@pytest.mark.parametrize("policy", [RSTELLER, Policy()])
def test_thresholds_themselves_are_not_enough(policy: Policy) -> None:
    unit = pairs((0, AREA, 0.05), (1, AREA, 0.0501), (2, LINE, 0.3), (3, LINE, 0.301))
    plans = choose(unit, seeds(4), BOTH, policy)
    assert [(plan.patch, plan.task, plan.told) for plan in plans] == [(1, "area", ((1,),)), (3, "non_area", ((3,),))]


def test_every_patch_with_something_to_tell_gets_one_caption() -> None:
    unit = random_pairs(300, 900)
    plans = choose(unit, seeds(300), BOTH, RSTELLER)
    tall = (unit.share > 0.05) | (unit.length > 0.3)
    assert [plan.patch for plan in plans] == sorted(set(unit.patch[tall].tolist()))


def test_rsteller_tells_one_of_the_three_largest_of_the_drawn_kind() -> None:
    unit = random_pairs(400, 4000)
    told = set()
    for plan in choose(unit, seeds(400), BOTH, RSTELLER):
        ((row,),) = plan.told
        size = unit.share if plan.task == "area" else unit.length
        assert unit.kind[row] == (AREA if plan.task == "area" else LINE)
        larger = (unit.patch == plan.patch) & (unit.kind == unit.kind[row]) & (size > size[row])
        told.add(int(larger.sum()))
    assert told == {0, 1, 2}


def test_weights_of_tasks_are_kept() -> None:
    rows = [row for patch in range(4000) for row in ((patch, AREA, 0.2), (patch, LINE, 0.8))]
    plans = choose(pairs(*rows), seeds(4000), BOTH, RSTELLER)
    assert np.mean([plan.task == "area" for plan in plans]) == pytest.approx(0.6, abs=0.03)


def test_revisions_may_be_a_fraction() -> None:
    rows = [(patch, AREA, 0.2) for patch in range(4000)]
    plans = choose(pairs(*rows), seeds(4000), {**BOTH, "revision": 1.25}, RSTELLER)
    assert {plan.revisions for plan in plans} == {1, 2}
    assert np.mean([plan.revisions for plan in plans]) == pytest.approx(1.25, abs=0.03)


@pytest.mark.parametrize("policy", [RSTELLER, Policy()])
def test_choice_depends_neither_on_order_nor_on_neighbours(policy: Policy) -> None:
    unit, lots = random_pairs(60, 900), seeds(60)
    tasks = {"area": 1.0, "non_area": 1.0, "scene": 1.0, "revision": 0.5}

    def told(unit: Pairs, plans: list[Plan]) -> dict[int, object]:
        return {
            plan.patch: (
                plan.task,
                plan.revisions,
                [sorted(unit.key[list(subject)].tolist()) for subject in plan.told],
            )
            for plan in plans
        }

    expected = told(unit, choose(unit, lots, tasks, policy))
    shuffled = take(unit, np.random.default_rng(3).permutation(len(unit.patch)))
    assert told(shuffled, choose(shuffled, lots, tasks, policy)) == expected
    half = take(unit, np.flatnonzero(unit.patch < 30))
    assert told(half, choose(half, lots, tasks, policy)) == {
        patch: plan for patch, plan in expected.items() if patch < 30
    }


def test_repeated_small_things_become_one_subject() -> None:
    houses = [(0, AREA, 0.004)] * 6
    unit = pairs(*houses, (0, AREA, 0.3), klass=[7] * 6 + [1])
    (plan,) = choose(unit, seeds(1), {"scene": 1.0}, Policy())
    assert set(plan.told) == {(0, 1, 2, 3, 4, 5), (6,)}


def test_two_are_no_group() -> None:
    unit = pairs((0, AREA, 0.03), (0, AREA, 0.03), klass=[7, 7])
    assert choose(unit, seeds(1), {**BOTH, "scene": 1.0}, Policy()) == []


@pytest.mark.parametrize(("number", "share", "told"), [(5, 0.001, 1), (4, 0.001, 0), (3, 0.01, 1)])
def test_a_group_is_told_alone_when_it_is_large_enough(number: int, share: float, told: int) -> None:
    unit = pairs(*[(0, AREA, share)] * number, klass=[2] * number)
    plans = choose(unit, seeds(1), BOTH, Policy())
    assert [plan.task for plan in plans] == ["area"] * told


@pytest.mark.parametrize("rare", [0, 4])
def test_a_group_weighs_what_its_commonest_members_do(rare: int) -> None:
    unit = pairs(*[(0, POINT, 0.0)] * 10, klass=[3] * 5 + [4] * 5)
    weight = np.where(np.arange(5) == rare, 1.0, 0.1)
    (plan,) = choose(replace(unit, weight=np.concatenate([weight, np.full(5, 0.2)])), seeds(1), {"scene": 1}, Policy())
    assert plan.told == (tuple(range(5, 10)), tuple(range(5)))


def test_points_form_groups_too_but_rsteller_knows_none() -> None:
    unit = pairs(*[(0, POINT, 0.0)] * 8, klass=[3] * 8)
    (plan,) = choose(unit, seeds(1), BOTH, Policy())
    assert plan.told == (tuple(range(8)),)
    assert choose(unit, seeds(1), BOTH, RSTELLER) == []


def test_scenes_tell_two_to_five_things_of_different_classes() -> None:
    unit = random_pairs(200, 4000)
    plans = choose(unit, seeds(200), {"scene": 1.0}, Policy())
    assert len(plans) > 150
    for plan in plans:
        classes = [unit.klass[subject[0]] for subject in plan.told]
        assert 2 <= len(classes) == len(set(classes)) <= 5
        assert plan.told == plan.candidates[: len(plan.told)]
        assert len(plan.candidates) <= 6


def test_rare_things_go_before_common_ones() -> None:
    tags = [("highway", "residential"), ("aeroway", "runway")]
    weight = weights(tags, np.array([2.0, 2.0]), 0.6)
    assert weight[1] > 10 * weight[0]
    rows = [row for patch in range(1000) for row in ((patch, LINE, 0.8), (patch, LINE, 0.8))]
    unit = replace(pairs(*rows), weight=np.tile(weight, 1000))
    plans = choose(unit, seeds(1000), BOTH, Policy())
    runways = np.mean([plan.told[0][0] % 2 for plan in plans])
    assert 0.9 < runways < 0.99, "streets must remain, but not reign"


def test_what_can_only_just_be_seen_counts_half() -> None:
    barely, well = weights([("leisure", "pitch")] * 2, np.array([0.6, 2.0]), 0.6)
    assert well == pytest.approx(2 * barely)


def test_unknown_tasks_and_useless_weights_are_refused() -> None:
    unit = pairs((0, AREA, 0.2))
    with pytest.raises(AnnotationError, match="no task 'aera'"):
        choose(unit, seeds(1), {"aera": 1.0}, Policy())
    with pytest.raises(AnnotationError, match="weight above 0"):
        choose(unit, seeds(1), {"revision": 1.0}, Policy())


def test_a_unit_without_elements_has_no_plans() -> None:
    assert choose(take(pairs((0, AREA, 0.2)), np.zeros(0, dtype=int)), seeds(3), BOTH, Policy()) == []


def test_uniform_is_uniform_and_reproducible() -> None:
    drawn = uniform(np.arange(100_000, dtype=np.uint64), np.uint64(1))
    assert (drawn > 0).all()
    assert (drawn < 1).all()
    assert np.histogram(drawn, bins=10, range=(0, 1))[0] == pytest.approx(10_000, rel=0.05)
    assert drawn[:2].tolist() == uniform(np.arange(2, dtype=np.uint64), np.uint64(1)).tolist()
    other = uniform(np.arange(100_000, dtype=np.uint64), np.uint64(2))
    assert abs(np.corrcoef(drawn, other)[0, 1]) < 0.02
