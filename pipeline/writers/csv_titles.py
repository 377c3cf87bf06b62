"""SkyScript's format: tables of pictures and titles, with the new captions beside them."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from annotation.request import TASKS
from pipeline.writers.sample import Sample
from pipeline.writers.writer import Writer

COLUMNS = ("filepath", "title", "title_multi_objects", "caption", "task", "annotator")
"""The published ones, and ours."""
_NAMES = {number: name for name, number in TASKS.items()}


class SkyScriptCsvWriter(Writer):
    """CSV files for loaders that take `filepath` and a column of texts; a row a caption, pictures stay where they are.

    Attributes:
        kind: `skyscript_csv`.
        samples_per_shard: pictures in a file.
    """

    wants_elements: ClassVar[bool] = False
    wants_pictures: ClassVar[bool] = False
    """Pictures stay where they are."""

    kind: Literal["skyscript_csv"]
    samples_per_shard: int = Field(default=100_000, ge=1)

    @property
    def suffix(self) -> str:
        """Ending of a shard's file name."""
        return ".csv"

    def write(self, samples: Iterable[Sample], target: Path) -> list[dict[str, Any]]:
        """Writes one file; the same samples give the same bytes.

        Returns:
            An index row for each sample: its patch id, image name, split, tasks, and where in the file its rows lie.
        """
        rows = []
        with target.open("wb") as stream:
            stream.write(_lines([COLUMNS]))
            for sample in samples:
                offset = stream.tell()
                stream.write(_lines(_rows(sample)))
                rows.append(
                    {
                        "patch_id": sample.patch_id,
                        "image_name": sample.metadata["image_name"],
                        "split": sample.metadata["split"],
                        "tasks": [annotation["task"] for annotation in sample.annotations],
                        "offset": offset,
                        "bytes": stream.tell() - offset,
                    }
                )
        return rows


def _rows(sample: Sample) -> list[tuple[str, ...]]:
    told = sample.metadata
    published = (
        str(told.get("filepath") or told["image_name"]),
        str(told.get("title") or ""),
        str(told.get("title_multi_objects") or ""),
    )
    return [
        (*published, annotation["text"], _NAMES[annotation["task"]], annotation["annotator"])
        for annotation in sample.annotations
    ]


def _lines(rows: Iterable[Iterable[str]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue().encode()
