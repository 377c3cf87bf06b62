"""The engine without a model: varied English made from facts by a grammar."""

from collections.abc import AsyncIterator, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from annotation.grammar.caption import caption
from annotation.request import Completion, Request


class GrammarEngine(BaseModel):
    """Words facts by rules: the default of the demo, the rule-based baseline, the deterministic engine of the tests.

    Attributes:
        kind: `grammar`.
        name: what `annotator` says.
        replicas: how many copies answer side by side.
        share: share of the samples where engines are assigned by share.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["grammar"] = "grammar"
    name: str = "grammar"
    replicas: int = Field(default=1, ge=1)
    share: float | None = Field(default=None, gt=0, le=1)

    async def generate(self, requests: Sequence[Request]) -> AsyncIterator[Completion]:
        """One completion for each request, in order."""
        for request in requests:
            text = self.tell(request)
            yield Completion(request.key, text, self.name, completion_tokens=len(text.split()))

    def tell(self, request: Request) -> str:
        """The caption for a request; the same for the same facts and seed."""
        return caption(request.elements, request.seed, request.draft)
