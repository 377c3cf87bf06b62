"""Several looks at parts of one unit, taken as one."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar

from pipeline.grid_source import GridLook
from pipeline.source import Assignment, Row, Unit

Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class Looks:
    """A unit that was looked at part by part.

    Attributes:
        unit: which unit it is.
        looks: at its parts, in order.
    """

    unit: Unit
    looks: Sequence[GridLook]

    @property
    def assignments(self) -> list[Assignment]:
        """Part by part."""
        return list(chain.from_iterable(look.assignments for look in self.looks))

    @property
    def counts(self) -> Mapping[str, int]:
        """Samples, and elements that were not there yet when the pictures were taken."""
        newer = sum(look.counts["newer"] for look in self.looks)
        return {"laid": self.unit.laid, "kept": self.unit.laid, "newer": newer}

    def patch_rows(self, fates: Mapping[int, str]) -> list[Row]:
        """One for each sample."""
        return list(chain.from_iterable(look.patch_rows(fates) for look in self.looks))

    def element_rows(self, captioned: AbstractSet[int]) -> list[Row]:
        """What captions are about, and what else is known of their surroundings."""
        return list(chain.from_iterable(look.element_rows(captioned) for look in self.looks))


def look_through(
    parts: Iterable[Part], look: Callable[[Part, int | None], GridLook], limit: int | None
) -> list[GridLook]:
    """Looks at part after part, until enough is to be told.

    Args:
        parts: of a unit.
        look: at one of them, telling no more than so many samples.
        limit: how many are enough; None: all.
    """
    looks: list[GridLook] = []
    for part in parts:
        left = None if limit is None else limit - sum(len(each.briefs) for each in looks)
        if left == 0:
            break
        looks.append(look(part, left))
    return looks
