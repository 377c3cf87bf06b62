"""A web server on this machine that stands in for a provider, and misbehaves where it is told to."""

import re
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

ALL = ("429", "429 wait", "500", "503", "reset", "truncated", "hang", "html")
IDLE_S = 20.0
"""An idle connection is closed after so long."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came: unquoted path, one value for each name of the query, names of headers in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent. With `ranges`, parts of the body may be asked for, and an ETag tells versions apart."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    ranges: bool = False


@dataclass(frozen=True, slots=True)
class Faults:
    """How often and how requests fail; which ones depends on the seed and on what is asked, not on threads.

    Attributes:
        probability: of each request.
        seed: of the lots.
        kinds: of faults, each as probable as the others.
        hang_s: how long "hang" is silent before it hangs up; clients have to give up earlier.
        in_a_row: as many faults at most, for the same path and for the same question.
    """

    probability: float = 0.3
    seed: int = 0
    kinds: tuple[str, ...] = ALL
    hang_s: float = 1.0
    in_a_row: int = 3

    def draw(self, question: str, number: int) -> str | None:
        lot = blake2b(f"{self.seed}\0{question}\0{number}".encode(errors="surrogateescape"), digest_size=8)
        random = Random(int.from_bytes(lot.digest()))
        return random.choice(self.kinds) if random.random() < self.probability else None


class StandIn:
    """An HTTP/1.1 server while its `with` lasts.

    An error that `answer` raises becomes status 500, and is raised again when the `with` ends.

    Attributes:
        url: `http://127.0.0.1:PORT`, without a slash at the end.
        asked: all requests in the order in which they came, those that failed included.
        failed: how many failed, by kind.
        sent: bytes of bodies that were sent.
    """

    def __init__(self, answer: Callable[[Asked], Answer], faults: Faults | None = None) -> None:
        self.answer = answer
        self.faults = faults
        self.asked: list[Asked] = []
        self.failed: Counter[str] = Counter()
        self.sent = 0
        self.closing = threading.Event()
        self.connections: set[socket.socket] = set()
        self.errors: list[Exception] = []
        self.lock = threading.Lock()
        self._times: Counter[str] = Counter()
        self._in_a_row: Counter[str] = Counter()
        self._server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"stand_in": self}))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        with self.lock:
            for connection in self.connections:
                with suppress(OSError):  # closed at the other end by now
                    connection.shutdown(socket.SHUT_RDWR)
        if self.errors and kind is None:
            raise self.errors[0]

    def arrived(self, asked: Asked) -> str | None:
        """Notes a request and says how it is to fail, if it is."""
        question = "\0".join(
            (asked.method, asked.path, *map(str, sorted(asked.query.items())), asked.headers.get("range", ""))
        ) + asked.body.decode("latin-1")
        with self.lock:
            self.asked.append(asked)
            self._times[question] += 1
            if not self.faults:
                return None
            keys = (asked.path, question)
            fault = self.faults.draw(question, self._times[question])
            if fault is None or any(self._in_a_row[key] >= self.faults.in_a_row for key in keys):
                self._in_a_row.update({key: -self._in_a_row[key] for key in keys})
                return None
            self._in_a_row.update(keys)
            self.failed[fault] += 1
            return fault


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing: whoever asked has gone, which is theirs to decide."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = IDLE_S
    stand_in: StandIn

    def setup(self) -> None:
        super().setup()
        with self.stand_in.lock:
            self.stand_in.connections.add(self.connection)

    def finish(self) -> None:
        with self.stand_in.lock:
            self.stand_in.connections.discard(self.connection)
        super().finish()

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = Asked(
            self.command,
            unquote(parts.path),
            dict(parse_qsl(parts.query, keep_blank_values=True)),
            {name.lower(): value for name, value in self.headers.items()},
            self.rfile.read(int(self.headers.get("Content-Length", 0))),
        )
        fault = self.stand_in.arrived(asked)
        if fault == "hang":
            assert self.stand_in.faults is not None
            self.stand_in.closing.wait(self.stand_in.faults.hang_s)
            self.close_connection = True
        elif fault in ("429", "429 wait", "500", "503"):
            self._send(Answer(int(fault[:3]), b"busy", {"Retry-After": "0"} if "wait" in fault else {}))
        elif fault == "html":
            self._send(Answer(200, b"<!DOCTYPE html><html><body>Sign in</body></html>", {"Content-Type": "text/html"}))
        else:
            self._send(self._answer(asked), cut=fault)

    do_POST = do_HEAD = do_PUT = do_DELETE = do_GET  # noqa: N815 - the base class looks for these names

    def _answer(self, asked: Asked) -> Answer:
        try:
            answer = self.stand_in.answer(asked)
        except Exception as error:  # noqa: BLE001 - raised again by the thread of the test
            self.stand_in.errors.append(error)
            return Answer(500, str(error).encode())
        return part(answer, asked.headers) if answer.ranges and answer.status == 200 else answer

    def _send(self, answer: Answer, cut: str | None = None) -> None:
        self.send_response(answer.status)
        for name, value in {**answer.headers, "Content-Length": str(len(answer.body))}.items():
            self.send_header(name, value)
        body = b"" if self.command == "HEAD" or answer.status in (204, 304) else answer.body
        if cut:
            body = body[: len(body) // 2]
            self.close_connection = True
        if body or not cut:
            self.end_headers()
        with self.stand_in.lock:
            self.stand_in.sent += len(body)
        self.wfile.write(body)
        self.wfile.flush()
        if cut == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        """Says nothing."""


def etag(body: bytes) -> str:
    """A strong one."""
    return f'"{blake2b(body, digest_size=8).hexdigest()}"'


def part(answer: Answer, headers: Mapping[str, str]) -> Answer:
    """The part of an answer that `Range` asks for (RFC 9110, 14), or all of it if `If-Range` names another version."""
    size, version = len(answer.body), etag(answer.body)
    common = {"Accept-Ranges": "bytes", "ETag": version, **answer.headers}
    wanted = re.fullmatch(r"bytes=(\d*)-(\d*)", headers.get("range", ""))
    if not wanted or not any(wanted.groups()) or headers.get("if-range", common["ETag"]) != common["ETag"]:
        return Answer(200, answer.body, common)
    first, last = wanted.groups()
    start = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    if start >= size:
        return Answer(416, b"", {**common, "Content-Range": f"bytes */{size}"})
    return Answer(206, answer.body[start:end], {**common, "Content-Range": f"bytes {start}-{end - 1}/{size}"})
