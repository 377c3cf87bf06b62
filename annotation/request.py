"""What is asked of an engine, and what comes back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict

TASKS: Mapping[str, int] = {"area": 1, "non_area": 2, "revision": 3, "scene": 4, "recaption": 5, "gaia": 6}
"""Task numbers as they stand in a shard; 1 to 3 are RSTeller's, ours go on from 4."""


class Message(TypedDict):
    """One turn of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class ElementFacts:
    """What is known of one element in one patch.

    Attributes:
        id: OSM id, `way/123`; a group of repeated elements has the id of its first, and `facts["count"]`.
        kind: `area`, `line` or `point`.
        tags: OSM tags as mapped.
        facts: measures by their contract names (`share`, `position`, …), values ready for JSON.
    """

    id: str
    kind: str
    tags: Mapping[str, str]
    facts: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """The element as it stands in a sample."""
        return {"id": self.id, "kind": self.kind, "tags": dict(self.tags), "facts": dict(self.facts)}


@dataclass(frozen=True, slots=True)
class Request:
    """One caption asked for.

    Attributes:
        key: unique within the run, and the same on every run: `<patch_id>/<task>/<attempt>`.
        task: a key of `TASKS`.
        messages: the chat; all but the last are the template's fixed prefix.
        elements: what the caption has to be true to.
        gsd: metres per pixel of the picture.
        seed: sampling seed, from the run's seed and the key.
        prompt: template and version, `area@3f2a91c0`.
        draft: the caption to be rewritten, for revisions.
        max_tokens: longest answer accepted.
        temperature: sampling temperature.
        n: how many answers are wanted.
        place: names of the areas around the picture, as far as the prompt tells them.
        schema: JSON schema that the answer has to follow; None: running text is wanted.
        picture: a JPEG, PNG or WebP file for engines that see; None: nobody is shown anything.
    """

    key: str
    task: str
    messages: tuple[Message, ...]
    elements: tuple[ElementFacts, ...]
    gsd: float
    seed: int
    prompt: str
    draft: str = ""
    max_tokens: int = 300
    temperature: float = 0.7
    n: int = 1
    place: tuple[str, ...] = ()
    schema: Mapping[str, Any] | None = None
    picture: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer.

    Attributes:
        key: of the request.
        text: the answer.
        annotator: name of the engine.
        finish_reason: `stop`, or `length` where the answer was cut off.
        prompt_tokens: of the request; counted with its first answer only.
        completion_tokens: of this answer.
        cached_tokens: prompt tokens that the engine had at hand.
        error: why there is no answer; empty if there is one.
        lasting: the error is the request's own, such as a prompt too long for the model: asking again is no use.
        draft: which of the request's answers this is, from 0.
    """

    key: str
    text: str
    annotator: str
    finish_reason: str = "stop"
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    error: str = ""
    lasting: bool = False
    draft: int = 0
