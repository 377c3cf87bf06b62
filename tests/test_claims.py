"""Captions against facts, claim by claim: what is true passes, what is not is found."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.checks.claims import Claim, read_claims, rejects
from annotation.grammar.caption import caption
from annotation.request import ElementFacts
from download.sample import SampleCounty
from pipeline.bench.checks import facts_of
from tests.captions import Labelled, errors, sheets, true_captions
from tests.captions.mutations import MUTATIONS

RECALL, FALSE_REJECTIONS = 0.95, 0.02
"""Required of every kind of error, and allowed of true captions."""

HARD = frozenset(("held-out 6", "held-out 7"))
"""Captions that the checker refused when it saw them first, 384 of 2,448: many clauses, pronouns, things told by the
way. It passes them by believing them where it is not sure of whom they speak, which costs it some errors."""
HARD_RECALL = {"direction": 0.87, "number": 0.92}
"""Floors for those; of other kinds as many are found as elsewhere."""


def refused(text: str, elements: Sequence[ElementFacts]) -> list[Claim]:
    return [claim for claim in read_claims(text, elements) if rejects(claim)]


def area(noun: str, **facts: Any) -> ElementFacts:
    return ElementFacts("way/1", "area", {}, {"noun": noun, "plural": f"{noun}s", **facts})


def line(noun: str, **facts: Any) -> ElementFacts:
    return ElementFacts("way/2", "line", {}, {"noun": noun, "plural": f"{noun}s", "length_m": 270.0, **facts})


def verdicts(text: str, *elements: ElementFacts) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for claim in read_claims(text, elements):
        found[claim.kind].add(claim.verdict)
    return found


def grammar_captions(told: Sequence[tuple[ElementFacts, ...]], seeds: int = 2) -> Iterator[Labelled]:
    for number, elements in enumerate(told):
        for seed in range(seeds):
            text = caption(elements, number * 7919 + seed)
            yield Labelled(text, elements, "grammar")
            yield Labelled(caption(elements, number * 7919 + seed + 97, text), elements, "grammar revision")


@pytest.fixture(scope="module")
def county_told(county: SampleCounty) -> list[tuple[ElementFacts, ...]]:
    return list(facts_of(county.extract))


ROAD_FACTS = {
    "noun": "residential street", "plural": "residential streets", "name": "Lower Rhiney Creek Road", "length_m": 339.2,
    "edges": ["east", "west"], "course": "winding", "orientation": "NW-SE", "from": "west", "to": "east",
    "position": ["top-left", "center", "bottom-right"],
}  # fmt: skip
WOOD_FACTS = {
    "noun": "wood", "plural": "woods", "share": 0.36, "area_m2": 26000.0, "edges": ["north"], "shape": "irregular",
    "position": ["top-left", "top", "top-right"],
}  # fmt: skip


def published(shared: Path) -> Iterator[Labelled]:
    """The published RSTeller samples, with the facts that their captions tell."""
    facts = {607: ElementFacts("way/1", "line", {}, ROAD_FACTS), 726: ElementFacts("way/2", "area", {}, WOOD_FACTS)}
    for file in sorted((shared / "rsteller").glob("*.json")):
        sample = json.loads(file.read_text(encoding="utf-8"))
        for note in sample["annotations"]:
            yield Labelled(note["text"], (facts[sample["metadata"]["patch_id"]],), "rsteller")


def test_the_set_is_large_and_varied() -> None:
    hand = true_captions()
    assert len(hand) >= 150
    assert len(sheets()) >= 40
    assert len({each.label for each in hand}) >= 10
    assert len({each.text for each in hand}) == len(hand)


def test_true_captions_pass(county_told: list[tuple[ElementFacts, ...]]) -> None:
    captions = [*true_captions(), *grammar_captions(county_told)]
    wrong = [(each.text, found) for each in captions if (found := refused(each.text, each.elements))]
    assert len(captions) >= 400
    assert len(wrong) <= FALSE_REJECTIONS * len(captions), wrong[:3]
    by_hand = [each for each in true_captions() if refused(each.text, each.elements)]
    assert len(by_hand) <= FALSE_REJECTIONS * len(true_captions()), by_hand


def test_what_is_kept_out_is_no_claim() -> None:
    wood = area("wood")
    for said in ("on which cars are not allowed", "that is closed to cars"):
        assert verdicts(f"A wood {said}.", wood)["class"] == {"supported"}
    assert verdicts("The lake is not round.", wood)["class"] == {"unsupported"}
    assert verdicts("A closed quarry borders the wood.", wood)["class"] == {"supported", "unsupported"}


def test_published_captions_pass(shared_data: Path) -> None:
    samples = list(published(shared_data))
    assert len(samples) == 4
    for sample in samples:
        assert not refused(sample.text, sample.elements), sample.text
        assert any(claim.kind == "hedge" for claim in read_claims(sample.text, sample.elements))


@pytest.mark.parametrize("kind", MUTATIONS)
def test_errors_by_rule_are_found(kind: str, county_told: list[tuple[ElementFacts, ...]]) -> None:
    by_grammar = list(grammar_captions([*county_told, *sheets().values()]))
    easy = [each for each in true_captions() if each.label not in HARD]
    hard = [each for each in true_captions() if each.label in HARD]
    for name, captions in (("hand", easy), ("hard", hard), ("grammar", by_grammar)):
        least = HARD_RECALL.get(kind, RECALL) if name == "hard" else RECALL
        found = total = 0
        missed = []
        for each in captions:
            for text in MUTATIONS[kind](each.text, each.elements):
                total += 1
                if refused(text, each.elements):
                    found += 1
                else:
                    missed.append(text)
        assert total >= (5 if kind == "count" else 100), f"{name}: too few errors to judge"
        assert found >= least * total, f"{name}: {found} of {total}; such as {missed[:3]}"


def test_errors_by_hand_are_found() -> None:
    found, total = Counter[str](), Counter[str]()
    for each in errors():
        total[each.label] += 1
        found[each.label] += bool(refused(each.text, each.elements))
    assert total["relation"] >= 30
    assert sum(total.values()) >= 100
    for kind, number in total.items():
        assert found[kind] >= RECALL * number, f"{kind}: {found[kind]} of {number}"


def test_no_grammar_caption_over_the_county_is_doubted(county_told: list[tuple[ElementFacts, ...]]) -> None:
    for each in grammar_captions(county_told, seeds=4):
        assert not refused(each.text, each.elements), each.text


@pytest.mark.parametrize(("extract", "patches"), [("osm/liechtenstein.osm.pbf", 500), ("boston/boston.osm.pbf", None)])
def test_no_grammar_caption_over_real_maps_is_doubted(shared_data: Path, extract: str, patches: int | None) -> None:
    told = list(islice(facts_of(shared_data / extract), patches))
    assert len(told) >= (patches or 100)
    for each in grammar_captions(told):
        assert not refused(each.text, each.elements), each.text


def test_claims_point_at_the_text() -> None:
    for each in true_captions():
        for claim in read_claims(each.text, each.elements):
            start, stop = claim.span
            assert each.text[start:stop] == claim.text
            assert claim.text.strip()
            assert claim.element is None or claim.element in {element.id for element in each.elements}


@pytest.mark.parametrize(
    ("said", "true"),
    [("at the top", True), ("in the north", True), ("on the northern side", True), ("along the upper edge", True),
     ("at the bottom", False), ("in the south", False), ("in the southern part", False), ("in the lower half", False)],
)  # fmt: skip
def test_top_is_north(said: str, true: bool) -> None:  # noqa: FBT001 - a table of cases
    meadow = area("meadow", position=["top-left", "top", "top-right"], edges=["north"])
    assert verdicts(f"A meadow lies {said} of the image.", meadow)["position"] == {
        "supported" if true else "contradicted"
    }


@pytest.mark.parametrize(
    ("noun", "said", "verdict"),
    [("oak wood", "wood", "supported"), ("wood", "forest", "supported"), ("wood", "vegetation", "supported"),
     ("wood", "woodland", "supported"), ("wood", "trees", "supported"), ("wood", "oak wood", "unsupported"),
     ("lake", "body of water", "supported"), ("lake", "river", "unsupported"), ("river", "waterway", "supported"),
     ("motorway", "highway", "supported"), ("motorway", "freeway", "supported"), ("motorway", "road", "supported"),
     ("residential street", "road", "supported"), ("residential street", "motorway", "unsupported"),
     ("house", "home", "supported"), ("house", "building", "supported"), ("building", "house", "unsupported"),
     ("parking lot", "car park", "supported"), ("parking lot", "park", "unsupported"),
     ("railway track", "railroad", "supported"), ("meadow", "school", "unsupported"), ("meadow", "land", "none")],
)  # fmt: skip
def test_words_for_classes_have_kinds(noun: str, said: str, verdict: str) -> None:
    assert verdicts(f"The picture shows a {said}.", area(noun)).get("class", {"none"}) == {verdict}


@pytest.mark.parametrize(
    "said",
    ["about 270 metres", "270 m", "nearly 900 feet", "885 ft", "295 yards", "two hundred and seventy metres",
     "just over a sixth of a mile", "0.27 km", "more than 250 metres", "between 250 and 300 metres", "250-300 m",
     "around 0.17 miles", "less than 300 meters",
     "two hundred and fifty metres or so", "over a quarter of a kilometre"],
)  # fmt: skip
def test_lengths_are_read_in_all_units(said: str) -> None:
    assert verdicts(f"A stream runs for {said}.", line("stream"))["number"] == {"supported"}


@pytest.mark.parametrize("said", ["about 150 metres", "500 feet", "half a kilometre", "a mile", "four hundred metres"])
def test_wrong_lengths_are_contradicted(said: str) -> None:
    assert verdicts(f"A stream runs for {said}.", line("stream"))["number"] == {"contradicted"}


@pytest.mark.parametrize(
    ("said", "verdict"),
    [("a third", "supported"), ("about 34 %", "supported"), ("one-third", "supported"), ("33 per cent", "supported"),
     ("roughly 1/3", "supported"), ("just over a third", "supported"), ("most", "contradicted"),
     ("half", "contradicted"), ("12 percent", "contradicted"), ("two thirds", "contradicted"),
     ("nearly all", "contradicted"), ("a tenth", "contradicted")],
)  # fmt: skip
def test_shares_are_read_in_words_and_digits(said: str, verdict: str) -> None:
    assert verdicts(f"A meadow covers {said} of the picture.", area("meadow", share=0.345))["share"] == {verdict}


@pytest.mark.parametrize(
    ("text", "verdict"),
    [("Feldgasse crosses the view.", "supported"), ("The street Feldgasse is straight.", "supported"),
     ("Mühlbachgasse crosses the view.", "unsupported"), ("The street Im Alten Feld is straight.", "unsupported"),
     ("A street called \u201cFeldgasse\u201d is seen.", "supported"), ("Here runs 東京通り.", "unsupported")],
)  # fmt: skip
def test_names_are_those_of_the_tags(text: str, verdict: str) -> None:
    assert verdicts(text, line("residential street", name="Feldgasse"))["name"] == {verdict}


def test_places_around_the_picture_may_be_told() -> None:
    street = line("residential street")
    text = "A residential street in Vaduz."
    assert {claim.verdict for claim in read_claims(text, [street], place=["Liechtenstein", "Vaduz"])} == {"supported"}
    assert any(claim.kind == "name" and claim.verdict == "unsupported" for claim in read_claims(text, [street]))


def test_looks_and_the_picture_are_no_claims() -> None:
    scrub = ElementFacts("way/1", "area", {"natural": "scrub"}, {"noun": "scrubland", "plural": "areas of scrubland"})
    text = "In this aerial view, seen from above, the land is dotted with dark green bushes and low growth: scrubland."
    assert {claim.kind for claim in read_claims(text, [scrub])} <= {"class", "position"}
    assert not refused(text, [scrub])


def test_hedges_are_told_apart_from_appearances() -> None:
    wood = area("wood", position=["left"])
    assert verdicts("The wood appears on the left.", wood).get("hedge") is None
    assert verdicts("The wood appears to be old, possibly a school stands in it.", wood)["hedge"] == {"unsupported"}
    assert verdicts("A wood, possibly hiding a school.", wood)["class"] == {"supported"}


def test_things_of_one_class_are_told_apart_by_their_own_nouns() -> None:
    inside = [{"to": "way/2", "relation": "inside", "distance_m": 0.0, "distance": "touching"}]
    school = ElementFacts("way/1", "area", {}, {"noun": "school building", "position": ["center"], "relations": inside})
    grounds = ElementFacts(
        "way/2", "area", {}, {"noun": "school grounds", "share": 0.4, "position": ["left", "center"]}
    )
    for said in ("inside the school grounds", "surrounded by school grounds"):
        assert not refused(f"A school building stands in the middle of the picture, {said}.", (school, grounds))
    assert refused("School grounds fill two fifths of the picture, inside a school building.", (school, grounds))


def test_a_cross_crosses_nothing() -> None:
    cross = ElementFacts("node/1", "point", {"name": "Hochkreuz"}, {"noun": "cross", "name": "Hochkreuz"})
    assert not refused("A cross called Hochkreuz stands beside the footpath.", (cross, line("footpath")))


@pytest.mark.parametrize(
    ("tags", "said", "verdict"),
    [({"lanes": "2"}, "a two-lane road", "supported"), ({"lanes": "2"}, "a road with four lanes", "contradicted"),
     ({"maxspeed": "50"}, "a road limited to 50 km/h", "supported"),
     ({"maxspeed": "30 mph"}, "a road, 30 mph", "supported"),
     ({"maxspeed": "50"}, "a road limited to 80 km/h", "contradicted"),
     ({"width": "12.2"}, "a road 12.2 m wide", "supported"), ({"width": "12.2"}, "a road 30 m wide", "contradicted"),
     ({"width": "12.2"}, "a road some forty feet wide", "supported"), ({}, "a road 12 m wide", "unsupported"),
     ({"ref": "SR 99"}, "a road numbered 99", "supported")],
)  # fmt: skip
def test_what_tags_tell_in_numbers(tags: dict[str, str], said: str, verdict: str) -> None:
    road = ElementFacts("way/1", "line", tags, {"noun": "road", "plural": "roads", "length_m": 270.0})
    found = [c.verdict for c in read_claims(f"The picture shows {said}.", [road]) if c.kind in ("count", "number")]
    assert found == [verdict]


@pytest.mark.parametrize(
    ("said", "right"),
    [("leaves every edge but the western untouched", False), ("touches every edge except the eastern", True),
     ("touches every edge except the western", False), ("reaches neither the north nor the east edge", False),
     ("stays clear of the eastern edge", True), ("stays clear of the northern edge", False),
     ("leaves the picture on every side but the east", True), ("does not get to the right edge", True)],
)  # fmt: skip
def test_edges_that_are_left_free(said: str, right: bool) -> None:  # noqa: FBT001 - a table of cases
    wood = area("wood", edges=["north", "south", "west"], position=["top-left", "left", "bottom-left", "top"])
    assert bool(refused(f"A wood {said}.", [wood])) is not right


def test_a_claim_belongs_to_the_thing_it_speaks_of() -> None:
    wood = area("wood", position=["left"], share=0.3)
    lake = ElementFacts("way/2", "area", {}, {"noun": "lake", "plural": "lakes", "position": ["right"], "share": 0.1})
    both = (wood, lake)
    for text in ("A wood lies on the left and a lake on the right.", "On the right, a lake; on the left, a wood.",
                 "The wood is west of the lake.", "A wood covers 30 % of the picture. To its east lies a lake.",
                 "While a lake fills the right, the left is covered by a wood."):  # fmt: skip
        assert not refused(text, both), text
    for text in ("A wood lies on the right and a lake on the left.", "On the left, a lake; on the right, a wood.",
                 "The wood is east of the lake.", "A wood covers 10 % of the picture and a lake 30 %.",
                 "While a lake fills the left, the right is covered by a wood."):  # fmt: skip
        assert refused(text, both), text


ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.floats(), st.text(max_size=5), st.lists(st.integers(), max_size=2),
    st.lists(st.one_of(st.none(), st.sampled_from(["north", "top-left", "x"])), max_size=3), st.just({"to": 3}),
    st.lists(st.just({"to": "way/1", "relation": "inside"}), max_size=1),
)  # fmt: skip
FACTS = st.dictionaries(
    st.sampled_from(["noun", "plural", "name", "share", "area_m2", "length_m", "position", "edges", "course", "shape",
                     "from", "to", "orientation", "count", "spacing_m", "parts", "relations", "attributes", "meaning"]),
    ODD,
)  # fmt: skip
PIECES = st.sampled_from([each.text for each in true_captions()])
TEXTS = st.one_of(
    st.text(max_size=80),
    st.builds(lambda text, start, stop: text[start:stop], PIECES, st.integers(0, 40), st.integers(0, 200)),
)


@settings(max_examples=400, deadline=None)
@given(TEXTS, st.lists(FACTS, max_size=3))
def test_strangers_files_never_crash(text: str, facts: list[dict[str, Any]]) -> None:
    elements = [ElementFacts(f"way/{number}", "area", {}, each) for number, each in enumerate(facts)]
    for claim in read_claims(text, elements):
        assert text[slice(*claim.span)] == claim.text


@settings(max_examples=150, deadline=None)
@given(st.integers(min_value=0), st.lists(st.tuples(st.integers(0, 80), st.sampled_from("-,.;:x+")), max_size=8))
def test_damaged_captions_never_crash(number: int, damage: list[tuple[int, str]]) -> None:
    """Words are lost (-), doubled (+) or replaced by a mark."""
    captions = true_captions()
    each = captions[number % len(captions)]
    words = each.text.split()
    for at, mark in damage:
        place = at % len(words)
        words[place : place + 1] = {"-": words[place : place + 1][1:] or [","], "+": [words[place]] * 2}.get(
            mark, [mark]
        )
    text = " ".join(words)
    for claim in read_claims(text, each.elements):
        assert text[slice(*claim.span)] == claim.text


@pytest.mark.parametrize("number", range(0, 900, 9))
def test_words_in_odd_places_never_crash(number: int) -> None:
    """Adverbs and conjunctions that lists are read by, where no list is."""
    each = true_captions()[number]
    words = each.text.split()
    for added in ("respectively", "each", "or", "with", "'s", "on its", "continues"):
        place = (number * 7) % len(words)
        text = " ".join([*words[:place], added, *words[place:]])
        for claim in read_claims(text, each.elements):
            assert text[slice(*claim.span)] == claim.text


def test_respectively_without_measures() -> None:
    text = "The wood and the lake lie in the north and in the south, respectively."
    assert verdicts(text, area("wood"), area("lake"))["class"] == {"supported"}


def test_what_continues_beyond_the_frame_is_cut() -> None:
    road = line("residential street", edges=["west"], position=["left", "center"])
    for text in (
        "A street continues beyond the frame on the {}.",
        "A street continues past the {} edge.",
    ):
        assert verdicts(text.format("right"), road)["edge"] == {"contradicted"}
        assert verdicts(text.format("left"), road)["edge"] == {"supported"}


def test_the_same_text_and_facts_give_the_same_claims() -> None:
    for each in true_captions()[:20]:
        assert read_claims(each.text, each.elements) == read_claims(each.text, each.elements)
