"""Ask, check, ask again; and ask on from what was accepted."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Protocol

from annotation.checks.checks import Judge, Verdict, complaint
from annotation.checks.claims import Claim
from annotation.errors import AnnotationError
from annotation.request import Completion, Message, Request


class Post(Protocol):
    """Carries requests to engines and answers back."""

    def send(self, requests: Sequence[Request]) -> None:
        """Hands requests over and does not wait."""

    def receive(self) -> Sequence[Completion]:
        """Waits for at least one answer and brings all that are there."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request and what became of it.

    Attributes:
        request: what was asked.
        completion: what was answered.
        number: 0 for the first time of asking.
        reasons: why the answer was refused; empty if it was accepted.
        final: no further attempt followed.
        draft: which of the captions that were asked for together, from 0.
        claims: what it claims, held against the facts; empty if no facts or no answer were there.
    """

    request: Request
    completion: Completion
    number: int
    reasons: tuple[str, ...]
    final: bool
    draft: int = 0
    claims: tuple[Claim, ...] = ()

    @property
    def text(self) -> str:
        """The caption."""
        return self.completion.text.strip()

    @property
    def failed(self) -> bool:
        """No engine answered, for a reason that may be gone another time."""
        return bool(self.completion.error) and not self.completion.lasting


Follow = Callable[[Attempt], Sequence[Request]]
"""What is asked as soon as a caption is accepted."""


def seed_of(run_seed: int, key: str) -> int:
    """A sampling seed in [0, 2^31) from the run's seed and a request's key; the same everywhere."""
    return int.from_bytes(blake2b(f"{run_seed}/{key}".encode(), digest_size=4).digest(), "big") >> 1


def annotate(
    requests: Sequence[Request],
    post: Post,
    *,
    judge: Judge,
    retries: int,
    run_seed: int,
    follow: Follow | None = None,
) -> list[Attempt]:
    """Asks for captions until each is accepted or has been refused `retries` + 1 times.

    Every answer is taken up when it comes: what was refused is asked again, and what was accepted is followed, while
    other requests are still on their way.

    Args:
        requests: keys end in `/0`, the number of the attempt.
        post: how engines are reached.
        judge: checks the answers; it is given the first request, so that a complaint in a later one, which has words
            of an answer, is no excuse for saying them again.
        retries: how often a refused caption is asked again.
        run_seed: seeds of further attempts come from it.
        follow: what is asked on from an accepted caption, such as its revisions; these are not followed again.

    Returns:
        Every attempt: captions in the order of requests, earlier attempts first, then what followed them in the same
        order, whatever the order in which answers came.

    Raises:
        AnnotationError: an answer came that nobody asked for.
    """
    threads = [thread for request in requests for thread in _threads(request)]
    waiting: dict[str, dict[int, _Thread]] = {}
    _send(post, waiting, threads)
    while waiting:
        further: list[_Thread] = []
        for completion in post.receive():
            for thread in _answered(waiting, completion):
                further += thread.take(completion, judge, retries, run_seed, follow if thread.leads else None)
        _send(post, waiting, further)
    followers = [follower for thread in threads for follower in thread.followers]
    return [attempt for thread in (*threads, *followers) for attempt in thread.attempts]


@dataclass(slots=True)
class _Thread:
    """One caption that is wanted, and all attempts at it; `request` is the one that is on its way."""

    first: Request
    request: Request
    draft: int
    leads: bool = True
    attempts: list[Attempt] = field(default_factory=list)
    followers: list["_Thread"] = field(default_factory=list)

    def take(
        self, completion: Completion, judge: Judge, retries: int, run_seed: int, follow: Follow | None
    ) -> list["_Thread"]:
        """Books an answer; returns the threads that are to be sent next."""
        number = len(self.attempts)
        verdict = _judged(self.first, completion, judge)
        reasons = verdict.reasons
        final = not reasons or bool(completion.error) or number == retries
        attempt = Attempt(self.request, completion, number, reasons, final, self.draft, verdict.claims)
        self.attempts.append(attempt)
        if not final:
            self.request = _ask_again(self.first, self.draft, reasons, number + 1, run_seed)
            return [self]
        if reasons or follow is None:
            return []
        self.followers = [thread for request in follow(attempt) for thread in _threads(request, leads=False)]
        return self.followers


def _threads(request: Request, *, leads: bool = True) -> list[_Thread]:
    return [_Thread(request, request, draft, leads) for draft in range(request.n)]


def _send(post: Post, waiting: dict[str, dict[int, _Thread]], threads: Sequence[_Thread]) -> None:
    for thread in threads:
        place = thread.draft if thread.request is thread.first else 0
        waiting.setdefault(thread.request.key, {})[place] = thread
    requests = {thread.request.key: thread.request for thread in threads}
    if requests:
        post.send(list(requests.values()))


def _answered(waiting: dict[str, dict[int, _Thread]], completion: Completion) -> Iterator[_Thread]:
    """The thread that an answer is for; of a request that failed, all that are left."""
    drafts = waiting.get(completion.key, {})
    wanted = list(drafts) if completion.error else [completion.draft]
    if not wanted or any(draft not in drafts for draft in wanted):
        raise AnnotationError(
            f"an answer to {completion.key!r}, number {completion.draft}, came that nobody asked for. "
            "An engine has to answer each request once."
        )
    threads = [drafts.pop(draft) for draft in wanted]
    if not drafts:
        del waiting[completion.key]
    yield from threads


def _judged(first: Request, completion: Completion, judge: Judge) -> Verdict:
    if completion.error:
        return Verdict((f"engine: {completion.error}",))
    if completion.finish_reason == "length":
        return Verdict((f"unfinished: cut off after {completion.completion_tokens} tokens",))
    return judge(first, completion.text)


def _ask_again(first: Request, draft: int, reasons: Sequence[str], number: int, run_seed: int) -> Request:
    """The same request for one caption, with a new seed and the complaint at the end of its last message."""
    name = first.key.rsplit("/", 1)[0] + (f".{draft}" if draft else "")
    key = f"{name}/{number}"
    *before, last = first.messages
    repeated: Message = {"role": last["role"], "content": f"{last['content']}\n\n{complaint(reasons)}"}
    return replace(first, key=key, seed=seed_of(run_seed, key), messages=(*before, repeated), n=1)
