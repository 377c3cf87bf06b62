"""The engine without a model: varied English made from facts by a grammar."""

from collections.abc import AsyncIterator, Sequence
from typing import ClassVar, Literal

from annotation import gaia
from annotation.engines.engine import Engine
from annotation.grammar.caption import caption
from annotation.grammar.gaia import answer as gaia_answer
from annotation.request import Completion, Request


class GrammarEngine(Engine):
    """Words facts by rules: the default of the demo, the rule-based baseline, the deterministic engine of the tests.

    Attributes:
        kind: `grammar`.
    """

    at_once: ClassVar[bool] = True

    kind: Literal["grammar"] = "grammar"
    name: str = "grammar"

    async def generate(self, requests: Sequence[Request]) -> AsyncIterator[Completion]:
        """Completions of each request, in order."""
        for request in requests:
            for draft in range(request.n):
                text = self.tell(request, draft)
                tokens = len(text.split())
                yield Completion(request.key, text, self.name, completion_tokens=tokens, draft=draft)

    def tell(self, request: Request, draft: int = 0) -> str:
        """A caption for a request; the same for the same facts and seed."""
        if request.task == gaia.TASK:
            return gaia_answer(request.elements, request.seed + draft)
        return caption(request.elements, request.seed + draft, request.draft)
