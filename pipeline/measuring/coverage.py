"""Which classes of things captions tell, of those that the map has in their pictures."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from annotation.tags import TagTable
from pipeline.measuring.told import rows
from pipeline.store import RunFolder
from pipeline.tables import tag_table


def coverage(folder: RunFolder, overlay: Path | None) -> dict[str, Any]:
    """How often each class is there and told, over captioned patches; a class is the tag that says what a thing is.

    Args:
        folder: of the run.
        overlay: the CSV that was laid over the tag table, if any.

    Returns:
        `classes_present` and `classes_told`: how many; `of_class`: by tag its noun, in how many patches it is
        `present`, in how many a caption has `told` it, and the `share`.
    """
    told: defaultdict[int, set[str]] = defaultdict(set)
    for row in rows(folder, "captions", ("patch_id", "elements")):
        told[row["patch_id"]].update(row["elements"])
    namer = _Namer(tag_table(overlay))
    present: defaultdict[str, set[int]] = defaultdict(set)
    spoken: defaultdict[str, set[int]] = defaultdict(set)
    for row in rows(folder, "elements", ("patch_id", "id", "tags")):
        name = namer.of(row["tags"])
        if name:
            present[name].add(row["patch_id"])
            if row["id"] in told[row["patch_id"]]:
                spoken[name].add(row["patch_id"])
    return {
        "classes_present": len(present),
        "classes_told": len(spoken),
        "of_class": {
            name: {
                "noun": namer.nouns[name],
                "present": len(patches),
                "told": len(spoken.get(name, ())),
                "share": round(len(spoken.get(name, ())) / len(patches), 6),
            }
            for name, patches in sorted(present.items())
        },
    }


@dataclass(slots=True)
class _Namer:
    """Finds classes; the same tags come again and again."""

    table: TagTable
    nouns: dict[str, str] = field(default_factory=dict)
    known: dict[tuple[tuple[str, str], ...], str] = field(default_factory=dict)

    def of(self, tags: Sequence[tuple[str, str]]) -> str:
        """The tag that says what a thing is, as `key=value`; empty if none does."""
        key = tuple(tags)
        if key not in self.known:
            main = self.table.main_tag(dict(tags))
            self.known[key] = "=".join(main) if main else ""
            if main:
                self.nouns["=".join(main)] = self.table.noun(dict([main]))
        return self.known[key]
