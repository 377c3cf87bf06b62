"""Words for numbers, and back."""

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation import words
from annotation.measuring.course import COURSES
from annotation.measuring.frame import CELLS, EDGES
from annotation.measuring.shape import AXES, SHAPES

shares = st.floats(0, 1)
sizes = st.floats(0.01, 1e8)
counts = st.integers(0, 5000)
positions = st.one_of(st.just(["whole"]), st.sets(st.sampled_from(CELLS), min_size=1).map(sorted))


@pytest.mark.parametrize(
    ("values", "said", "read"),
    [
        (shares, words.share_phrases, words.share_interval),
        (sizes, words.length_phrases, words.length_interval),
        (sizes, words.area_phrases, words.area_interval),
        (counts, words.count_phrases, words.count_interval),
    ],
)
def test_every_phrase_for_a_number_reads_back_to_it(
    values: st.SearchStrategy[float],
    said: Callable[[float], tuple[str, ...]],
    read: Callable[[str], tuple[float, float] | None],
) -> None:
    @given(values)
    def check(value: float) -> None:
        phrases = said(value)
        assert len(set(phrases)) == len(phrases) >= 2
        for phrase in phrases:
            for spelling in (phrase, phrase.upper(), phrase.replace("metre", "meter") + "."):
                interval = read(spelling)
                assert interval is not None, spelling
                assert interval[0] <= value <= interval[1], spelling

    check()


@given(positions)
def test_every_phrase_for_a_position_holds(position: list[str]) -> None:
    phrases = words.position_phrases(position)
    assert len(phrases) >= 2
    for phrase in phrases:
        assert words.position_holds(phrase, position), phrase


@given(positions)
def test_a_mirrored_position_has_mirrored_phrases(position: list[str]) -> None:
    def swap(text: str) -> str:
        for one, other in (("left", "right"), ("west", "east")):
            text = text.replace(one, "\0").replace(other, one).replace("\0", other)
        return text

    mirrored = {swap(phrase) for phrase in words.position_phrases([swap(cell) for cell in position])}
    whole_rows = {
        "from west to east",
        "from east to west",
        "from the upper",
        "from the lower",
        "from the north",
        "from the south",
    }
    for phrase in words.position_phrases(position):
        if not any(run in phrase for run in whole_rows) and " and " not in phrase:
            assert phrase in mirrored


@pytest.mark.parametrize(
    ("phrase", "true", "false"),
    [
        ("in the northwest of the image", ["top-left"], ["top-right"]),
        ("on the left-hand side", ["bottom-left"], ["right"]),
        ("along the eastern edge", ["right"], ["left"]),
        ("in the center", ["center"], ["top"]),
        ("in the upper half", ["top", "center"], ["bottom"]),
        ("at the bottom", ["bottom-left", "bottom"], ["top"]),
        ("in the lower right corner", ["bottom-right"], ["bottom-left"]),
        ("in the upper left and in the lower right", ["top-left", "bottom-right"], ["top-left", "top"]),
        ("across the whole frame", ["whole"], ["top"]),
    ],
)
def test_free_wordings_of_places(phrase: str, true: list[str], false: list[str]) -> None:
    assert words.position_holds(phrase, true) is True
    assert words.position_holds(phrase, false) is False


def test_what_names_no_place_is_not_judged() -> None:
    assert words.position_holds("a quiet suburb", ["top"]) is None


@given(st.sets(st.sampled_from(EDGES)).map(sorted))
def test_edges_read_back(edges: list[str]) -> None:
    phrases = words.edge_phrases(edges)
    assert bool(phrases) == bool(edges)
    for phrase in phrases:
        assert words.read_edges(phrase) == set(edges), phrase


@pytest.mark.parametrize(
    ("names", "said", "read"),
    [
        (SHAPES, words.shape_phrases, words.read_shape),
        (SHAPES, words.shape_nouns, words.read_shape),
        (COURSES, words.course_phrases, words.read_course),
        (AXES, words.orientation_phrases, words.read_orientation),
        (("north", "north-east", "south-west", "west"), words.direction_phrases, words.read_direction),
        (("touching", "next to", "near", "some way from", "far from"), words.distance_phrases, words.read_distance),
        (
            ("inside", "contains", "crosses", "borders", "along", "beside", "between"),
            words.relation_phrases,
            words.read_relation,
        ),
        (("row", "cluster", "scattered"), words.arrangement_phrases, words.read_arrangement),
        ((*EDGES, *CELLS), words.end_phrases, words.read_end),
    ],
)
def test_every_phrase_for_a_name_reads_back_to_it(
    names: tuple[str, ...],
    said: Callable[[str], tuple[str, ...]],
    read: Callable[[str], frozenset[str] | None],
) -> None:
    for name in names:
        phrases = said(name)
        assert len(phrases) >= 1 + (name not in {"square", "L-shaped", "triangular"})
        for phrase in phrases:
            assert name in (read(phrase) or ()), (name, phrase)


def test_contrary_words_do_not_read_as_each_other() -> None:
    assert "straight" not in (words.read_course("winding") or ())
    assert words.read_course("curved") == frozenset({"gently curved", "curved", "winding"})
    assert "E-W" not in (words.read_orientation("from north to south") or ())
    assert words.read_orientation("From North to South") == frozenset({"N-S", "NNE-SSW", "NNW-SSE"})
    assert words.read_direction("to the east") == frozenset({"east", "north-east", "south-east"})
    assert words.read_shape("bulbous") is None


@pytest.mark.parametrize(
    ("phrase", "metres"),
    [
        ("half a mile", 804.7), ("two hundred and fifty yards", 228.6), ("1,200 feet", 365.8),
        ("140-metre", 140), ("one and a half kilometres", 1500), ("roughly 1.2 km long", 1200),
    ],
)  # fmt: skip
def test_lengths_in_all_units(phrase: str, metres: float) -> None:
    low, high = words.length_interval(phrase) or (math.nan, math.nan)
    assert low < metres < high
    assert high - low < 0.3 * metres


@pytest.mark.parametrize(
    ("phrase", "square_metres"),
    [("three acres", 12140.6), ("about 0.5 hectares", 5000), ("700 m²", 700), ("two square kilometers", 2e6)],
)
def test_areas_in_all_units(phrase: str, square_metres: float) -> None:
    low, high = words.area_interval(phrase) or (math.nan, math.nan)
    assert low < square_metres < high


@pytest.mark.parametrize(
    ("phrase", "low", "high"),
    [("seven", 7, 7), ("thirty-eight", 38, 38), ("more than a hundred", 100, math.inf), ("a dozen", 11, 13)],
)
def test_counts(phrase: str, low: float, high: float) -> None:
    assert words.count_interval(phrase) == (low, high)


@pytest.mark.parametrize("phrase", ["", "metres", "many metres", "forty", "a lake", "about", "%", "ten trees"])
def test_what_is_no_length_is_none(phrase: str) -> None:
    assert words.length_interval(phrase) is None
    assert words.area_interval(phrase) is None
    assert words.share_interval(phrase) is None


def test_a_third_is_no_quarter() -> None:
    low, high = words.share_interval("about a third") or (0, 1)
    assert low > 0.25
    assert high < 0.45
    assert words.share_interval("35 per cent") == pytest.approx((0.3325, 0.3675), abs=0.01)
    assert words.share_interval("more than half") == (0.5, 1)
