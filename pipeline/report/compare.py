"""The page of a comparison: the tables, and what each run says of the same patches, side by side."""

from base64 import b64encode
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from download.errors import DownloadError
from pipeline.atomic import write_text
from pipeline.compare import Comparison, Run
from pipeline.compare_tables import difference_cells, headings, run_cells
from pipeline.errors import PipelineError
from pipeline.json_cells import from_json
from pipeline.measuring.told import TASK_NAMES, rows
from pipeline.report.originals import pictures_of, read_all
from pipeline.report.templating import templates
from pipeline.shard_pictures import ShardPictures, index_of, pictured
from pipeline.source import Encoded, Row

SHOWN = 24
"""Patches on the page, spread evenly over the shared ones; their pictures lie in the page itself."""
TYPES = {"jpg": "image/jpeg", "png": "image/png"}


def write_page(comparison: Comparison, runs: Sequence[Run], page: Path) -> None:
    """Writes one self-contained HTML file: nothing is loaded from anywhere, and no script runs.

    Raises:
        DownloadError: a shard that holds a picture is damaged.
    """
    patches = _chosen(comparison, runs)
    said = [_said(run, patches) for run in runs]
    pictures, missing = _pictures(runs, patches)
    text = (
        templates()
        .get_template("compare.html.j2")
        .render(
            comparison=comparison,
            labels=[run.label for run in runs],
            headings=headings(),
            run_cells=run_cells(comparison),
            difference_cells=difference_cells(comparison),
            cards=[
                {"patch_id": patch, "picture": pictures.get(patch), "columns": [each.get(patch, []) for each in said]}
                for patch in patches
            ],
            missing=missing,
        )
    )
    write_text(page, text)


def pieces(text: str, claims: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """A caption cut at its claims: text, verdict (empty between claims; `hedge` for hedges), and what it was held to.

    Of claims that overlap, the first is shown.
    """
    found: list[tuple[str, str, str]] = []
    place = 0
    for claim in sorted(claims, key=lambda claim: (claim["span"][0], -claim["span"][1])):
        start, stop = claim["span"]
        if start < place or stop > len(text) or start >= stop:
            continue
        verdict = "hedge" if claim["kind"] == "hedge" else claim["verdict"]
        held = " ".join(str(claim[key]) for key in ("kind", "fact", "element") if claim[key])
        found += [(text[place:start], "", ""), (text[start:stop], verdict, f"{claim['verdict']}: {held}")]
        place = stop
    return [piece for piece in (*found, (text[place:], "", "")) if piece[0]]


def _chosen(comparison: Comparison, runs: Sequence[Run]) -> list[int]:
    """Shared patches that at least one run captioned, spread evenly."""
    captioned = {caption.patch_id for run in runs for caption in run.telling.captions}
    known = [patch for patch in comparison.shared if patch in captioned]
    places: Sequence[int] = (
        np.unique(np.linspace(0, len(known) - 1, min(SHOWN, len(known))).astype(int)).tolist() if known else []
    )
    return [known[place] for place in places]


def _said(run: Run, patches: Sequence[int]) -> dict[int, list[Row]]:
    """What a run says of some patches: captions with their claims, and answers that were refused for good."""
    found: defaultdict[int, list[Row]] = defaultdict(list)
    wanted = pc.field("patch_id").isin(list(patches))
    for kind, more in (("captions", ()), ("rejected", ("reasons", "final"))):
        for row in rows(run.folder, kind, ("patch_id", "task", "text", "annotator", "claims", *more), wanted):
            if row.get("final", True):
                found[row["patch_id"]].append(
                    {
                        "task": TASK_NAMES[row["task"]],
                        "annotator": row["annotator"],
                        "pieces": pieces(row["text"], from_json(row["claims"] or "[]")),
                        "reasons": row.get("reasons", []),
                    }
                )
    return dict(found)


def _pictures(runs: Sequence[Run], patches: Sequence[int]) -> tuple[dict[int, str], list[str]]:
    """Pictures as data URIs, by patch, from the first run that has them, and why others have none."""
    found: dict[int, str] = {}
    missing = []
    for run in runs:
        wanted = [patch for patch in patches if patch not in found]
        pictures, cause = _shards(run, wanted) if pictured(run.folder.shards) else _originals(run, wanted)
        missing += [f"{run.label}: {cause}"] if cause else []
        for patch, picture in pictures.items():
            found[patch] = f"data:{TYPES[picture.suffix]};base64,{b64encode(picture.content).decode()}"
    return found, missing if len(found) < len(patches) else []


def _shards(run: Run, wanted: Sequence[int]) -> tuple[dict[int, Encoded], str]:
    indexes = [index_of(shard) for shard in pictured(run.folder.shards)]
    held = {
        patch
        for index in indexes
        for patch in pq.read_table(index, columns=["patch_id"], partitioning=None)["patch_id"].to_pylist()
    }
    pictures = ShardPictures(run.folder.shards)
    return {patch: pictures.read({"patch_id": patch}) for patch in wanted if patch in held}, ""


def _originals(run: Run, wanted: Sequence[int]) -> tuple[dict[int, Encoded], str]:
    """From where the samples have them, and why some cannot be had."""
    found, cause = dict[int, Encoded](), ""
    try:
        pictures = pictures_of(run.folder, run.info) if wanted else None
        for patch, picture in read_all(pictures, run.folder, wanted) if pictures else ():
            if isinstance(picture, Encoded):
                found[patch] = picture
            else:
                cause = cause or str(picture)
    except (DownloadError, PipelineError) as error:
        cause = str(error)
    return found, cause
