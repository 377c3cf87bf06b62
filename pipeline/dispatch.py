"""Dispatch: requests wait in one place, and whoever has room takes the next.

Units send requests and receive answers; copies of engines take requests and give answers. What a copy has taken is
leased to it: if it dies, its leases wait again. Requests of one template wait together, so that a copy answers many of
them in a row and finds their common beginning in its prefix cache.
"""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from annotation.request import Completion, Request

TRIES = 3
"""How often a request may fail by itself, or be on a copy that dies."""
JUDGED = 200
"""Answers that count as recent."""
LINGER_S = 0.01
"""Answers that come within this time travel together."""

EngineOf = Callable[[Request], str | None]
"""The engine that has to answer a request; None: any."""


@dataclass(slots=True)
class Ticket:
    """A request on its way.

    Attributes:
        request: what is asked.
        client: who asks.
        tries: how often it has failed.
    """

    request: Request
    client: str
    tries: int = 0


@dataclass(slots=True)
class Copy:
    """One copy of an engine: what it has taken, and what it has done.

    Attributes:
        engine: name of the engine.
        leases: what it works on, by key.
        template: of the requests that it took last.
    """

    engine: str
    leases: dict[str, Ticket] = field(default_factory=dict)
    template: str = ""
    alive: bool = False
    requests: int = 0
    answers: int = 0
    errors: int = 0
    deaths: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0

    def book(self, completions: Sequence[Completion]) -> None:
        """Counts the answers to one request."""
        self.requests += 1
        for completion in completions:
            self.answers += not completion.error
            self.errors += bool(completion.error)
            self.prompt_tokens += completion.prompt_tokens
            self.completion_tokens += completion.completion_tokens
            self.cached_tokens += completion.cached_tokens

    def add(self, other: "Copy") -> None:
        """Takes over what another one has done."""
        self.requests += other.requests
        self.answers += other.answers
        self.errors += other.errors
        self.prompt_tokens += other.prompt_tokens
        self.completion_tokens += other.completion_tokens
        self.cached_tokens += other.cached_tokens


class Pool:
    """Requests that wait, by template."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[Ticket]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def add(self, ticket: Ticket, *, first: bool = False) -> None:
        """Puts a request in line, or before all others of its template."""
        line = self._waiting.setdefault(ticket.request.prompt, deque())
        (line.appendleft if first else line.append)(ticket)

    def take(self, room: int, template: str) -> Iterator[Ticket]:
        """Up to `room` requests: of one template as long as there are any, then of the one with the longest line."""
        while room and self._waiting:
            if template not in self._waiting:
                template = max(self._waiting, key=lambda name: len(self._waiting[name]))
            line = self._waiting[template]
            yield line.popleft()
            room -= 1
            if not line:
                del self._waiting[template]

    def remove(self, unwanted: Callable[[Ticket], bool]) -> list[Ticket]:
        """Takes requests out of line."""
        removed = [ticket for line in self._waiting.values() for ticket in line if unwanted(ticket)]
        kept = [ticket for line in self._waiting.values() for ticket in line if not unwanted(ticket)]
        self._waiting = {}
        for ticket in kept:
            self.add(ticket)
        return removed


class Dispatch:
    """Who waits for what; used from one event loop.

    Args:
        copies: name of the engine of each copy, by the copy's own name.
        engine_of: tells which engine has to answer a request.
        max_error_rate: share of recent answers that may be errors.
    """

    def __init__(self, copies: dict[str, str], engine_of: EngineOf, max_error_rate: float) -> None:
        self.copies = {name: Copy(engine) for name, engine in copies.items()}
        self.trouble = ""
        self.retries = 0
        self.ready_at: float | None = None
        self._engine_of = engine_of
        self._max_error_rate = max_error_rate
        self._recent: deque[bool] = deque(maxlen=JUDGED)
        self._pools: dict[str | None, Pool] = {name: Pool() for name in (None, *copies.values())}
        self._mail: defaultdict[str, list[Completion]] = defaultdict(list)
        self._clients: dict[str, asyncio.Event] = {}
        self._work = asyncio.Condition()
        self.gone: dict[str, str] = {}

    def waiting(self, engine: str | None) -> int:
        """Requests in line for an engine; None: for any."""
        return len(self._pools[engine])

    async def open(self, client: str) -> None:
        """A client begins; what it asked in an earlier life is forgotten."""
        for pool in self._pools.values():
            pool.remove(lambda ticket: ticket.client == client)
        for copy in self.copies.values():
            copy.leases = {key: ticket for key, ticket in copy.leases.items() if ticket.client != client}
        self._mail.pop(client, None)
        self._clients[client] = asyncio.Event()

    async def send(self, client: str, requests: Sequence[Request]) -> None:
        """Puts requests in line."""
        for request in requests:
            self._enqueue(Ticket(request, client))
        await self._tell_copies()

    async def receive(self, client: str) -> list[Completion]:
        """Waits for answers to a client's requests."""
        await self._clients[client].wait()
        await asyncio.sleep(LINGER_S)
        self._clients[client].clear()
        return self._mail.pop(client, [])

    async def close(self, client: str) -> None:
        """A client has all it wants."""
        self._clients.pop(client, None)

    async def take(self, name: str, room: int) -> list[Request]:
        """Waits until there is something to do for a copy, and leases it."""
        copy = self.copies[name]
        async with self._work:
            await self._work.wait_for(lambda: len(self._pools[copy.engine]) or len(self._pools[None]))
        taken: list[Ticket] = []
        for pool in (self._pools[copy.engine], self._pools[None]):
            taken += pool.take(room - len(taken), copy.template)
        if taken:
            copy.template = taken[-1].request.prompt
        copy.leases |= {ticket.request.key: ticket for ticket in taken}
        return [ticket.request for ticket in taken]

    async def give(self, name: str, answers: Sequence[Sequence[Completion]]) -> None:
        """Takes a copy's answers, all to one request together."""
        copy, again = self.copies[name], False
        for completions in answers:
            ticket = copy.leases.pop(completions[0].key, None)
            if ticket is None:
                continue  # the client has begun anew
            copy.book(completions)
            error = next((each for each in completions if each.error), None)
            self._judge(error)
            if error and not error.lasting:
                again |= self._failed(ticket, error)
            else:
                self._deliver(ticket, completions)
        if again:
            await self._tell_copies()

    async def ready(self, name: str) -> None:
        """A copy is loaded."""
        self.copies[name].alive = True
        self.ready_at = self.ready_at or time.monotonic()

    async def lost(self, name: str, reason: str, *, for_good: bool) -> None:
        """A copy died; what it had goes back in line, or to nobody if no other can answer it."""
        copy = self.copies[name]
        copy.alive = False
        copy.deaths += 1
        tickets, copy.leases = list(copy.leases.values()), {}
        if for_good:
            self.gone[name] = reason
        for ticket in tickets:
            self._failed(ticket, Completion(ticket.request.key, "", copy.engine, error=f"the engine died: {reason}"))
        if for_good:
            self._strand(copy.engine)
        await self._tell_copies()

    def _strand(self, engine: str) -> None:
        """Answers what nobody can answer any more."""
        left = {copy.engine for name, copy in self.copies.items() if name not in self.gone}
        reason = next(reason for name, reason in self.gone.items() if self.copies[name].engine == engine)
        if not left:
            self.trouble = f"No engine is left: {reason}"
        stranded = [name for name in (engine, None) if not left or (name == engine and engine not in left)]
        for ticket in [ticket for name in stranded for ticket in self._pools[name].remove(lambda _: True)]:
            self._enqueue(ticket)

    def _enqueue(self, ticket: Ticket, *, first: bool = False) -> None:
        engine = self._engine_of(ticket.request)
        copies = [name for name, copy in self.copies.items() if engine in (None, copy.engine)]
        if all(name in self.gone for name in copies):
            error = f"the engine is gone: {self.gone[copies[0]]}"
            self._deliver(ticket, [Completion(ticket.request.key, "", engine or "", error=error)])
        else:
            self._pools[engine].add(ticket, first=first)

    def _failed(self, ticket: Ticket, error: Completion) -> bool:
        """A request failed; whether it is in line again."""
        ticket.tries += 1
        if ticket.tries >= TRIES:
            self._deliver(ticket, [replace(error, error=f"{error.error} ({ticket.tries} tries)")])
            return False
        self.retries += 1
        self._enqueue(ticket, first=True)
        return True

    def _judge(self, error: Completion | None) -> None:
        self._recent.append(error is not None)
        share = sum(self._recent) / len(self._recent)
        if error and len(self._recent) >= JUDGED / 4 and share > self._max_error_rate:
            self.trouble = (
                f"{share:.0%} of the last {len(self._recent)} requests failed, more than captions.max_error_rate "
                f"({self._max_error_rate:.0%}) allows; the last: {error.annotator}: {error.error}"
            )

    def _deliver(self, ticket: Ticket, completions: Sequence[Completion]) -> None:
        self._mail[ticket.client] += completions
        self._clients[ticket.client].set()

    async def _tell_copies(self) -> None:
        async with self._work:
            self._work.notify_all()
