"""The image-text pairs that a CLIP or SigLIP model finds most alike, as SkyScript was filtered."""

import csv
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field

from download.paths import ConfigPath
from pipeline.atomic import replacing, write_json
from pipeline.cluster import cluster
from pipeline.embed import EmbeddingModel
from pipeline.embed.pairs import Pair, blocks, reading
from pipeline.embed.scoring import Scored, score_blocks
from pipeline.embed.selection import Batch, select
from pipeline.errors import PipelineError
from pipeline.fingerprint import digest

BLOCK = 4096
"""Pairs that are scored and stored together."""

SCORES = pa.schema({"filepath": pa.string(), "similarity": pa.float32(), "class": pa.string(), "skipped": pa.string()})
KEY = b"mapteller"


class ClipFilter(BaseModel):
    """What is filtered, by which model, and how much is kept.

    Attributes:
        name: of the dataset, the first word of the files: `SkyScript` gives the published names.
        pairs: CSV of `filepath` and at least one column of text.
        images: folder that `filepath` starts from; it may hold the zip parts themselves.
        model: who compares.
        scorer: what the files call the model; the published ones are `openai` and `laion_RS`.
        text: column that is compared with the picture.
        keep: percents, each a file.
        by: `class` keeps the best of each class, so that rare ones stay; `all` the best of all, as published.
        class_column: column that names a pair's class; left out: the first tag of `title`, before the first comma.
        workers: copies of the model, each a Ray actor.
        cpus: of each.
        gpus: of each.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(default="SkyScript", pattern=r"^[\w.-]+$")
    pairs: ConfigPath
    images: ConfigPath
    model: EmbeddingModel
    scorer: str = Field(default="openai", pattern=r"^[\w.-]+$")
    text: str = "title"
    keep: tuple[int, ...] = (20, 30, 50)
    by: Literal["class", "all"] = "class"
    class_column: str | None = None
    workers: int = Field(default=1, ge=1)
    cpus: float = Field(default=1, ge=0)
    gpus: float = Field(default=0, ge=0)

    def run(self, out: Path, address: str | None = None) -> dict[str, Any]:
        """Scores the pairs, unless they are scored already, and writes one CSV for each percent.

        Args:
            out: folder for the CSVs, `scores/` and `filter.json`.
            address: of a Ray cluster; None starts Ray here.

        Returns:
            What `filter.json` says: `pairs`, `scored`, `skipped` (by reason), `classes` and `files` with their rows.

        Raises:
            PipelineError: files or model cannot be used, or nothing could be scored.
        """
        self.check()
        self._score(out / "scores", address)
        told = write_best(self, _parts(out / "scores"), out)
        write_json(out / "filter.json", told)
        return told

    def check(self) -> None:
        """Looks at everything before work begins.

        Raises:
            PipelineError: a file, a column or a percent is wrong.
        """
        wrong = [percent for percent in self.keep if not 0 < percent <= 100]
        if wrong or not self.keep:
            raise PipelineError(f"keep: percents lie above 0 and up to 100, not {wrong}.")
        if not self.images.is_dir():
            raise PipelineError(f"images: {self.images} is no folder.")
        self.model.check()
        with reading(self.pairs) as reader:
            needed = {"filepath", self.text, self.class_column or "title"}
            missing = sorted(needed - set(reader.fieldnames or ()))
        if missing:
            raise PipelineError(f"pairs: {self.pairs} has no column {missing[0]!r}.")

    def file(self, percent: int) -> str:
        """The published name, such as `SkyScript_train_top30pct_filtered_by_CLIP_openai.csv`."""
        return f"{self.name}_train_top{percent}pct_filtered_by_CLIP_{self.scorer}.csv"

    def class_of(self, pair: Pair) -> str:
        """What a pair is ranked among."""
        if self.by == "all":
            return ""
        return pair[self.class_column] if self.class_column else pair["title"].partition(",")[0].strip()

    def _score(self, folder: Path, address: str | None) -> None:
        """Blocks whose part is there already with the same pairs, images and model are not scored again."""
        todo: list[tuple[int, str]] = []
        number = -1
        for number, block in enumerate(blocks(self.pairs, BLOCK)):
            key = self._key(block)
            if _key_of(_part(folder, number)) != key:
                todo.append((number, key))
        for left in folder.glob("*.parquet"):
            if int(left.stem) > number:
                left.unlink()
        if not todo:
            return
        keys = dict(todo)
        with cluster(address, math.ceil(self.workers * self.cpus) or 1, ()):
            wanted = (
                (number, block, self.text) for number, block in enumerate(blocks(self.pairs, BLOCK)) if number in keys
            )
            scores = score_blocks(self.model, self.images, wanted, workers=self.workers, cpus=self.cpus, gpus=self.gpus)
            for number, pairs, scored in scores:
                _write(_part(folder, number), self._table(pairs, scored), keys[number])

    def _key(self, block: Sequence[Pair]) -> str:
        texts = [[pair["filepath"], pair[self.text], self.class_of(pair)] for pair in block]
        return digest([texts, str(self.images), self.model.digest()])

    def _table(self, block: Sequence[Pair], scored: Scored) -> pa.Table:
        columns = {
            "filepath": [pair["filepath"] for pair in block],
            "similarity": scored.similarity,
            "class": [self.class_of(pair) for pair in block],
            "skipped": scored.skipped,
        }
        return pa.table(columns, schema=SCORES)


def write_best(settings: ClipFilter, parts: Sequence[Path], out: Path) -> dict[str, Any]:
    """Chooses by the scores and writes the CSVs: the rows of `pairs`, all columns, in their order.

    Args:
        settings: the filter.
        parts: of the scores, in the order of `pairs`.
        out: folder of the CSVs.

    Returns:
        See `ClipFilter.run`.

    Raises:
        PipelineError: no pair has a score.
    """
    classes, reasons, total = _census(parts)
    if total == sum(reasons.values()):
        raise PipelineError(f"No pair could be scored; {next(iter(reasons), 'the CSV has no rows')}. See images: "
                            f"{settings.images}.")  # fmt: skip
    percents = sorted(set(settings.keep))
    chosen = [select(lambda: _numbers(parts, classes), percent / 100, len(classes)) for percent in percents]
    with ExitStack() as files, reading(settings.pairs) as reader:
        writers = []
        for percent in percents:
            target = files.enter_context(replacing(out / settings.file(percent)))
            stream = files.enter_context(target.open("w", encoding="utf-8", newline=""))
            writer = csv.DictWriter(stream, list(reader.fieldnames or ()), lineterminator="\n", extrasaction="ignore")
            writer.writeheader()
            writers.append(writer)
        rows = iter(reader)
        for similarity, numbers in _numbers(parts, classes):
            pairs = list(islice(rows, len(similarity)))
            for writer, selection in zip(writers, chosen, strict=True):
                kept = selection.keep(similarity, numbers)
                writer.writerows(pair for pair, wanted in zip(pairs, kept.tolist(), strict=True) if wanted)
    files_told = {settings.file(percent): int(selection.kept.sum())
                  for percent, selection in zip(percents, chosen, strict=True)}  # fmt: skip
    return {
        "by": settings.by, "model": settings.model.name, "text": settings.text, "pairs": total,
        "scored": total - sum(reasons.values()), "skipped": dict(sorted(reasons.items())),
        "classes": len(classes), "files": files_told,
    }  # fmt: skip


def _census(parts: Iterable[Path]) -> tuple[dict[str, int], dict[str, int], int]:
    """Numbers of the classes in order of appearance, reasons why pairs have no score, and how many pairs there are."""
    classes: dict[str, int] = {}
    reasons: dict[str, int] = {}
    total = 0
    for part in parts:
        table = pq.read_table(part, columns=["class", "skipped"], partitioning=None)
        for name in table["class"].unique().to_pylist():
            classes.setdefault(name, len(classes))
        for entry in table["skipped"].drop_null().value_counts().to_pylist():
            reasons[entry["values"]] = reasons.get(entry["values"], 0) + entry["counts"]
        total += len(table)
    return classes, reasons, total


def _numbers(parts: Iterable[Path], classes: dict[str, int]) -> Iterator[Batch]:
    for part in parts:
        table = pq.read_table(part, columns=["similarity", "class"], partitioning=None).combine_chunks()
        names = table["class"].combine_chunks().dictionary_encode()
        numbers = np.array([classes[name] for name in names.dictionary.to_pylist()], np.int64)
        similarity = table["similarity"].to_numpy().astype(np.float32)
        yield similarity, numbers[names.indices.to_numpy()]


def _part(folder: Path, number: int) -> Path:
    return folder / f"{number:06d}.parquet"


def _parts(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.parquet"))


def _key_of(part: Path) -> str | None:
    try:
        said = json.loads((pq.read_schema(part).metadata or {}).get(KEY, b"{}"))
    except (OSError, pa.ArrowInvalid):
        return None
    return str(said.get("key"))


def _write(part: Path, table: pa.Table, key: str) -> None:
    with replacing(part) as beside:
        pq.write_table(table.replace_schema_metadata({KEY: json.dumps({"key": key})}), beside)
