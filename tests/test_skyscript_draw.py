from collections import Counter
from math import cos, radians

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from annotation.tags import Kind
from download.records.skyscript import SOURCES
from pipeline.skyscript_draw import METRES_OF_A_DEGREE, Thing, TwoStages, Windows

GSD = {code: source.gsd for code, source in SOURCES.items()}


def square(key: str, side: float, seen_from: float, at: tuple[float, float] = (7.1, 46.9)) -> Thing:
    """A lake of so many metres."""
    lon, lat = at
    wide, high = side / METRES_OF_A_DEGREE / cos(radians(lat)), side / METRES_OF_A_DEGREE
    return Thing(key, "area", seen_from, [(lon, lat), (lon + wide, lat), (lon + wide, lat + high), (lon, lat)])


def point(key: str, seen_from: float, at: tuple[float, float] = (7.1, 46.9)) -> Thing:
    return Thing(key, "point", seen_from, [at])


def test_points_take_any_source_that_can_show_them() -> None:
    chosen = [Windows().chosen(point(f"node/{number}", 0.6), GSD, 1) for number in range(400)]
    assert {each.code for each in chosen if each} == {"CH", "ES", "DE", "FI", "US"}
    assert len({each.size for each in chosen if each}) > 200
    assert Windows().chosen(point("node/1", 0.05), GSD, 1) is None
    assert Windows().chosen(point("node/1", 0.6), {}, 1) is None


def test_areas_take_a_source_that_brings_them_to_a_size() -> None:
    sides = {100.0: {"FI", "US", "P3", "DE"}, 1000.0: {"P5", "S2"}, 9000.0: {"L8", "L9"}, 90_000.0: set()}
    for side, expected in sides.items():
        seen_from = 30.0 if side > 2000 else 10.0 if side > 200 else 0.8
        chosen = [Windows().chosen(square(f"way/{number}", side, seen_from), GSD, 3) for number in range(200)]
        assert {each.code for each in chosen if each} == expected, side


@given(
    side=st.floats(1, 5000), lon=st.floats(-170, 170), lat=st.floats(-80, 80), seed=st.integers(0, 9),
    seen_from=st.sampled_from([0.1, 0.6, 2.0, 10.0, 30.0]), kind=st.sampled_from(["area", "point", "line"]),
)  # fmt: skip
def test_the_object_is_in_its_window(
    side: float, lon: float, lat: float, seed: int, seen_from: float, kind: Kind
) -> None:
    area = square("way/5", side, seen_from, (lon, lat))
    thing = area if kind == "area" else area._replace(kind=kind, points=area.points[: 1 if kind == "point" else 3])
    chosen = Windows().chosen(thing, GSD, seed)
    if chosen is None:
        assert kind == "area" or seen_from < 0.1
        return
    assert chosen.gsd <= seen_from / 0.99
    assert 128 <= chosen.size <= 768
    west, south, east, north = chosen.bounds
    assert (north - south) * METRES_OF_A_DEGREE == pytest.approx(chosen.size * chosen.gsd, rel=1e-6)
    inside = [west <= x <= east and south <= y <= north for x, y in thing.points]
    assert all(inside) if kind == "area" else any(inside)


def test_windows_are_shifted() -> None:
    middles = set()
    for number in range(50):
        chosen = Windows().chosen(point(f"node/{number}", 30.0), {"S2": 10.0}, 1)
        assert chosen
        west, _, east, _ = chosen.bounds
        middles.add(round((west + east) / 2, 6))
    assert len(middles) > 40
    still = Windows(shift=0).chosen(point("node/1", 30.0), {"S2": 10.0}, 1)
    assert still
    assert (still.bounds[0] + still.bounds[2]) / 2 == pytest.approx(7.1)


def test_objects_come_from_drawn_cells_or_have_rare_tags() -> None:
    houses = [(7 + number % 40 * 0.01 + 0.005, 46.005) for number in range(4000)]
    lakes = [(7 + number * 0.013, 46.005) for number in range(20)]
    tags, places = ["building=house"] * 4000 + ["natural=water"] * 20, np.array([*houses, *lakes])
    drawn = TwoStages(cells=0.25, rare=20).drawn(tags, places, seed=2)
    assert drawn[4000:].all()
    by_cell = Counter(np.floor(places[:4000][drawn[:4000], 0] * 100).tolist())
    assert 3 <= len(by_cell) <= 18
    assert set(by_cell.values()) == {100}, "a cell is taken whole"
    assert not TwoStages(cells=0, rare=0).drawn(tags, places, seed=2).any()
    assert TwoStages(cells=1, rare=0).drawn(tags, places, seed=2).all()
    assert not len(TwoStages().drawn([], np.zeros((0, 2)), seed=2))


def test_no_more_of_a_tag_than_asked_for() -> None:
    places = np.random.default_rng(1).random((1000, 2))
    tags = ["building=house"] * 900 + ["natural=water"] * 100
    few, many = (TwoStages(cells=0.9, rare=0, each=each).drawn(tags, places, 5) for each in (30, 60))
    assert [few[:900].sum(), few[900:].sum(), many[:900].sum(), many[900:].sum()] == [30, 30, 60, 60]
    assert (many | ~few).all(), "more are the same and others"


def test_one_more_object_changes_nothing_for_the_others() -> None:
    places = np.array([(7 + number * 0.004, 46.0) for number in range(300)])
    tags, stages = ["building=house"] * 301, TwoStages(cells=0.3, rare=0)
    before, after = stages.drawn(tags[1:], places, 4), stages.drawn(tags, np.vstack([[7.1, 46.9], places]), 4)
    assert after[1:].tolist() == before.tolist()
    assert stages.drawn(tags[1:], places, 5).tolist() != before.tolist()


def test_sizes_go_by_steps() -> None:
    windows = Windows(least=100, most=300, step=64)
    points = [windows.chosen(point(f"node/{number}", 0.6), {"US": 0.6}, 1) for number in range(200)]
    areas = [windows.chosen(square("way/1", side, 0.6), {"US": 0.6}, 1) for side in range(1, 200, 3)]
    assert {each.size for each in points if each} == {each.size for each in areas if each} == {100, 164, 228, 292}


def test_short_lines_get_small_windows() -> None:
    for metres, most in ((10, 128), (90, 500), (2000, 768)):
        line = square("way/1", metres, 0.6)._replace(kind="line")
        sizes = [chosen.size for seed in range(300) if (chosen := Windows().chosen(line, {"US": 0.6}, seed))]
        assert 0.9 * most <= max(sizes) <= most


def test_sizes_out_of_order_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"least \(800\) is more than most"):
        Windows(least=800)
