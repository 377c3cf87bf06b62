"""The checks of a run: hygiene first, then claims, and what each kind of claim may cost a caption."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from annotation import gaia
from annotation.checks.claiming.reading import Kind
from annotation.checks.claims import Claim, read_claims
from annotation.checks.hygiene import MOST_CHARACTERS, hygiene, label
from annotation.checks.tidiness.caption import shown
from annotation.request import Request
from annotation.tagging.names import reads_as_order
from annotation.tags import TagTable

Consequence = Literal["reject", "count"]
"""`reject` refuses the caption, `count` only counts the claim."""

_KEYS: Mapping[Kind, str] = {kind: "classes" if kind == "class" else f"{kind}s" for kind in get_args(Kind)}
_QUOTED = 60
"""Characters of a claim that a reason shows."""
_TOLD = frozenset(("too short", "too long"))
"""Labels of reasons that quote nothing of the answer."""
_MOST_COMPLAINTS = 6
_UNSAFE = re.compile(r"[^\w .,%°-]+")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the checks have to say of a caption.

    Attributes:
        reasons: why it is refused, `label: detail` each; empty if it is not.
        claims: what it claims.
    """

    reasons: tuple[str, ...]
    claims: tuple[Claim, ...] = ()


Judge = Callable[[Request, str], Verdict]
"""Checks an answer to a request."""


class Checks(BaseModel):
    """How strict the checks are: what becomes of a caption with a claim that no fact bears out, by kind of claim.

    Attributes:
        contradicted: claims of any kind that a fact speaks against.
        names: proper names that nothing carries.
        numbers: lengths, areas, distances that no fact gives.
        classes: things that are not known to be there.
        shares: shares of the picture that no fact gives.
        counts: how many there are of something.
        positions: places in the picture.
        directions: compass directions and orientations.
        edges: edges of the picture that cut something.
        courses: straight, curved, winding.
        shapes: square, round, irregular.
        relations: what crosses, touches or contains what.
        attributes: what else is said of a thing.
        hedges: what is only supposed.
        max_repeat: a run fails if one text is a larger share of its captions.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    contradicted: Consequence = "reject"
    names: Consequence = "reject"
    numbers: Consequence = "reject"
    classes: Consequence = "reject"
    shares: Consequence = "reject"
    counts: Consequence = "reject"
    positions: Consequence = "count"
    directions: Consequence = "count"
    edges: Consequence = "count"
    courses: Consequence = "count"
    shapes: Consequence = "count"
    relations: Consequence = "count"
    attributes: Consequence = "count"
    hedges: Consequence = "count"
    max_repeat: float = Field(default=0.05, gt=0, le=1)

    def judge(self, request: Request, text: str, table: TagTable | None = None) -> Verdict:
        """Checks a text as the answer to a request; where the request has no facts, its hygiene alone.

        Args:
            request: its task, elements, messages, GSD and places count; a GSD of 0 is unknown.
            text: the caption, whoever wrote it.
            table: nouns and attributes of tags; left out, the shipped one.
        """
        text = text.strip()
        if request.task == gaia.TASK:
            return Verdict(gaia.reasons(request, text))
        reasons = hygiene(text, request.task, request.elements, request.messages)
        if not text or len(text) > MOST_CHARACTERS or not any(element.facts for element in request.elements):
            return Verdict(reasons)
        claims = read_claims(text, request.elements, table=table, gsd=request.gsd or None, place=request.place)
        doubted = [claim for claim in claims if claim.verdict != "supported"]
        refused = dict.fromkeys(_reason(claim) for claim in doubted if self.rejects(claim))
        return Verdict((*reasons, *refused), tuple(claims))

    def rejects(self, claim: Claim) -> bool:
        """Whether a caption with this claim is refused."""
        if claim.verdict == "contradicted":
            return self.contradicted == "reject"
        return claim.verdict == "unsupported" and getattr(self, _KEYS[claim.kind]) == "reject"


def complaint(reasons: Sequence[str]) -> str:
    """What is told of a refused answer when it is asked for again.

    Whatever the answer held was perhaps put there by whoever typed a name into the map: only the labels of reasons are
    said, and of claims a few harmless words.
    """
    said = dict.fromkeys(map(_complaint, reasons))
    return f"An earlier caption was refused ({'; '.join(list(said)[:_MOST_COMPLAINTS])}). Mend that."


def _reason(claim: Claim) -> str:
    return f"{claim.verdict} {claim.kind}: {shown(claim.text, _QUOTED)}"


def _complaint(reason: str) -> str:
    name, _, detail = reason.partition(": ")
    if name in _TOLD:
        return reason
    verdict, _, kind = name.partition(" ")
    if kind not in _KEYS or verdict not in ("contradicted", "unsupported"):
        return label(reason)
    told = "contradicts the facts" if verdict == "contradicted" else "is not in the facts"
    quote = " ".join(_UNSAFE.sub(" ", detail).split())[:_QUOTED]
    return f"{kind} {told}" if not quote or reads_as_order(quote) else f"{kind} {told}: {quote}"
