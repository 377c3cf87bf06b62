"""What a caption claims, and whether the facts bear it out: classes, names, numbers, places, relations, hedges.

Each claim is held against the element that it speaks of: the nearest thing in its clause, the subject of its verb,
what a pronoun stands for. Where several may be meant, it is enough that one bears it out. Words mean what
`annotation.words` says, whoever wrote them; what our tables add to it is in `claiming`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter

from annotation.checks.claiming import judge
from annotation.checks.claiming.known import know
from annotation.checks.claiming.lexicon import lexicon_of
from annotation.checks.claiming.reading import Kind, Reading, Verdict
from annotation.checks.claiming.text import folded, read_text
from annotation.request import ElementFacts
from annotation.tags import TagTable

REJECTING: frozenset[Kind] = frozenset(("class", "name", "number", "share", "count"))
"""Kinds of claims that must be borne out; of the others it is enough that nothing speaks against them."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim of a caption.

    Attributes:
        kind: what is claimed. `edge`: an edge of the frame that cuts the thing; `direction`: along which axis, from
            where to where, or in which direction from another thing.
        text: as it stands in the caption.
        span: where it begins and ends, in characters.
        verdict: `supported` by a fact, `contradicted` by one, or `unsupported`: no fact tells.
        element: id of the element that it speaks of; None for a thing that no element is.
        fact: name of the fact that it was held against; None where there is none.
    """

    kind: Kind
    text: str
    span: tuple[int, int]
    verdict: Verdict
    element: str | None
    fact: str | None


def read_claims(
    text: str,
    elements: Sequence[ElementFacts],
    *,
    table: TagTable | None = None,
    gsd: float | None = None,
    place: Sequence[str] = (),
) -> list[Claim]:
    """Claims of a caption, in the order of its words.

    Args:
        text: the caption, whoever wrote it.
        elements: what was known of the picture; facts may be missing or of any type.
        table: nouns and attributes of tags; left out, the shipped one.
        gsd: metres per pixel of the picture, which a caption may tell.
        place: names of the areas around the picture, which a caption may tell.
    """
    table = table or _shipped()
    lexicon = lexicon_of(table)
    known = [know(element, lexicon.classes, table) for element in elements]
    around = [name for name in map(folded, place) if name]
    reading = Reading(read_text(text), known, lexicon, around, gsd)
    found = judge.claims(reading)
    return [Claim(kind, text[span[0] : span[1]], span, verdict, element, fact)
            for kind, span, verdict, element, fact in sorted(found, key=itemgetter(1))]  # fmt: skip


def rejects(claim: Claim) -> bool:
    """Whether a caption with this claim is refused by default: contradicted, or a thing, name or number unheard of."""
    return claim.verdict == "contradicted" or (claim.verdict == "unsupported" and claim.kind in REJECTING)


@lru_cache(maxsize=1)
def _shipped() -> TagTable:
    return TagTable.load()
