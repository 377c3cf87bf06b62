r"""GAIA's format: JSON of addresses and captions, which img2dataset reads unchanged.

img2dataset --url_list train_data.json --input_format json --url_col image_src --caption_col image_alt \
    --save_additional_columns "['id','captions']" --output_format webdataset --output_folder train
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar, Literal, TextIO

from pydantic import Field

from download.records.gazetteer import Gazetteer, Located
from pipeline.atomic import replacing
from pipeline.errors import PipelineError
from pipeline.gaia_samples import Places
from pipeline.writers.sample import Sample
from pipeline.writers.writer import Writer

SPLITS = ("train", "validation", "test")
ANSWERED = ("location", "tag", "resolution", "satellite", "sensor", "modalities")
"""Fields that the answer gives anew; where it leaves one empty, the record's own stays."""


class GaiaJsonWriter(Writer):
    """JSON arrays of records, one record a line; at the end one file for each split.

    Attributes:
        kind: `gaia_json`.
        samples_per_shard: records of a part.
        places: who finds the coordinates of a location that only the answer names; null: nobody.
    """

    wants_elements: ClassVar[bool] = False
    wants_pictures: ClassVar[bool] = False
    """Pictures stay where they are."""

    kind: Literal["gaia_json"]
    samples_per_shard: int = Field(default=10_000, ge=1)
    places: Places | None = Gazetteer()

    @property
    def suffix(self) -> str:
        """Ending of a part's file name."""
        return ".json"

    def write(self, samples: Iterable[Sample], target: Path) -> list[dict[str, Any]]:
        """Writes one part; the same samples give the same bytes.

        Returns:
            An index row for each sample: its patch id, image name, split and tasks.

        Raises:
            PipelineError: a sample's picture has no address.
        """
        rows = []
        with target.open("w", encoding="utf-8") as file:
            array = _Array(file)
            for sample in samples:
                array.add(self._record(sample))
                rows.append(
                    {
                        "patch_id": sample.patch_id,
                        "image_name": sample.metadata["image_name"],
                        "split": sample.metadata["split"],
                        "tasks": [annotation["task"] for annotation in sample.annotations],
                    }
                )
            array.close()
        return rows

    def finish(self, folder: Path) -> list[Path]:
        """Deals the records of all parts out to `train_data.json`, `validation_data.json` and `test_data.json`.

        Args:
            folder: of the parts.

        Returns:
            The files, of splits that hold a record.
        """
        targets = {split: folder / f"{split}_data.json" for split in SPLITS}
        counts = dict.fromkeys(SPLITS, 0)
        with ExitStack() as stack:
            arrays = {}
            for split, target in targets.items():
                beside = stack.enter_context(replacing(target))
                arrays[split] = _Array(stack.enter_context(beside.open("w", encoding="utf-8")))
            for part in sorted(folder.glob("Patches*.json")):
                for record in _records(part):
                    if record["split"] in arrays:
                        arrays[record["split"]].add(record)
                        counts[record["split"]] += 1
            for array in arrays.values():
                array.close()
        for split, target in targets.items():
            if not counts[split]:
                target.unlink()
        return [target for split, target in targets.items() if counts[split]]

    def _record(self, sample: Sample) -> dict[str, Any]:
        known, name = sample.metadata.get("record"), sample.metadata["image_name"]
        if not known:
            raise PipelineError(
                f"output.kind: gaia_json lists pictures by their addresses, and that of {name} has none. "
                "It goes with samples of kind gaia; for others choose webdataset."
            )
        answer: Mapping[str, Any] = next((said["answer"] for said in sample.annotations if said.get("answer")), {})
        record = {**known, **{field: answer[field] for field in ANSWERED if answer.get(field) not in (None, "", [])}}
        if known["resolution"] and answer.get("resolution") == "Unknown":
            record["resolution"] = known["resolution"]
        located: Mapping[str, Any] = sample.metadata["located"] or {}
        if record["lat"] is None and self.places and (found := self.places.locate(str(record["location"]))):
            record |= {"lat": found.lat, "lon": found.lon}
            located = _sureness(found)
        return {
            **record,
            "captions": [said["text"] for said in sample.annotations],
            "location_by": located.get("by"),
            "location_sure": located.get("sure"),
            "annotator": sample.annotations[0]["annotator"],
            "split": sample.metadata["split"],
        }


class _Array:
    """A JSON array, an item a line."""

    def __init__(self, file: TextIO) -> None:
        self.file, self.before = file, "[\n"

    def add(self, item: Mapping[str, Any]) -> None:
        self.file.write(self.before + json.dumps(item, ensure_ascii=False))
        self.before = ",\n"

    def close(self) -> None:
        self.file.write("[]\n" if self.before.startswith("[") else "\n]\n")


def _records(part: Path) -> Iterator[dict[str, Any]]:
    """Items of an array that `_Array` wrote, a line at a time."""
    with part.open(encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("{"):
                yield json.loads(line.rstrip("\n").removesuffix(","))


def _sureness(found: Located) -> dict[str, Any]:
    return {"sure": found.sure, "by": found.by}
