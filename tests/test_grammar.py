"""The engine without a model: grammatical, varied, and true to its facts."""

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import osmium
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation import words
from annotation.checks.diversity import mtld, tokens
from annotation.engines.grammar import GrammarEngine
from annotation.facts import FactMaker
from annotation.grammar import lexicon, wording
from annotation.grammar.english import an, is_mass, is_plural, listed, piece, sentence, with_article
from annotation.measure import details, extents
from annotation.measuring import frame
from annotation.measuring.shape import AXES, SHAPES
from annotation.rarity import weights
from annotation.request import ElementFacts, Request
from annotation.tags import TagTable
from annotation.tasks import KINDS, Pairs, Policy, choose
from pipeline.join import join, to_crs, to_unit_frame

ENGINE = GrammarEngine()
TABLE = TagTable.load()
NOUNS = sorted({(row.noun, row.plural) for row in TABLE.rows.values() if row.kind != "attribute" and row.noun})
QUALITIES = ["asphalt surface", "two lanes", "one lane", "gabled roof", "overhead wires", "carried on a bridge",
             "single track", "wheat", "sidewalks on both sides", "unpaved surface"]  # fmt: skip
HEDGES = re.compile(r"\b(?:probabl|possibl|likely|perhaps|seem|may\b|might\b|could\b|suggest|appears)", re.IGNORECASE)
NUMBER = re.compile(r"(\d[\d,]*(?:\.\d+)?) (square metres?|hectares?|kilometres?|metres?|percent)")
FACTOR = {"square metre": 1, "hectare": 1e4, "kilometre": 1e3, "metre": 1, "percent": 0.01}
FACT_OF = {"square metre": ("area_m2",), "hectare": ("area_m2",), "kilometre": ("length_m",), "percent": ("share",),
           "metre": ("length_m", "spacing_m")}  # fmt: skip


def request(elements: Sequence[ElementFacts], seed: int, draft: str = "") -> Request:
    task = "revision" if draft else "scene" if len(elements) > 1 else "area"
    return Request(f"1/{task}/0", task, (), tuple(elements), 0.6, seed, f"{task}@0", draft)


def tell(elements: Sequence[ElementFacts], seed: int, draft: str = "") -> str:
    return ENGINE.tell(request(elements, seed, draft))


names = st.sampled_from(
    ["", "Landstrasse", "Rue de l\u2019Église", "Kaniá:taro\u2019kte", "Route 66", "{{ x }}", "x" * 500]
)
cells = st.one_of(st.just(["whole"]), st.sets(st.sampled_from(frame.CELLS), min_size=1, max_size=5).map(sorted))
cut = st.sets(st.sampled_from(frame.EDGES)).map(sorted)
axis = st.sampled_from(AXES)
place = st.sampled_from([*frame.CELLS, *frame.EDGES])
common = {"position": cells, "attributes": st.lists(st.sampled_from(QUALITIES), unique=True, max_size=3)}
optional = {"orientation": axis, "parts": st.integers(2, 9)}
area_facts = st.fixed_dictionaries(
    {"share": st.floats(0.002, 1), "area_m2": st.floats(20, 1e6), "edges": cut, "name": names, **common},
    optional={
        **optional,
        "shape": st.sampled_from(SHAPES),
    },
)
line_facts = st.fixed_dictionaries(
    {
        "length_m": st.floats(5, 5e3), "edges": cut, "from": place, "to": place, "name": names, **common,
        "course": st.sampled_from(["straight", "gently curved", "curved", "winding", "closed"]),
    },
    optional=optional,
)  # fmt: skip
group_facts = st.fixed_dictionaries(
    {
        "count": st.integers(3, 400), "spacing_m": st.floats(0, 200), "share": st.floats(0.002, 0.3),
        "area_m2": st.floats(20, 1e5), "arrangement": st.sampled_from(["row", "cluster", "scattered"]), **common,
    }
)  # fmt: skip
elements = st.builds(
    lambda noun, facts: ElementFacts("way/1", "area", {}, {"noun": noun[0], "plural": noun[1], **facts}),
    st.sampled_from(NOUNS),
    st.one_of(area_facts, line_facts, group_facts),
)
seeds = st.integers(0, 2**31 - 1)


def check_english(text: str) -> None:
    assert text.isprintable()
    assert text[0] == text[0].upper()
    assert text.endswith(".")
    assert not re.search(r"  | [,.;]|,,|\.\.|;;|\{|\}|_", text), text
    assert all(part[:1] == part[:1].upper() for part in re.split(r"\. (?=\w)", text))
    assert not HEDGES.search(text), text
    for article, word in re.findall(r"\b([Aa]n?) ([\w-]+)", text):
        vowel = re.match(r"[aeiou]|8|11|18|hour|[fhlmnrsx]\b", word, re.IGNORECASE)
        consonant = re.match(r"uni(?!n)|us[aeiu]|u-|ut[ei]|eu|one|once", word, re.IGNORECASE)
        assert (article.lower() == "an") == bool(vowel and not consonant), f"{article} {word}"
    for word in re.findall(r"\b(\w+) \1\b", text):
        assert word in {"on", "that"}, text


def check_numbers(text: str, told: Sequence[ElementFacts]) -> None:
    for number, units in NUMBER.findall(text):
        unit = units.removesuffix("s")
        value = float(number.replace(",", "")) * FACTOR[unit]
        known = [fact for element in told for name in FACT_OF[unit] if (fact := element.facts.get(name))]
        assert any(abs(value - fact) <= max(0.12 * fact, 0.011 if unit == "percent" else 0.6) for fact in known), (
            f"{number} {unit} in {text!r}, but {known}"
        )


@settings(max_examples=600, deadline=None)
@given(elements, seeds)
def test_captions_are_english_and_their_numbers_are_the_facts(element: ElementFacts, seed: int) -> None:
    name = str(element.facts.get("name", ""))
    text = tell([element], seed)
    assert len(text.split()) <= 70
    check_numbers(text, [element])
    check_english(text.replace(name, "Xanten") if name else text)
    assert str(element.facts["noun"]).lower() in text.lower() or str(element.facts["plural"]).lower() in text.lower()


@settings(max_examples=200, deadline=None)
@given(st.lists(elements, min_size=2, max_size=5), seeds)
def test_scenes_tell_of_every_element(told: list[ElementFacts], seed: int) -> None:
    told = [replace(each, facts={key: value for key, value in each.facts.items() if key != "name"}) for each in told]
    text = tell(told, seed)
    if not text:
        pytest.fail("a scene has to be told")
    check_english(text)
    check_numbers(text, told)
    for element in told:
        noun = str(element.facts["plural" if "count" in element.facts else "noun"])
        assert noun.lower() in text.lower() or str(element.facts["plural"]).split(" of ")[0][:-2] in text


@settings(max_examples=200, deadline=None)
@given(elements, seeds)
def test_a_revision_says_it_differently(element: ElementFacts, seed: int) -> None:
    draft = tell([element], seed)
    again = tell([element], seed, draft)
    assert again != draft
    check_numbers(again, [element])


def test_the_same_seed_tells_the_same_and_another_tells_another() -> None:
    facts = {"noun": "meadow", "plural": "meadows", "share": 0.34, "area_m2": 24_000.0, "position": ["top-left"],
             "edges": ["north"], "shape": "irregular"}  # fmt: skip
    meadow = ElementFacts("way/1", "area", {}, facts)
    assert tell([meadow], 5) == tell([meadow], 5)
    assert len({tell([meadow], seed) for seed in range(200)}) > 190


def test_names_are_woven_in_unless_they_are_no_names() -> None:
    facts = {"noun": "river", "plural": "rivers", "share": 0.2, "position": ["left"], "edges": ["north", "south"]}
    for name, spoken in (("Rhein", True), ("{{ 7 * 7 }}", False), ("<b>x</b>", False), ("A\nB: {x}", False)):
        river = ElementFacts("way/1", "area", {}, {**facts, "name": name})
        for seed in range(20):
            assert (name in tell([river], seed)) == spoken


def test_names_that_hold_the_noun_stand_alone() -> None:
    facts = {"share": 0.2, "position": ["left"], "edges": ["north", "south"], "shape": "irregular", "area_m2": 14_000.0}
    for noun, name in (("lake", "Lake Telkwa"), ("cemetery", "Calvary Cemetery"), ("river", "Little Maple River")):
        told = ElementFacts("way/1", "area", {}, {"noun": noun, "plural": f"{noun}s", "name": name, **facts})
        for seed in range(40):
            text = tell([told], seed)
            assert not re.search(rf"\b{noun},? (?:named |called |known as |by the name of |,)*{name}", text), text
            assert f"{name}, a" not in text
            assert ("the Little" in text or "The Little" in text) == (noun == "river")


ENDS = re.compile(r"(?:from|between|link\w*|connect\w*) the (\w+)(?: \w+)? (?:to|and) (?:the )?(\w+)")


@settings(max_examples=200, deadline=None)
@given(st.permutations(frame.EDGES), axis, seeds)
def test_both_ends_of_a_line_are_told_in_one_vocabulary(edges: list[str], axis: str, seed: int) -> None:
    facts = {"noun": "path", "plural": "paths", "length_m": 270.0, "course": "straight", "orientation": axis,
             "from": edges[0], "to": edges[1], "edges": sorted(edges[:2])}  # fmt: skip
    text = tell([ElementFacts("way/1", "line", {"highway": "path"}, facts)], seed)
    for one, other in ENDS.findall(text):
        assert one.endswith("ern") == other.endswith("ern"), text
    assert not re.search(r"\b(?:from|between|at) (?:top|bottom|left|right|\w+ern) (?:edge|side|border)", text), text


def test_long_lists_of_places_are_left_out() -> None:
    facts = {"noun": "meadow", "plural": "meadows", "share": 0.2, "area_m2": 14_000.0, "edges": [],
             "shape": "irregular", "position": ["top-right", "right", "bottom-left", "bottom"]}  # fmt: skip
    for seed in range(40):
        assert "north-east" not in (text := tell([ElementFacts("way/1", "area", {}, facts)], seed)), text
        assert "upper right" not in text


def test_scenes_of_long_names_keep_within_bounds() -> None:
    facts = {"noun": "residential street", "plural": "residential streets", "name": "Grand Central Parkway Service",
             "length_m": 270.0, "course": "straight", "orientation": "NNE-SSW", "from": "bottom", "to": "top-right",
             "position": ["top", "right"], "attributes": ["two lanes"]}  # fmt: skip
    told = [ElementFacts(f"way/{number}", "line", {"highway": "residential"}, facts) for number in range(5)]
    for seed in range(30):
        assert 15 <= len(tell(told, seed).split()) <= 70


def test_scenes_tell_how_things_lie_to_what_was_told_before() -> None:
    wood = {"noun": "wood", "plural": "woods", "share": 0.5, "position": ["left"], "edges": ["west"]}
    stream = {"noun": "stream", "plural": "streams", "length_m": 270.0, "course": "curved", "from": "north",
              "to": "south", "edges": ["north", "south"], "position": ["left"]}  # fmt: skip
    crossing = {**stream, "relations": [{"to": "way/1", "relation": "crosses"}]}
    for seed in range(20):
        told = [ElementFacts("way/1", "area", {}, wood), ElementFacts("way/2", "line", {}, crossing)]
        text = tell(told, seed)
        assert any(f", {phrase} the wood." in text for phrase in words.relation_phrases("crosses")), text
        assert "the wood" not in tell([told[0], replace(told[1], facts=stream)], seed)


def test_few_facts_still_make_a_sentence() -> None:
    bare = ElementFacts("way/1", "area", {}, {"noun": "meadow", "plural": "meadows", "position": ["center"]})
    text = tell([bare], 3)
    assert "meadow" in text
    check_english(text)


def test_completions_come_for_each_request() -> None:
    facts = {"noun": "meadow", "plural": "meadows", "share": 0.34, "position": ["top-left"], "edges": ["north"]}
    asked = [
        replace(request([ElementFacts("way/1", "area", {}, facts)], seed), key=f"{seed}/area/0") for seed in (1, 2)
    ]

    async def ask() -> list[str]:
        return [completion.key async for completion in ENGINE.generate(asked) if completion.annotator == "grammar"]

    assert asyncio.run(ask()) == ["1/area/0", "2/area/0"]


def test_every_slot_of_the_lexicon_can_be_filled() -> None:
    uses = [value for value in vars(lexicon).values() if isinstance(value, lexicon.Uses)]
    slots = {
        slot
        for use in uses
        for place in lexicon.Uses.__slots__
        for pattern in use.at(place)
        for form in pattern.forms
        for slot in re.findall(r"\{(\w*)\}", form)
    }
    assert len(uses) > 15
    assert slots <= set(wording._SLOTS)


@pytest.mark.parametrize(
    ("verb", "forms"),
    [("cover", ("covers", "cover", "covering")), ("occupy", ("occupies", "occupy", "occupying")),
     ("reach", ("reaches", "reach", "reaching")), ("be", ("is", "are", "being")), ("run", ("runs", "run", "running")),
     ("lie", ("lies", "lie", "lying")), ("take", ("takes", "take", "taking"))],
)  # fmt: skip
def test_verbs_agree(verb: str, forms: tuple[str, str, str]) -> None:
    assert lexicon.conjugate(verb) == forms


def test_articles_number_and_mass() -> None:
    said = [
        an(word) for word in ("L-shaped house", "university", "hour", "one-lane road", "8-metre mast", "urban park")
    ]
    assert said == [
        "an L-shaped house",
        "a university",
        "an hour",
        "a one-lane road",
        "an 8-metre mast",
        "an urban park",
    ]
    assert with_article("two lanes") == "two lanes"
    assert with_article("asphalt surface") == "an asphalt surface"
    assert is_mass("farmland", "areas of farmland")
    assert not is_mass("meadow", "meadows")
    assert is_plural("school grounds", "school grounds")
    assert not is_plural("pass", "passes")
    assert piece("grass", "patches of grass") == "patch"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert sentence("over there") == "Over there."


@pytest.fixture(scope="module")
def liechtenstein(shared_data: Path) -> list[list[ElementFacts]]:
    """What is told of patches of 268.8 m of a part of the country, by the default policy."""
    keys, kinds, tags, shapes = [], [], [], []
    factory = osmium.geom.WKBFactory()
    source = osmium.FileProcessor(str(shared_data / "osm" / "liechtenstein.osm.pbf")).with_areas()
    for entity in source.with_filter(osmium.filter.EmptyTagFilter()):
        own = dict(entity.tags)
        if isinstance(entity, osmium.osm.Area) and TABLE.is_area(own, closed=True):
            kind, key, shape = "area", entity.orig_id(), factory.create_multipolygon(entity)
        elif isinstance(entity, osmium.osm.Way) and not TABLE.is_area(own, closed=entity.is_closed()):
            kind, key, shape = "line", entity.id, factory.create_linestring(entity)
        else:
            continue
        if TABLE.seen_from(own) >= 0.6 and not TABLE.hidden(own, kind):
            keys.append(key)
            kinds.append(KINDS.index(kind))
            tags.append(own)
            shapes.append(shape)
    geometry = shapely.make_valid(to_crs(np.asarray(shapely.from_wkb(shapes), dtype=object), "EPSG:32632"))
    west, south, east, north = shapely.total_bounds(geometry)
    x, y = (grid.ravel() for grid in np.meshgrid(np.arange(west, east, 268.8), np.arange(south, north, 268.8)))
    boxes = np.stack([x, y, x + 268.8, y + 268.8], axis=1)
    joined = join(boxes, np.asarray(geometry, dtype=object))
    matrices = frame.ground_matrices("EPSG:32632", boxes)
    clipped = to_unit_frame(joined.clipped, boxes[joined.patch])
    measured = extents(clipped, matrices[joined.patch])
    _, klass = np.unique([TABLE.noun(own) for own in tags], return_inverse=True)
    weight = weights([TABLE.main_tag(own) for own in tags], np.array([TABLE.seen_from(own) for own in tags]), 0.6)
    kind_of = np.array(kinds)[joined.element]
    pairs = Pairs(
        joined.patch, np.array(keys, dtype=np.uint64)[joined.element], kind_of, klass[joined.element],
        np.where(kind_of == 0, measured.share, 0), np.where(kind_of == 1, measured.sides, 0), weight[joined.element],
    )  # fmt: skip
    lots = np.random.default_rng(1).integers(0, 2**63, len(boxes), dtype=np.uint64)
    plans = choose(pairs, lots, {"area": 0.6, "non_area": 0.4}, Policy())
    plans = [plan for plan in plans if len(plan.told[0]) == 1]
    rows = np.array([plan.told[0][0] for plan in plans])
    facts = details(clipped[rows], matrices[joined.patch[rows]], np.array(KINDS)[kind_of[rows]])
    maker = FactMaker(TABLE, 0.6)
    return [
        [maker.element(f"way/{keys[element]}", KINDS[kinds[element]], tags[element], fact)]
        for element, fact in zip(joined.element[rows].tolist(), facts, strict=True)
    ]


def test_captions_over_a_country_are_varied_and_sound(liechtenstein: list[list[ElementFacts]]) -> None:
    captions = []
    for number, told in enumerate(liechtenstein[:2500]):
        first = tell(told, number * 7919)
        captions += [first, tell(told, number * 7919 + 1, first)]
        check_english(first.replace(str(told[0].facts.get("name")), "Xanten"))
        check_numbers(first, told)
    assert len(captions) >= 4000
    assert mtld(tokens(" ".join(captions))) >= 60
    openings = Counter(" ".join(caption.lower().split()[:3]) for caption in captions)
    assert openings.most_common(1)[0][1] <= 0.05 * len(captions)
    assert Counter(captions).most_common(1)[0][1] <= 0.005 * len(captions)
    lengths = [len(caption.split()) for caption in captions]
    assert min(lengths) >= 15
    assert max(lengths) <= 70
    assert words.SHAPES
