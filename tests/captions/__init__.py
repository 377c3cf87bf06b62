"""Labelled captions: fact sheets, true captions in the manner of several hands, and seeded errors.

`sheets.jsonl`: `{"id", "task", "elements"}`; the measures are such as the pipeline makes over real extracts, the names
are invented. `captions.jsonl`: `{"sheet", "hand", "text"}`, all true; those of a hand `held-out` were written against
the checker as it stood, and it was mended afterwards. `errors.jsonl`: `{"sheet", "kind", "text"}`, each
a true caption with one thing wrong, by hand; `mutations` makes many more by rule.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from annotation.request import ElementFacts

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Labelled:
    """A caption with the facts that it was made from.

    Attributes:
        text: the caption.
        elements: what it has to be true to.
        label: the hand that wrote it; of an error its kind.
    """

    text: str
    elements: tuple[ElementFacts, ...]
    label: str


@lru_cache(maxsize=1)
def sheets() -> dict[str, tuple[ElementFacts, ...]]:
    """Fact sheets by their id."""
    return {sheet["id"]: tuple(ElementFacts(**each) for each in sheet["elements"]) for sheet in _lines("sheets.jsonl")}


@lru_cache(maxsize=1)
def true_captions() -> list[Labelled]:
    """Captions with nothing wrong in them."""
    known = sheets()
    return [Labelled(line["text"], known[line["sheet"]], line["hand"]) for line in _lines("captions.jsonl")]


def errors() -> list[Labelled]:
    """Captions with one thing wrong, written by hand."""
    known = sheets()
    return [Labelled(line["text"], known[line["sheet"]], line["kind"]) for line in _lines("errors.jsonl")]


def _lines(name: str) -> Iterator[dict[str, Any]]:
    with (FOLDER / name).open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)
