"""Ask, check, ask again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

from annotation.checks.length import length_reasons
from annotation.errors import AnnotationError
from annotation.request import Completion, Message, Request

Ask = Callable[[Sequence[Request]], Sequence[Completion]]
"""Takes requests to engines and brings one completion for each, in any order."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request and what became of it.

    Attributes:
        request: what was asked.
        completion: what was answered.
        number: 0 for the first time of asking.
        reasons: why the answer was refused; empty if it was accepted.
        final: no further attempt followed.
    """

    request: Request
    completion: Completion
    number: int
    reasons: tuple[str, ...]
    final: bool

    @property
    def text(self) -> str:
        """The caption."""
        return self.completion.text.strip()


def seed_of(run_seed: int, key: str) -> int:
    """A sampling seed in [0, 2^31) from the run's seed and a request's key; the same everywhere."""
    return int.from_bytes(blake2b(f"{run_seed}/{key}".encode(), digest_size=4).digest(), "big") >> 1


def annotate(requests: Sequence[Request], ask: Ask, *, retries: int, run_seed: int) -> list[Attempt]:
    """Asks for captions until each is accepted or has been refused `retries` + 1 times.

    Args:
        requests: keys end in `/0`, the number of the attempt.
        ask: how engines are reached.
        retries: how often a refused caption is asked again.
        run_seed: seeds of further attempts come from it.

    Returns:
        Every attempt, in the order of requests, earlier attempts first.

    Raises:
        AnnotationError: an engine did not answer every request exactly once.
    """
    attempts: list[list[Attempt]] = [[] for _ in requests]
    waiting = list(enumerate(requests))
    for number in range(retries + 1):
        answers = _answers(ask, [request for _, request in waiting])
        again = []
        for place, request in waiting:
            completion = answers[request.key]
            reasons = _reasons(request, completion)
            final = not reasons or number == retries
            attempts[place].append(Attempt(request, completion, number, reasons, final))
            if not final:
                again.append((place, _ask_again(request, reasons, number + 1, run_seed)))
        waiting = again
        if not waiting:
            break
    return [attempt for several in attempts for attempt in several]


def _answers(ask: Ask, requests: Sequence[Request]) -> dict[str, Completion]:
    completions = ask(requests)
    answers = {completion.key: completion for completion in completions}
    asked = {request.key for request in requests}
    if len(completions) != len(requests) or set(answers) != asked:
        odd = sorted(asked ^ set(answers))[:3]
        raise AnnotationError(
            f"{len(requests)} requests got {len(completions)} answers"
            f"{f'; such as {odd}' if odd else ''}. An engine has to answer each request once."
        )
    return answers


def _reasons(request: Request, completion: Completion) -> tuple[str, ...]:
    if completion.error:
        return (f"engine: {completion.error}",)
    if completion.finish_reason == "length":
        return (f"unfinished: cut off after {completion.completion_tokens} tokens",)
    return length_reasons(request.task, completion.text)


def _ask_again(request: Request, reasons: Sequence[str], number: int, run_seed: int) -> Request:
    """The same request with a new seed, and the complaint at the end of its last message."""
    key = f"{request.key.rsplit('/', 1)[0]}/{number}"
    *before, last = request.messages
    complaint = f"An earlier answer was refused ({'; '.join(reasons)}). Mend that."
    repeated: Message = {"role": last["role"], "content": f"{last['content']}\n\n{complaint}"}
    return replace(request, key=key, seed=seed_of(run_seed, key), messages=(*before, repeated))
