"""The page of a comparison: the tables, and what each run says of the same patches, side by side."""

import json
from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.atomic import write_text
from pipeline.compare import Comparison, Run
from pipeline.compare_tables import difference_cells, headings, run_cells
from pipeline.measuring.told import TASK_NAMES, rows
from pipeline.report.templating import templates
from pipeline.run_source import ShardPictures
from pipeline.source import Row

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
                {"patch_id": patch, "picture": picture, "columns": [each.get(patch, []) for each in said]}
                for patch, picture in _pictures(runs, patches)
            ],
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
                        "pieces": pieces(row["text"], json.loads(row["claims"] or "[]")),
                        "reasons": row.get("reasons", []),
                    }
                )
    return dict(found)


def _pictures(runs: Sequence[Run], patches: Sequence[int]) -> Iterator[tuple[int, str]]:
    """Each patch with its picture as a data URI, from the first run whose shards hold it; empty if none does."""
    holders = [(ShardPictures(run.folder.shards), _held(run)) for run in runs]
    for patch in patches:
        pictures = next((pictures for pictures, held in holders if patch in held), None)
        picture = pictures.read({"patch_id": patch}) if pictures else None
        code = b64encode(picture.content).decode() if picture else ""
        yield patch, f"data:{TYPES[picture.suffix]};base64,{code}" if picture else ""


def _held(run: Run) -> set[int]:
    indexes = run.folder.shards.glob("*.parquet")
    return {
        patch
        for index in indexes
        for patch in pq.read_table(index, columns=["patch_id"], partitioning=None)["patch_id"].to_pylist()
    }
