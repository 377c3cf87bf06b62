"""How much of real extracts the tag table knows, and what it hides in them."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import osmium
import pytest

from annotation.tagging.coverage import coverage
from annotation.tags import TagTable

TABLE = TagTable.load()
EXTRACTS = ["andorra.osh.pbf", "beatty.osm", "columbus_unsorted.osm.pbf", "liechtenstein.osm.pbf"]
EXTRACTS += ["queens_village_ny.osm.pbf"]


def ways_and_areas(path: Path) -> Iterator[dict[str, str]]:
    """Tags of ways and of relations that make areas; every version where the file is a history."""
    for element in osmium.FileProcessor(path, osmium.osm.WAY | osmium.osm.RELATION):
        tags = dict(element.tags)
        if isinstance(element, osmium.osm.Way) or tags.get("type") in {"multipolygon", "boundary"}:
            yield tags


class TestCoverage:
    @pytest.mark.parametrize("name", EXTRACTS)
    def test_of_real_extracts(self, shared_data: Path, name: str) -> None:
        found = coverage(TABLE, ways_and_areas(shared_data / "osm" / name))
        assert found.total > 300
        assert found.share >= 0.99
        assert found.total == found.visible + found.never_visible + sum(count for _, count in found.gaps)

    def test_catch_all_rows_count_for_nonsense_only(self) -> None:
        elements: list[Mapping[str, str]] = [
            {"building": "yes"},
            {"building": "Hotel Zum Löwen, 3"},
            {"building": "17"},
            {"highway": "bus_stop"},
            {"building": "flying_saucer"},
            {"building": "flying_saucer", "source": "x"},
            {"highway": "wobbly"},
            {"building": "no"},
            {"name": "x"},
        ]
        found = coverage(TABLE, elements)
        assert (found.total, found.visible, found.never_visible) == (7, 3, 1)
        assert found.gaps == (("building=flying_saucer", 2), ("highway=wobbly", 1))
        assert found.share == pytest.approx(4 / 7)


def test_nothing_below_ground_planned_or_gone_in_boston_is_seen(shared_data: Path) -> None:
    below, planned, gone, works = [], [], [], []
    for way in osmium.FileProcessor(shared_data / "boston" / "boston.osm.pbf", osmium.osm.WAY):
        tags = dict(way.tags)
        if tags.get("tunnel", "no") != "no" or float(tags.get("layer", 0)) < 0:
            below.append((way.id, tags))
        if tags.get("highway") == "proposed" or tags.get("railway") == "proposed":
            planned.append((way.id, tags))
        if tags.get("railway") == "abandoned":
            gone.append((way.id, tags))
        if tags.get("highway") == "construction":
            works.append((way.id, tags))
    assert (len(below), len(planned), len(gone)) == (77, 15, 3)
    assert [way_id for way_id, tags in below + planned + gone if TABLE.hidden(tags) is None] == []
    assert works
    assert [way_id for way_id, tags in works if TABLE.hidden(tags) is not None] == []
