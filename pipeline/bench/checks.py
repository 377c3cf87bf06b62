"""How fast captions are checked claim by claim, on one core: those of the grammar engine over a map."""

import platform
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from annotation.checks.claims import read_claims, rejects
from annotation.grammar.caption import caption
from annotation.request import ElementFacts
from annotation.tags import TagTable
from download.osm.extract import OsmExtract
from download.sample import make_county
from pipeline.bench.facts import GRID, picture_of_nothing
from pipeline.config import Captions, Config
from pipeline.elements import ElementStore, write_elements
from pipeline.grid import blocks
from pipeline.samples import make_plans, meet, unit_elements, unit_patches
from pipeline.scribe import Scribe

TASKS = {"area": 0.4, "non_area": 0.3, "scene": 0.3}


def run(extract: Path | None = None, captions: int = 4000) -> dict[str, Any]:
    """Checks captions that the grammar engine made from real facts, several of each patch.

    Args:
        extract: the map; left out, a synthetic county.
        captions: how many.

    Returns:
        `captions_per_s` and `claims_per_s` on one core, tables loaded and text at hand; how many captions were
        refused; claims by verdict; settings.
    """
    with TemporaryDirectory(prefix="mapteller-") as folder:
        source = extract or make_county(Path(folder) / "county").extract
        told = list(facts_of(source))
    samples = [(elements, seed) for seed in range(1 + captions // len(told)) for elements in told][:captions]
    texts = [(caption(elements, seed), elements) for elements, seed in samples]
    for text, elements in texts[:100]:
        read_claims(text, elements)  # the first ones load tables
    started = time.perf_counter()
    found = [read_claims(text, elements) for text, elements in texts]
    seconds = time.perf_counter() - started
    return {
        "captions_per_s": round(len(texts) / seconds),
        "claims_per_s": round(sum(map(len, found)) / seconds),
        "refused": sum(any(map(rejects, claims)) for claims in found),
        "verdicts": dict(Counter(claim.verdict for claims in found for claim in claims)),
        "settings": {
            "extract": extract.name if extract else "synthetic county",
            "captions": len(texts),
            "words": round(sum(text.count(" ") + 1 for text, _ in texts) / len(texts), 1),
            "tasks": TASKS,
            "python": platform.python_version(),
        },
    }


def facts_of(extract: Path, patches: int | None = None) -> Iterator[tuple[ElementFacts, ...]]:
    """What is told of patches laid edge to edge over an extract, areas, lines and scenes mixed.

    Args:
        extract: the map.
        patches: how many patches are told at most; all if left out.
    """
    with TemporaryDirectory(prefix="mapteller-") as folder:
        elements = Path(folder) / "elements.parquet"
        write_elements(OsmExtract(path=extract), TagTable.load(), elements)
        store = ElementStore(elements)
        tasks = Captions.model_validate({"tasks": TASKS})
        config = Config.model_construct(seed=7, region=None, tags=None, tag_wiki=None, prompts=None, captions=tasks)
        left = patches
        for unit in blocks([picture_of_nothing(store.bounds)], GRID):
            here = unit_patches(config, unit)
            met_elements = unit_elements(store, here, unit, None)
            met = meet(unit, here, met_elements)
            plans = make_plans(config, unit, here, met_elements, met)[:left]
            for brief in Scribe.of(config, unit, met_elements, met).briefs(plans):
                yield brief.told
            left = None if left is None else left - len(plans)
            if left == 0:
                return
