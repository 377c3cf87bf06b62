"""How fast facts and prompts are made: patches over a whole extract, on one core, join to rendered prompt."""

import platform
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pyproj import CRS, Transformer
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_utm_crs_info

from annotation.tags import TagTable
from download.osm.extract import OsmExtract
from download.scene import Bounds, Scene
from pipeline.config import Captions, Config
from pipeline.elements import ElementStore, write_elements
from pipeline.grid import Block, PatchGrid, blocks
from pipeline.samples import make_plans, meet, patch_gsd, unit_elements, unit_patches
from pipeline.scribe import Scribe
from pipeline.tables import prompts

GRID = PatchGrid(size=448, gsd=0.6)
"""RSTeller's patches: 268.8 m."""


def run(extract: Path) -> dict[str, Any]:
    """Lays patches over an extract, edge to edge, and makes every prompt that they give; nothing is captioned.

    Returns:
        `patches_per_s` and `prompts_per_s` from the join to the rendered prompt, seconds of each step, counts and
        settings. Reading the elements from disk is a step of its own and not in the rates.
    """
    with TemporaryDirectory(prefix="mapteller-") as folder:
        elements = Path(folder) / "elements.parquet"
        write_elements(OsmExtract(path=extract), TagTable.load(), elements)
        store = ElementStore(elements)
        scene = picture_of_nothing(store.bounds)
        config = Config.model_construct(
            seed=7, region=None, tags=None, tag_wiki=None, prompts=None, captions=Captions()
        )
        units = list(blocks([scene], GRID))
        _bench_unit(
            config, store, units[len(units) // 2], defaultdict(float)
        )  # the first one loads tables and templates
        seconds: dict[str, float] = defaultdict(float)
        counts: Counter[str] = Counter()
        for unit in units:
            counts.update(_bench_unit(config, store, unit, seconds))
    working = sum(seconds[step] for step in ("join", "choose", "facts", "render"))
    return {
        "patches_per_s": round(counts["patches"] / working),
        "prompts_per_s": round(counts["prompts"] / working),
        "seconds": {step: round(value, 3) for step, value in seconds.items()},
        "counts": dict(counts),
        "settings": {
            "extract": extract.name,
            "patch_m": GRID.size * (GRID.gsd or 0),
            "crs": scene.crs,
            "policy": config.captions.policy.kind,
            "tasks": config.captions.tasks.model_dump(),
            "python": platform.python_version(),
        },
    }


def _bench_unit(config: Config, store: ElementStore, unit: Block, seconds: dict[str, float]) -> dict[str, int]:
    @contextmanager
    def step(name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        seconds[name] += time.perf_counter() - started

    with step("lay"):
        patches = unit_patches(config, unit)
    with step("read"):
        elements = unit_elements(store, patches, unit, None)
    with step("join"):
        met = meet(unit, patches, elements)
    with step("choose"):
        plans = make_plans(config, unit, patches, elements, met)
    with step("facts"):
        briefs = Scribe.of(config, unit, elements, met).briefs(plans)
    with step("render"):
        for brief in briefs:
            prompts(config.prompts).render(brief.plan.task, brief.told, patch_gsd(unit))
    return {"patches": len(patches), "pairs": len(met.patch), "prompts": len(briefs)}


def picture_of_nothing(bounds: Bounds) -> Scene:
    """A picture of the whole extract that nobody took, in its UTM zone."""
    west, south, east, north = bounds
    middle = AreaOfInterest((west + east) / 2, (south + north) / 2, (west + east) / 2, (south + north) / 2)
    code = query_utm_crs_info(datum_name="WGS 84", area_of_interest=middle)[0].code
    project = Transformer.from_crs("EPSG:4326", CRS.from_epsg(code), always_xy=True)
    left, bottom, right, top = project.transform_bounds(*bounds)
    return Scene(
        id="extract", source="bench", path="", crs=f"EPSG:{code}", transform=(0.6, 0, left, 0, -0.6, top),
        width=ceil((right - left) / 0.6), height=ceil((top - bottom) / 0.6), bands=(1, 2, 3), digest="",
    )  # fmt: skip
