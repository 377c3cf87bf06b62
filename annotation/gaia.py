"""Task `gaia`: metadata and five captions of one picture, as structured output.

The fields are those of the published records (Zavras et al., 2025, arXiv:2502.09598, and the names in its JSON).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import combinations
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from annotation.checks.diversity import tokens
from annotation.checks.hygiene import hygiene
from annotation.errors import AnnotationError
from annotation.record import entries
from annotation.request import ElementFacts, Request

TASK = "gaia"
CAPTIONS = 5
MAX_TOKENS = 1_500
"""Longest answer: five captions of `WORDS[1]` words, two tokens each, and the metadata."""
WORDS = (10, 120)
"""Fewest and most words of a caption."""
ALIKE = 0.5
"""Share of runs of three words that two captions of one picture may have in common. Near-duplicates across a dataset
begin at 0.8; five captions of one picture are to say different things, so half is too much already."""
LONGEST = 20_000
"""Characters of an answer; longer ones are refused unread."""

Resolution = Literal["Low", "Moderate", "High", "Very High", "Unknown"]
"""The published classes, and a word for a record that does not say and a picture that does not tell."""

_Entry = Annotated[str, Field(max_length=200)]


class Answer(BaseModel):
    """What is asked for: metadata of a picture and its captions.

    Attributes:
        location: `Landmark, City, Country`, as far as known; empty if not.
        tag: one to three themes.
        modalities: how it was made: optical, SAR, thermal and the like.
        satellite: platforms; empty if unknown.
        sensor: instruments; empty if unknown.
        resolution: class of the spatial resolution.
        captions: five, each about something else.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    location: str = Field(max_length=200)
    tag: tuple[_Entry, ...] = Field(min_length=1, max_length=3)
    modalities: tuple[_Entry, ...] = Field(max_length=6)
    satellite: tuple[_Entry, ...] = Field(max_length=12)
    sensor: tuple[_Entry, ...] = Field(max_length=12)
    resolution: Resolution
    captions: tuple[str, ...] = Field(min_length=CAPTIONS, max_length=CAPTIONS)

    @classmethod
    def of(cls, text: str) -> Self:
        """Reads an answer.

        Raises:
            AnnotationError: it is no JSON, or not of this shape.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise AnnotationError(_complaint(error)) from None

    @property
    def metadata(self) -> dict[str, Any]:
        """All but the captions, ready for JSON."""
        return self.model_dump(mode="json", exclude={"captions"})


def structured(request: Request, picture: bytes | None) -> Request:
    """A request that asks for an answer of this shape, of whoever sees also about the picture."""
    return replace(request, schema=schema(), picture=picture, max_tokens=MAX_TOKENS)


@lru_cache(maxsize=1)
def schema() -> Mapping[str, Any]:
    """JSON schema of an answer, of those words only that structured output knows everywhere.

    Lengths of texts stay out of it: engines count tokens, not words, and cut a text in its middle to end in time.
    """
    made = _plain(Answer.model_json_schema())
    made["required"] = list(made["properties"])
    return made


def reasons(request: Request, text: str) -> tuple[str, ...]:
    """Why an answer is refused, `label: detail` each; empty if it is not."""
    if len(text) > LONGEST:
        return (f"too long: {len(text)} characters, at most {LONGEST} are read",)
    try:
        captions = Answer.of(text).captions
    except AnnotationError as error:
        return (str(error),)
    told = [_told(element) for element in request.elements]
    found = [reason for caption in captions for reason in _of_caption(caption, told, request)]
    return tuple(dict.fromkeys((*found, *_alike(captions))))


def likeness(first: str, second: str) -> float:
    """Jaccard similarity of two texts' runs of three words, 0 to 1."""
    one, other = _runs(first), _runs(second)
    return len(one & other) / len(one | other)


def _of_caption(caption: str, told: Sequence[ElementFacts], request: Request) -> Sequence[str]:
    words = len(caption.split())
    if words < WORDS[0]:
        return (f"too short: {words} words, at least {WORDS[0]} are wanted in each caption",)
    if words > WORDS[1]:
        return (f"too long: {words} words, at most {WORDS[1]} are wanted in each caption",)
    return hygiene(caption, TASK, told, request.messages)


def _told(element: ElementFacts) -> ElementFacts:
    """The record as hygiene looks at it: text that may hold orders, and the words that a caption may well say."""
    facts = element.facts
    said = {"alt": str(facts.get("alt") or ""), "location": str(facts.get("location") or "")}
    words = [word for field in ("tag", "modalities", "satellite", "sensor") for word in entries(facts.get(field))]
    return ElementFacts(element.id, element.kind, said, {"attributes": words})


def _alike(captions: Sequence[str]) -> Sequence[str]:
    pairs = combinations(enumerate(captions, 1), 2)
    same = [f"{i} and {j}" for (i, first), (j, second) in pairs if likeness(first, second) >= ALIKE]
    return (f"captions too much alike: {', '.join(same)}",) if same else ()


def _runs(text: str) -> frozenset[tuple[str, ...]]:
    words = tokens(text)
    return frozenset(zip(words, words[1:], words[2:], strict=False)) or frozenset((tuple(words),))


def _complaint(error: ValidationError) -> str:
    """The first thing that is wrong, without a word of the answer: only our own names of fields are told."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    if first["type"] == "json_invalid":
        return "answer is no JSON of the schema: it cannot be read"
    field = next((str(step) for step in first["loc"] if step in Answer.model_fields), "")
    if not field:
        return "answer holds fields that the schema lacks: leave them out"
    return f"answer has a wrong {field}: {first['msg']}"


_KEPT = ("type", "properties", "items", "enum", "minItems", "maxItems", "required", "additionalProperties")


def _plain(node: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in node.items() if key in _KEPT}
    if "properties" in kept:
        kept["properties"] = {name: _plain(each) for name, each in kept["properties"].items()}
    if "items" in kept:
        kept["items"] = _plain(kept["items"])
    return kept
