"""Files appear whole or not at all."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

UNFINISHED = ".unfinished"
"""Suffix of a file or folder that is being written; one left behind belongs to a run that was killed."""


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A path beside the target to write to; renamed over the target when the block ends well, removed when not."""
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.{os.getpid()}{UNFINISHED}")
    try:
        yield beside
        with beside.open("rb") as written:
            os.fsync(written.fileno())
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def write_text(target: Path, text: str) -> None:
    """Writes a text file whole."""
    with replacing(target) as beside:
        beside.write_text(text, encoding="utf-8")


def write_json(target: Path, content: Any) -> None:
    """Writes JSON whole, keys sorted, readable by people."""
    write_text(target, json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def read_json(source: Path) -> Any:
    """Reads JSON."""
    return json.loads(source.read_text(encoding="utf-8"))


def remove_unfinished(folder: Path) -> None:
    """Removes what killed runs left behind; call it only while no other run writes there."""
    for left in sorted(folder.rglob(f".*{UNFINISHED}"), reverse=True):
        if left.is_dir():
            shutil.rmtree(left)
        else:
            left.unlink(missing_ok=True)
