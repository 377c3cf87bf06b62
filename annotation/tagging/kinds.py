"""Things that look the same from above and differ in the mapper's choice of words are counted together.

Of twenty houses in a street some are mapped as houses, some as detached houses: a reader who looks at the picture
counts twenty houses. A kind stands here only if its parent's noun is true of it and it is no sight of its own: a
garage is no house, an apartment building is a residential building but looks otherwise, and `building=yes` says
nothing that others could be a kind of. The choice is this project's own judgement.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

Tag = tuple[str, str]

KINDS_OF: Final[Mapping[Tag, tuple[str, ...]]] = {
    ("building", "residential"): ("residential building", "house"),
    ("building", "house"): (
        "house", "detached house", "semi-detached house", "duplex house", "terraced house", "row house", "townhouse",
        "bungalow", "cottage", "villa", "chalet", "dacha", "farmhouse", "holiday home", "holiday cottage",
    ),
    ("building", "farm_auxiliary"): (
        "farm building", "barn", "hay barn", "cowshed", "cattle shed", "livestock building", "stable",
    ),
    ("building", "shed"): ("shed", "allotment hut"),
    ("building", "industrial"): ("industrial building", "factory building"),
    ("man_made", "silo"): ("silo", "cement silo", "fuel silo", "grain silo", "salt silo", "silage silo"),
    ("man_made", "storage_tank"): (
        "storage tank", "tank", "fuel storage tank", "gas storage tank", "oil storage tank", "water tank",
    ),
    ("leisure", "swimming_pool"): ("swimming pool", "outdoor pool"),
    ("natural", "tree"): (
        "tree", "avenue tree", "broadleaved tree", "mixed tree", "needle-leaved tree", "palm tree", "street tree",
    ),
}  # fmt: skip
"""By the tag that says it: what a thing is called, and what is a kind of it."""

_TAGS: Final = {nouns[0]: tag for tag, nouns in KINDS_OF.items()}
_PARENTS: Final = {noun: parent for parent, *nouns in KINDS_OF.values() for noun in nouns}


@lru_cache(maxsize=4096)
def lineage(noun: str) -> tuple[str, ...]:
    """A noun, what it is a kind of, what that is a kind of, and so on; things with the same last are counted together.

    Such as `("detached house", "house", "residential building")`.
    """
    parent = _PARENTS.get(noun)
    return (noun, *lineage(parent)) if parent else (noun,)


def shared_kind(nouns: Iterable[str]) -> tuple[str, Tag]:
    """The narrowest noun that is true of several different ones, and the tag that says it.

    Raises:
        ValueError: they are not counted together.
    """
    first, *others = sorted(nouns)
    for noun in lineage(first):
        if all(noun in lineage(other) for other in others):
            return noun, _TAGS[noun]
    raise ValueError(f"{', '.join([first, *others])} are not of one kind")
