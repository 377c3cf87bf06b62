"""Which classes of things captions tell, of those that the map has in their pictures."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from annotation.tags import TagTable
from pipeline.measuring.told import unit_rows, units
from pipeline.store import RunFolder
from pipeline.tables import tag_table

REMEMBERED = 10_000
"""Sets of tags whose class is kept at hand; addresses and names make ever new ones."""


def coverage(folder: RunFolder, overlay: Path | None) -> dict[str, Any]:
    """How often each class is there and told, over captioned patches; a class is the tag that says what a thing is.

    Args:
        folder: of the run.
        overlay: the CSV that was laid over the tag table, if any.

    Returns:
        `classes_present` and `classes_told`: how many; `of_class`: by tag its noun, in how many patches it is
        `present`, in how many a caption has `told` it, and the `share`.
    """
    namer = _Namer(tag_table(overlay))
    present, spoken = Counter[str](), Counter[str]()
    for unit in units(folder):
        seen, told = _of_unit(folder, unit, namer)
        present.update(name for name, _ in seen)
        spoken.update(name for name, _ in told)
    return {
        "classes_present": len(present),
        "classes_told": len(spoken),
        "of_class": {
            name: {
                "noun": namer.nouns[name],
                "present": patches,
                "told": spoken[name],
                "share": round(spoken[name] / patches, 6),
            }
            for name, patches in sorted(present.items())
        },
    }


def _of_unit(folder: RunFolder, unit: str, namer: "_Namer") -> tuple[set[tuple[str, int]], set[tuple[str, int]]]:
    """Classes with the patches that have them, and with those whose captions tell them; a patch is in no other unit."""
    elements: defaultdict[int, set[str]] = defaultdict(set)
    for row in unit_rows(folder, unit, "captions", ("patch_id", "elements")):
        elements[row["patch_id"]].update(row["elements"])
    seen, told = set(), set()
    for row in unit_rows(folder, unit, "elements", ("patch_id", "id", "tags")):
        name = namer.of(row["tags"])
        if name:
            seen.add((name, row["patch_id"]))
            if row["id"] in elements[row["patch_id"]]:
                told.add((name, row["patch_id"]))
    return seen, told


@dataclass(slots=True)
class _Namer:
    """Finds classes; the same tags come again and again, and some only once."""

    table: TagTable
    nouns: dict[str, str] = field(default_factory=dict)
    known: dict[tuple[tuple[str, str], ...], str] = field(default_factory=dict)

    def of(self, tags: Sequence[tuple[str, str]]) -> str:
        """The tag that says what a thing is, as `key=value`; empty if none does."""
        key = tuple(tags)
        if key not in self.known:
            if len(self.known) == REMEMBERED:
                self.known.clear()
            main = self.table.main_tag(dict(tags))
            self.known[key] = "=".join(main) if main else ""
            if main:
                self.nouns["=".join(main)] = self.table.noun(dict([main]))
        return self.known[key]
