"""Files of a finished dataset, by the kind of its output."""

from collections.abc import Mapping
from typing import Any, Final

from pipeline.report.look import Finished
from pipeline.writers.gaia_json import SPLITS

FILES: Final[Mapping[str, str]] = {
    "webdataset": "shards/*.tar",
    "git10m": "shards/*.git10m.parquet",
    "skyscript_csv": "shards/*.csv",
    "gaia_json": "shards/*_data.json",
}
"""What belongs to the dataset; the indexes beside do not."""
MEDIA: Final[Mapping[str, str]] = {
    "webdataset": "application/x-tar",
    "git10m": "application/x-parquet",
    "skyscript_csv": "text/csv",
    "gaia_json": "application/json",
}
"""Media types of these files."""


def data_files(run: Finished) -> Any:
    """For `configs` of a card on Hugging Face: a pattern, or the file of each split where files are split."""
    if run.output == "gaia_json":
        return [{"split": split, "path": f"shards/{name}"} for split, name in split_files(run).items()]
    return FILES[run.output]


def split_files(run: Finished) -> dict[str, str]:
    """Files of the splits, where the output deals them out to files of their own."""
    files = {split: f"{split}_data.json" for split in SPLITS} if run.output == "gaia_json" else {}
    return {split: name for split, name in files.items() if (run.folder.shards / name).exists()}
