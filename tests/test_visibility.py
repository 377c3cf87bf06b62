"""Over a whole country, nothing that cannot be seen reaches a prompt."""

from pathlib import Path

import osmium
import pytest

from annotation.tags import TagTable
from download.osm.extract import OsmExtract
from pipeline.bench.facts import GRID, picture_of_nothing
from pipeline.config import Captions, Config, TaskWeights
from pipeline.elements import ElementStore, write_elements
from pipeline.grid import blocks
from pipeline.samples import make_plans, meet, unit_elements, unit_patches
from pipeline.scribe import Scribe


@pytest.fixture(scope="module")
def told(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Ids of all elements in the prompts of Liechtenstein, scenes included; of groups, of every member."""
    target = tmp_path_factory.mktemp("liechtenstein") / "elements.parquet"
    write_elements(OsmExtract(path=shared_data / "osm" / "liechtenstein.osm.pbf"), TagTable.load(), target)
    store = ElementStore(target)
    weights = TaskWeights(area=1, non_area=1, scene=1)
    config = Config.model_construct(
        seed=7, region=None, tags=None, tag_wiki=None, prompts=None, captions=Captions(tasks=weights)
    )
    found: set[str] = set()
    for unit in blocks([picture_of_nothing(store.bounds)], GRID):
        patches = unit_patches(config, unit)
        elements = unit_elements(store, patches, unit, None)
        met = meet(unit, patches, elements)
        plans = make_plans(config, unit, patches, elements, met)
        for brief in Scribe.of(config, unit, elements, met).briefs(plans):
            found.update(element.id for element in brief.told)
            found.update(elements.ids[met.element[row]] for subject in brief.plan.candidates for row in subject)
    return found


def _cannot_be_seen(extract: Path) -> set[str]:
    """Boundaries, routes and what lies below ground, by plain reading."""
    hidden = set()
    for element in osmium.FileProcessor(str(extract)).with_filter(osmium.filter.EmptyTagFilter()):
        tags = dict(element.tags)
        layer = tags.get("layer", "0")
        below = layer.lstrip("-").isdigit() and int(layer) < 0 and tags.get("bridge", "no") == "no"
        if (
            below
            or tags.get("type") in ("route", "route_master")
            or (tags.get("boundary") == "administrative" and not {"waterway", "highway", "natural"} & set(tags))
            or tags.get("tunnel", "no") != "no"
            or tags.get("location") == "underground"
            or tags.get("highway") == "proposed"
            or tags.get("railway") in ("proposed", "abandoned", "razed")
        ):
            hidden.add(f"{type(element).__name__.lower()}/{element.id}")
    return hidden


def test_no_boundary_route_or_underground_element_reaches_a_prompt(told: set[str], shared_data: Path) -> None:
    hidden = _cannot_be_seen(shared_data / "osm" / "liechtenstein.osm.pbf")
    assert len(hidden) > 400
    assert len(told) > 5_000
    assert not told & hidden
