"""Facts of elements and groups, with the real tag table and real measures."""

import json
import sqlite3
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from annotation.facts import LIMIT, MEANING_LIMIT, FactMaker, clean
from annotation.measure import details
from annotation.tagging.wiki import TagWiki
from annotation.tags import TagTable

PATCH = np.array([[268.8, 0.0], [0.0, 268.8]])
HOSTILE = ["{{ 7 * 7 }}", "{% for x in y %}", "a\nb\r\n# New rules", "\u202eevil\u202c", "x" * 10_000, "\x00\x07", "“”"]


@pytest.fixture(scope="module")
def table() -> TagTable:
    return TagTable.load()


def street(maker: FactMaker, name: str = "Feldgasse") -> dict[str, object]:
    tags = {"highway": "residential", "surface": "asphalt", "name": name, "maxspeed": "30"}
    line = np.array([shapely.LineString([(0, 0.8), (1, 0.8)])])
    (measures,) = details(line, PATCH[None], np.array(["line"]))
    return dict(maker.element("way/1", "line", tags, measures).facts)


def test_an_element_has_its_measures_its_noun_and_what_can_be_seen(table: TagTable) -> None:
    facts = street(FactMaker(table, 0.6))
    assert facts["noun"] == "residential street"
    assert facts["plural"] == "residential streets"
    assert facts["name"] == "Feldgasse"
    assert facts["attributes"] == ["asphalt surface"]
    assert facts["length_m"] == pytest.approx(268.8)
    assert facts["course"] == "straight"
    assert json.loads(json.dumps(facts)) == facts


def test_attributes_vanish_where_pixels_are_too_coarse(table: TagTable) -> None:
    assert "attributes" not in street(FactMaker(table, 10.0))


def test_names_can_be_dropped(table: TagTable) -> None:
    assert "name" not in street(FactMaker(table, 0.6, names="drop"))


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_become_short_single_lines(table: TagTable, name: str) -> None:
    told = str(street(FactMaker(table, 0.6), name).get("name", ""))
    assert len(told) <= LIMIT
    assert told.isprintable()


@given(st.text(max_size=300))
def test_clean_text_is_one_printable_line_and_stays_so(text: str) -> None:
    cleaned = clean(text)
    assert len(cleaned) <= LIMIT
    assert cleaned.isprintable()
    assert cleaned == cleaned.strip()
    assert "  " not in cleaned
    assert clean(cleaned) == cleaned


@pytest.mark.parametrize(
    "name", ["Rue de l\u2019Église", "Großer Gänslestein", "Mni wak\u2019áŋ", "東京駅", "Kaniá:taro\u2019kte"]
)
def test_names_of_all_scripts_survive(name: str) -> None:
    assert clean(name) == name


def test_a_wiki_tells_what_the_table_knows_by_its_key_only(table: TagTable, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "wiki.db") as database:
        database.execute("CREATE TABLE wikipages (lang, key, value, description)")
        pages = [("en", "man_made", "gnome_farm", f"Gnomes\n{'x' * 300}"), ("en", "highway", "residential", "A road")]
        database.executemany("INSERT INTO wikipages VALUES (?, ?, ?, ?)", pages)
    database.close()
    with TagWiki(tmp_path / "wiki.db") as wiki:
        maker = FactMaker(table, 0.6, "keep", wiki)
        meaning = str(maker.element("way/1", "area", {"man_made": "gnome_farm"}, {}).facts["meaning"])
        assert meaning.startswith("Gnomes x")
        assert len(meaning) == MEANING_LIMIT
        assert "meaning" not in maker.element("way/2", "line", {"highway": "residential"}, {}).facts
        assert "meaning" not in maker.element("way/3", "area", {"landuse": "unheard_of"}, {}).facts
    assert "meaning" not in FactMaker(table, 0.6).element("way/1", "area", {"man_made": "gnome_farm"}, {}).facts


def houses(table: TagTable, points: list[tuple[float, float]]) -> dict[str, object]:
    tags = [{"building": "house", "roof:shape": "gabled", "addr:housenumber": str(n)} for n in range(len(points))]
    maker = FactMaker(table, 0.2)
    keys = [f"way/{n}" for n in range(len(points))]
    group = maker.group(keys, tags, np.array(points), PATCH, (0.08, 5780.0))
    assert group.id == "way/0"
    assert group.kind == "area"
    assert dict(group.tags) == {"building": "house", "roof:shape": "gabled"}
    return dict(group.facts)


def test_a_group_is_counted_placed_and_arranged(table: TagTable) -> None:
    facts = houses(table, [(0.1 + 0.2 * step, 0.1) for step in range(5)])
    assert (facts["count"], facts["arrangement"], facts["plural"]) == (5, "row", "houses")
    assert facts["spacing_m"] == pytest.approx(53.8)
    assert facts["position"] == ["bottom-left", "bottom", "bottom-right"]
    assert facts["attributes"] == ["gabled roof"]
    assert (facts["share"], facts["area_m2"]) == (0.08, 5780.0)
    assert json.loads(json.dumps(facts)) == facts


def test_a_group_in_most_cells_is_everywhere(table: TagTable) -> None:
    facts = houses(table, [(x / 6, y / 6) for x in (1, 3, 5) for y in (1, 3, 5)])
    assert facts["position"] == ["whole"]


def test_a_group_has_only_the_attributes_that_all_share(table: TagTable) -> None:
    tags = [{"building": "house", "roof:shape": shape} for shape in ("gabled", "flat", "gabled")]
    points = np.array([[0.1, 0.1], [0.2, 0.1], [0.3, 0.1]])
    facts = FactMaker(table, 0.2).group(["way/1", "way/2", "way/3"], tags, points, PATCH).facts
    assert "attributes" not in facts
    assert "share" not in facts
