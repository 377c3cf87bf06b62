"""The dataset card: what a run made, of what, and by which rules."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pipeline.atomic import write_text
from pipeline.report.look import TOLD, Finished
from pipeline.report.markdown import code, escaped, plain
from pipeline.report.origins import ingredients, licences_of, sources
from pipeline.report.outputs import data_files, split_files
from pipeline.report.regionmap import RegionMap
from pipeline.shard_pictures import PICTURED

FATES = {"captioned": "captioned", "rejected": "rejected", "nodata": "with nodata", "nothing": "with nothing to tell",
         "dead": "whose picture cannot be had"}  # fmt: skip
"""What becomes of samples, in words."""
SIZES = ((1e3, "n<1K"), (1e4, "1K<n<10K"), (1e5, "10K<n<100K"), (1e6, "100K<n<1M"), (1e7, "1M<n<10M"))
"""Size categories that Hugging Face knows."""
HUB_LICENCES = {"ODbL-1.0": "odbl", "CC0-1.0": "cc0-1.0", "CC-BY-4.0": "cc-by-4.0", "CC-BY-SA-4.0": "cc-by-sa-4.0"}
"""Names of licences on Hugging Face, by SPDX name."""
ENGINE_SETTINGS = ("model", "base_url", "temperature", "top_p", "max_tokens")
"""What of an engine's configuration shapes its captions and may be published."""


def write_card(run: Finished, drawn: RegionMap) -> Path:
    """Writes README.md of a run and the map that it shows."""
    environment = Environment(
        loader=PackageLoader("pipeline.report"),
        autoescape=False,  # noqa: S701 - Markdown; `finalize` escapes every value
        trim_blocks=True,
        undefined=StrictUndefined,
        finalize=lambda value: value if isinstance(value, Markup) else escaped(value),
    )
    environment.filters["code"] = lambda value: Markup(code(value))  # noqa: S704 - escaped as a code span
    picture = run.folder.path / "report" / "map.svg"
    write_text(picture, _svg(drawn))
    config, names = run.info["config"], [str(line["file"]).partition(".")[0] for line in run.shards] or ["Patches0000"]
    text = environment.get_template(
        f"card_{run.kind}.md.j2"
    ).render(
        front=Markup(yaml.safe_dump(_front(run), allow_unicode=True, sort_keys=False, width=1000)),  # noqa: S704 - YAML quotes
        run=run,
        info=run.info,
        config=config,
        counts=Counter(run.info["counts"]),
        fates=_fates(run.info["counts"]),
        skipped=_skipped(run.info),
        ingredients=ingredients(run),
        licences=" ".join(licences_of(run)),
        sources=sources(run),
        origin=run.origin,
        tasks=config["captions"]["tasks"],
        settings={engine["name"]: _settings(engine) for engine in config["captions"]["engines"]},
        sees=any(engine.get("vision") for engine in config["captions"]["engines"]),
        prompts=_prompts(run),
        splits=Counter(row["split"] for _, row in run.index_rows()),
        days=_said(run, "acquired"),
        years=_said(run, "year"),
        box=_box(run),
        nowhere=int((~run.patches.placed[run.patches.status == "captioned"]).sum()),
        figures=list(_figures(run.metrics)),
        pictured=run.output in PICTURED,
        load=f"load_{run.output}.md.j2",
        shards=f"{names[0][:-4]}{{{names[0][-4:]}..{names[-1][-4:]}}}.tar",
        jsons=split_files(run),
    )
    card = run.folder.path / "README.md"
    write_text(card, text)
    return card


def _front(run: Finished) -> dict[str, Any]:
    samples = sum(int(line["samples"]) for line in run.shards)
    licences = licences_of(run)
    known = HUB_LICENCES.get(licences[0]) if len(licences) == 1 else None
    named = (
        {"license": known}
        if known
        else {"license": "other", "license_name": plain(" and ".join(licences)) or "unknown"}
    )
    return {
        "pretty_name": plain(run.info["name"]),
        **named,
        "language": ["en"],
        "task_categories": ["image-to-text", "text-to-image"],
        "size_categories": [next((name for most, name in SIZES if samples < most), "n>10M")],
        "tags": ["remote-sensing", *(["openstreetmap"] if "osm" in run.origin else []), "geospatial", "mapteller"],
        "configs": [{"config_name": "default", "data_files": data_files(run)}],
    }


def _fates(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{counts.get(key, 0):,} {said}" for key, said in FATES.items() if key in counts or key in TOLD)


def _skipped(info: Mapping[str, Any]) -> str:
    """Rows or records that are none, by reason."""
    reasons = {key.removeprefix("skipped."): number for key, number in info["counts"].items() if "skipped." in key}
    return ", ".join(f"{number:,} ({reason})" for reason, number in sorted(reasons.items()))


def _said(run: Finished, key: str) -> list[str]:
    """What samples say under a key, sorted."""
    return sorted({str(said[key]) for said in run.patches.metadata if said.get(key)})


def _settings(engine: Mapping[str, Any]) -> str:
    said = [f"{key} {engine[key]}" for key in ENGINE_SETTINGS if engine.get(key) is not None]
    return ", ".join(said) or "no settings"


def _prompts(run: Finished) -> list[str]:
    """Versions of prompts that captions were made with: task and hash."""
    found: set[str] = set()
    for file in (run.folder.path / "captions").glob("*.parquet"):
        found.update(pc.unique(pq.read_table(file, columns=["prompt"], partitioning=None)["prompt"]).to_pylist())
    return sorted(found)


def _box(run: Finished) -> str:
    bounds = run.patches.bounds[run.patches.placed]
    if not len(bounds):
        return "nowhere"
    west, south = bounds[:, :2].min(axis=0)
    east, north = bounds[:, 2:].max(axis=0)
    return f"{west:.4f}, {south:.4f}, {east:.4f}, {north:.4f}"


def _figures(metrics: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Annotator, captions, rejected and hallucination rate with its interval."""
    annotators = metrics.get("annotators")
    for name, said in annotators.items() if isinstance(annotators, Mapping) else ():
        rate = said.get("hallucination_rate")
        told = "unknown"
        if isinstance(rate, Mapping) and isinstance(rate.get("value"), int | float):
            told = f"{rate['value']:.2%}"
            if isinstance(rate.get("low"), int | float) and isinstance(rate.get("high"), int | float):
                told += f" ({rate['low']:.2%} to {rate['high']:.2%})"
        yield name, str(said.get("captions", "")), str(said.get("rejected", "")), told


COLOURS = {"captioned": "#5b8def", "rejected": "#d9534f"}


def _svg(drawn: RegionMap) -> str:
    """The map as a picture of its own; paths hold numbers only."""
    patches = "\n".join(
        f'<path fill="{COLOURS.get(status, "#8a939c")}" d="{path}"/>' for status, path in sorted(drawn.statuses.items())
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {drawn.width} {drawn.height}" '
        f'width="900" role="img">\n<title>Map of the patches</title>\n'
        f'<rect width="{drawn.width}" height="{drawn.height}" fill="#ffffff"/>\n'
        f'<path fill="#e8ecef" fill-rule="evenodd" stroke="#59636e" stroke-width="15" d="{drawn.outline}"/>\n'
        f"{patches}\n</svg>\n"
    )
