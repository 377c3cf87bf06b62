"""How much captions differ from each other."""

from itertools import chain
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.checks.diversity import Corpus, Lengths, mtld, opening_share, summary, tokens
from annotation.checks.repeats import near_duplicates
from annotation.errors import AnnotationError

RIVER = (
    "A broad river crosses the picture from the northern to the southern edge and takes up almost a third of it. The"
    " river bends twice, and on its left bank a gravel track follows the water. Near the bridge the track leaves the"
    " river, turns to the west and ends at the edge of a wood."
)
CAT = "the cat sat on the mat and the dog sat on the log and the cat and the dog sat and sat"
NUMBERS = "one two three four five six seven eight nine ten eleven twelve"
HOUSES = (
    "Many houses stand in rows along the street. Many gardens lie behind the houses. Between the gardens and the"
    " railway runs a footpath, which leads past the allotments to the station. North of the station are sheds, a car"
    " park and a yard; south of it a meadow slopes down to the stream. Trees line the stream on both sides, and beyond"
    " the trees begin the fields, cut by straight ditches into long strips. A farm stands among them, with two barns,"
    " a silo and a pond."
)
LETTERS = st.lists(st.sampled_from("abcdefgh"), max_size=80)


@pytest.mark.parametrize(
    ("text", "threshold", "expected"),
    [
        # lexicalrichness 0.5.1, LexicalRichness(words, preprocessor=None, tokenizer=None).mtld(threshold)
        (RIVER, 0.72, 40.11852219191668),
        (RIVER, 0.66, 49.103448275862064),
        (CAT, 0.72, 7.719298245614036),
        (CAT, 0.66, 9.521505376344086),
        (NUMBERS, 0.72, 12.0),
        (HOUSES, 0.72, 39.007447864945384),
        (HOUSES, 0.66, 82.2971961982349),
        (" ".join(str(i * i % 37) for i in range(500)), 0.72, 19.23076923076923),
        (" ".join(str((i**3 + i // 7) % 211) for i in range(2000)), 0.72, 133.33333333333334),
    ],
)
def test_mtld_is_that_of_a_published_implementation(text: str, threshold: float, expected: float) -> None:
    assert mtld(tokens(text), threshold) == pytest.approx(expected, rel=1e-12)


@given(LETTERS)
def test_mtld_reads_both_ways_and_stays_within_bounds(words: list[str]) -> None:
    value = mtld(words)
    assert value == pytest.approx(mtld(words[::-1]))
    assert value >= 0
    if len(set(words)) == len(words):
        assert value == len(words)


def test_mtld_of_repetition_is_low_and_of_novelty_high() -> None:
    assert mtld(["a", "b"] * 50) < 5
    assert mtld([str(number) for number in range(200)] + ["0"] * 20) > 100
    with pytest.raises(AnnotationError, match="between 0 and 1"):
        mtld(["a"], 1.0)


def test_tokens_are_words_in_lower_case() -> None:
    assert tokens("Rue de l\u2019Église, 2.5 m wide; well-kept -- don't!") == [
        "rue", "de", "l\u2019église", "2", "5", "m", "wide", "well-kept", "don't",
    ]  # fmt: skip


def test_shares_of_runs_and_openings() -> None:
    texts = ["A wood lies in the north.", "A wood lies in the south.", "In the south lies a lake."]
    assert Corpus.of(texts).distinct(1) == 8 / 18
    assert Corpus.of(texts).distinct(6) == 1
    assert Corpus.of(texts).distinct(7) == Corpus.of([]).distinct(1) == 0
    assert opening_share(texts)[0] == ("a wood lies", 2 / 3)
    assert opening_share(texts, words=1, most=1) == [("a", 2 / 3)]
    assert opening_share([]) == []


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=12), max_size=8), st.integers(1, 4))
def test_runs_stay_within_their_texts(texts: list[list[str]], n: int) -> None:
    runs = [tuple(words[start : start + n]) for words in texts for start in range(len(words) - n + 1)]
    expected = len(set(runs)) / len(runs) if runs else 0
    assert Corpus.of([" ".join(words) for words in texts]).distinct(n) == expected


def test_lengths() -> None:
    assert summary(np.array([2, 4, 3])) == Lengths(3.0, 2, 2.5, 3.0, 3.5, 4)
    assert summary(np.array([], dtype=np.int64)) == Lengths(0.0, 0, 0.0, 0.0, 0.0, 0)


def shingles(text: str) -> set[tuple[str, ...]]:
    words = tokens(text)
    return set(zip(words, words[1:], words[2:], strict=False))


def texts_of(seed: int, count: int, length: int) -> list[str]:
    rng = Random(seed)
    return [" ".join(f"w{rng.randrange(500)}" for _ in range(length)) for _ in range(count)]


def test_near_duplicates_are_those_that_share_most_of_their_runs() -> None:
    texts, rng = texts_of(1, 400, 50), Random(2)
    expected = []
    for place in range(0, 400, 4):
        words = texts[place].split()
        words[rng.randrange(3, 47)] = "changed"
        texts.append(" ".join(words))
        expected.append((place, len(texts) - 1))
    found = near_duplicates(texts)
    assert set(found.groups) <= set(expected), "nothing else is alike"
    assert len(found.groups) >= 0.93 * len(expected), "of pairs at 0.89 the bands find 0.97"
    assert found.repeated == len(found.groups)
    for one, other in found.groups:
        shared, both = shingles(texts[one]) & shingles(texts[other]), shingles(texts[one]) | shingles(texts[other])
        assert len(shared) / len(both) >= 0.8


def test_near_duplicates_hold_exact_repeats_whatever_their_signs() -> None:
    texts = [RIVER, HOUSES, RIVER.upper(), "A lake.", RIVER.replace(",", ""), "a lake", "", "A pond."]
    assert near_duplicates(texts).groups == ((0, 2, 4), (3, 5))
    assert near_duplicates([]).groups == ()
    assert near_duplicates([]).largest == near_duplicates([]).share == 0
    again = near_duplicates(["x", "a b", "y", "a  b", "x", " x", "z"])
    assert (again.repeated, again.texts, again.share, again.largest) == (3, 7, 3 / 7, 3 / 7)
    with pytest.raises(AnnotationError, match="similarity"):
        near_duplicates(texts, 0)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 40))
def test_copies_are_found_in_any_order(seed: int, copies: int) -> None:
    texts = texts_of(seed, 30, 20)
    many = texts + texts[:1] * copies
    order = list(range(len(many)))
    Random(seed).shuffle(order)
    found = near_duplicates([many[place] for place in order])
    assert len(found.groups[0]) == copies + 1
    assert found.repeated == copies
    assert list(chain(*found.groups)) == sorted(chain(*found.groups))
