"""Things that look the same and are mapped in different words are counted together."""

from pathlib import Path

import numpy as np
import pytest

from annotation.checks.claims import read_claims
from annotation.facts import FactMaker
from annotation.request import ElementFacts
from annotation.tagging.kinds import KINDS_OF, lineage, shared_kind
from annotation.tags import TagTable
from download.osm.extract import OsmExtract
from pipeline.bench.facts import GRID, picture_of_nothing
from pipeline.config import Captions, Config, TaskWeights
from pipeline.elements import ElementStore, write_elements
from pipeline.grid import blocks
from pipeline.samples import make_plans, meet, unit_elements, unit_patches
from pipeline.scribe import Scribe

TABLE = TagTable.load()
DEGREE = np.array([74_000.0, 111_200.0])
"""Metres of a degree of longitude and latitude where the maps of these tests lie."""
WEST, NORTH = -93.0, 48.2


def square(number: int, x: float, y: float, side: float, tag: tuple[str, str]) -> str:
    """A closed way, its corner so many metres east and south of the map's."""
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * side + [x, y]
    ids = [4 * number + corner for corner in range(4)]
    places = np.array([WEST, NORTH]) + corners * [1, -1] / DEGREE
    nodes = (
        f'<node id="{n}" version="1" lon="{lon:.7f}" lat="{lat:.7f}"/>'
        for n, (lon, lat) in zip(ids, places, strict=True)
    )
    refs = "".join(f'<nd ref="{n}"/>' for n in (*ids, ids[0]))
    way = f'<way id="{number}" version="1">{refs}<tag k="{tag[0]}" v="{tag[1]}"/></way>'
    return "".join(nodes) + "\n" + way


def told_of(folder: Path, buildings: list[str]) -> dict[str, ElementFacts]:
    """By its noun what is told and known of the one patch of a meadow with buildings, in the order of mapping."""
    folder.mkdir()
    drawn = [square(1, 0, 0, 290, ("landuse", "meadow"))]
    for place, value in enumerate(buildings):
        drawn.append(square(place + 2, 30 + 45 * (place % 5), 30 + 45 * (place // 5), 10, ("building", value)))
    nodes, ways = zip(*(each.split("\n") for each in drawn), strict=True)
    (folder / "map.osm").write_text(f'<osm version="0.6">{"".join(nodes)}{"".join(ways)}</osm>')
    write_elements(OsmExtract(path=folder / "map.osm"), TABLE, folder / "elements.parquet")
    store = ElementStore(folder / "elements.parquet")
    captions = Captions(tasks=TaskWeights(scene=1))
    config = Config.model_construct(seed=7, region=None, tags=None, tag_wiki=None, prompts=None, captions=captions)
    (unit,) = blocks([picture_of_nothing(store.bounds)], GRID)
    patches = unit_patches(config, unit)
    elements = unit_elements(store, patches, unit, None)
    met = meet(unit, patches, elements)
    scribe = Scribe.of(config, unit, elements, met)
    (plan,) = make_plans(config, unit, patches, elements, met)
    return {each.facts["noun"]: each for each in scribe.facts(plan.candidates)}


def test_detached_houses_are_counted_among_the_houses(tmp_path: Path) -> None:
    mapped = ["detached", "detached", *["house"] * 16, "detached", "detached", "garage", "garage", "garage"]
    told = told_of(tmp_path / "one", mapped)
    houses = told["house"]
    assert (houses.facts["count"], houses.facts["plural"], houses.kind) == (20, "houses", "area")
    assert houses.facts["area_m2"] == pytest.approx(20 * 100, rel=0.02)
    assert houses.facts["spacing_m"] == pytest.approx(45, rel=0.02)
    assert houses.tags == {"building": "house"}
    assert told["garage"].facts["count"] == 3
    assert "detached house" not in told
    claims = read_claims("Twenty houses stand on a meadow.", list(told.values()))
    assert {claim.verdict for claim in claims} == {"supported"}
    assert any(
        claim.verdict != "supported" for claim in read_claims("Four detached houses stand here.", list(told.values()))
    )


@pytest.mark.parametrize(
    ("mapped", "noun"),
    [
        (["detached"] * 4, "detached house"),
        (["detached", "semidetached_house", "terraced", "bungalow"], "house"),
        (["house", "detached", "residential", "detached"], "residential building"),
        (["barn", "cowshed", "stable", "barn"], "farm building"),
    ],
)
def test_a_group_has_the_narrowest_noun_that_is_true_of_all(tmp_path: Path, mapped: list[str], noun: str) -> None:
    first, second = told_of(tmp_path / "one", mapped), told_of(tmp_path / "two", mapped[::-1])
    assert first[noun].facts["count"] == len(mapped)
    assert set(first) == set(second) == {noun, "meadow"}
    assert first[noun].facts["plural"] == second[noun].facts["plural"] == f"{noun}s"
    assert TABLE.noun(first[noun].tags) == noun


def test_what_is_unknown_and_what_looks_otherwise_is_counted_apart(tmp_path: Path) -> None:
    told = told_of(tmp_path / "one", ["house"] * 3 + ["yes"] * 4 + ["apartments"] * 5)
    counts = {noun: each.facts.get("count") for noun, each in told.items()}
    assert counts == {"house": 3, "building": 4, "apartment building": 5, "meadow": None}


def test_trees_with_and_without_leaf_type_are_trees() -> None:
    tree = {"natural": "tree"}
    tags = [tree, {**tree, "leaf_type": "broadleaved"}, {**tree, "leaf_type": "needleleaved"}]
    matrix = np.eye(2) * 268.8
    group = FactMaker(TABLE, 0.6).group(["node/1", "node/2", "node/3"], tags, np.eye(3, 2), matrix)
    assert (group.facts["count"], group.facts["noun"], group.facts["plural"]) == (3, "tree", "trees")
    assert group.tags == tree


@pytest.mark.parametrize("tag", KINDS_OF)
def test_parents_and_kinds_are_nouns_of_the_tag_table(tag: tuple[str, str]) -> None:
    said = {row.noun for row in TABLE.rows.values()}
    changed = {row.plural for row in TABLE.rows.values() if row.kind == "attribute"}
    noun, *kinds = KINDS_OF[tag]
    assert TABLE.noun(dict([tag])) == noun
    assert TABLE.noun(dict([tag]), plural=True) == f"{noun}s"
    for kind in kinds:
        assert kind in said | changed | {each.format(noun) for each in changed if "{}" in each}
        assert noun in lineage(kind)


def test_things_of_no_common_kind_have_no_common_noun() -> None:
    with pytest.raises(ValueError, match="garage, house are not of one kind"):
        shared_kind({"house", "garage"})
