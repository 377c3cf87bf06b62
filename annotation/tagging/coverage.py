"""How many elements of an extract the tag table knows."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from annotation.tags import TagTable

COVERED_KEYS: Final = (
    "building", "landuse", "natural", "leisure", "amenity", "highway", "railway", "waterway", "power", "barrier",
    "man_made", "aeroway", "aerialway", "tourism", "historic", "military", "golf", "wetland", "water", "place",
)  # fmt: skip
"""Keys that make a way or an area a thing on the ground, for the purpose of this figure."""

_PLAIN_WORD: Final = re.compile(r"[a-z][a-z_-]{1,39}")


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the table knows of the ways and areas of an extract.

    Attributes:
        total: Ways and areas that carry one of `COVERED_KEYS`.
        visible: Those whose main tag has a row, as visible.
        never_visible: Those whose main tag has a row, as never visible from above.
        gaps: Tags without a row of their own and how often they occur, commonest first.
    """

    total: int
    visible: int
    never_visible: int
    gaps: tuple[tuple[str, int], ...]

    @property
    def share(self) -> float:
        """Known elements / all of them, 0 to 1; 1 where there are none."""
        return (self.visible + self.never_visible) / self.total if self.total else 1.0


def coverage(table: TagTable, tags_iter: Iterable[Mapping[str, str]]) -> Coverage:
    """Count how many elements the table knows by an exact row.

    A catch-all row (`building=*`) counts only where the value says nothing that a row could be written for: a
    number, a sentence, a name in capitals, a foreign script - whatever is no plain lower-case word as in taginfo.

    Args:
        table: The tag table.
        tags_iter: The tags of ways and areas; those without any of `COVERED_KEYS` are passed over.
    """
    counts = {True: 0, False: 0}
    gaps: Counter[str] = Counter()
    for tags in tags_iter:
        if not any(tags.get(key, "no") != "no" for key in COVERED_KEYS):
            continue
        key, value = table.main_tag(tags) or ("", "")
        row = table.row(key, value)
        if row is None or (row.value == "*" and _PLAIN_WORD.fullmatch(value)):
            gaps[f"{key}={value}"] += 1
        else:
            counts[row.seen_from is not None] += 1
    ordered = sorted(gaps.items(), key=lambda gap: (-gap[1], gap[0]))
    return Coverage(gaps.total() + sum(counts.values()), counts[True], counts[False], tuple(ordered))
