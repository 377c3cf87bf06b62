"""A chat server on this machine that OpenAI's client talks to, and that misbehaves as it is told."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any

PATIENCE_S = 20.0
OF_JSON = MappingProxyType({"Content-Type": "application/json"})


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came: its number from 0, its body and headers, and when (monotonic, in seconds)."""

    number: int
    body: dict[str, Any]
    headers: dict[str, str]
    time: float

    @property
    def question(self) -> str:
        return str(self.body["messages"][-1]["content"])


class ChatServer:
    """What the server does with each request: `answer`, unless `script` has something for it.

    Attributes:
        asked: all requests, in order.
        busy: requests that are being answered.
        peak: the most at once so far.
        closing: lets go whoever hangs.
    """

    def __init__(self, script: Iterable["Behaviour"] | Callable[[Asked], "Behaviour"] = ()) -> None:
        self.asked: list[Asked] = []
        self.busy = self.peak = 0
        self.closing = threading.Event()
        self.change = threading.Condition()
        self._script = script if callable(script) else iter(script)

    def arrived(self, body: dict[str, Any], headers: dict[str, str]) -> tuple[Asked, "Behaviour"]:
        with self.change:
            asked = Asked(len(self.asked), body, headers, time.monotonic())
            self.asked.append(asked)
            self.busy += 1
            self.peak = max(self.peak, self.busy)
            self.change.notify_all()
            return asked, self._script(asked) if callable(self._script) else next(self._script, answer)

    def left(self) -> None:
        with self.change:
            self.busy -= 1
            self.change.notify_all()

    def wait(self, condition: Callable[[], bool]) -> None:
        """Until the condition holds, which is looked at whenever a request comes or goes."""
        with self.change:
            assert self.change.wait_for(condition, PATIENCE_S), f"waited for {PATIENCE_S} s in vain"

    @property
    def questions(self) -> list[str]:
        return [asked.question for asked in self.asked]


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    chat: ChatServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        asked, behave = self.chat.arrived(body, {key.lower(): value for key, value in self.headers.items()})
        try:
            if self.path != "/v1/chat/completions":
                behave = status(404, {"detail": "Not Found"})
            behave(self, asked)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # whoever asked has gone
        finally:
            self.chat.left()

    def send(self, body: Any, code: int = 200, headers: Mapping[str, str] = OF_JSON, length: int = 0) -> None:
        content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(code)
        for name, value in {**headers, "Content-Length": str(length or len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The server's clock stands still, years away from ours."""
        return super().date_time_string(0 if timestamp is None else timestamp)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        """Says nothing."""


Behaviour = Callable[[Handler, Asked], None]


@contextmanager
def serving(server: ChatServer) -> Iterator[str]:
    """Runs the server in threads; its base URL."""
    handler = type("ServersHandler", (Handler,), {"chat": server})
    http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{http.server_port}/v1"
    finally:
        server.closing.set()
        http.shutdown()
        http.server_close()
        thread.join()


@contextmanager
def nobody() -> Iterator[str]:
    """A base URL where nobody listens, for as long as it is held."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}/v1"


def completion(body: dict[str, Any]) -> dict[str, Any]:
    """An answer that repeats question, seed and number, as far as `max_tokens` words go."""
    longest = body.get("max_tokens") or body["max_completion_tokens"]
    words = [f"{body['messages'][-1]['content']} seed {body.get('seed')} draft".split()] * body.get("n", 1)
    texts = [[*text, str(index)] for index, text in enumerate(words)]
    prompts = [len(message["content"].split()) for message in body["messages"]]
    return {
        "id": "chat",
        "object": "chat.completion",
        "created": 0,
        "model": body["model"],
        "choices": [
            {
                "index": index,
                "message": {"role": "assistant", "content": " ".join(text[:longest])},
                "finish_reason": "stop" if len(text) <= longest else "length",
            }
            for index, text in reversed(list(enumerate(texts)))
        ],
        "usage": {
            "prompt_tokens": sum(prompts),
            "completion_tokens": sum(min(len(text), longest) for text in texts),
            "total_tokens": sum(prompts) + sum(min(len(text), longest) for text in texts),
            "prompt_tokens_details": {"cached_tokens": sum(prompts[:-1])},
        },
    }


def answer(handler: Handler, asked: Asked) -> None:
    """As it should be."""
    handler.send(completion(asked.body))


def status(code: int, body: Any = None, headers: Mapping[str, str] = OF_JSON) -> Behaviour:
    """An error, as OpenAI words it."""
    said = {"error": {"message": f"sorry for {code}", "type": "error"}} if body is None else body
    return lambda handler, _: handler.send(said, code, {**OF_JSON, **headers})


def come_back(at: float) -> Behaviour:
    """Too many requests; come back at a time of the server's clock, which shows 0."""
    return status(429, headers={"Retry-After": format_datetime(datetime.fromtimestamp(at, UTC), usegmt=True)})


def html(handler: Handler, _: Asked) -> None:
    """A page for people, status 200."""
    handler.send("<html><title>Sign in to the network</title></html>", headers={"Content-Type": "text/html"})


def broken(handler: Handler, asked: Asked) -> None:
    """Half of the JSON, as if it were all."""
    text = json.dumps(completion(asked.body))
    handler.send(text[: len(text) // 2])


def cut(handler: Handler, asked: Asked) -> None:
    """The connection ends properly in the middle of the answer."""
    text = json.dumps(completion(asked.body))
    handler.send(text[: len(text) // 2], length=len(text))
    handler.close_connection = True


def reset(handler: Handler, asked: Asked) -> None:
    """The connection is reset in the middle of the answer."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    cut(handler, asked)
    handler.connection.shutdown(socket.SHUT_RD)
    handler.connection.close()


def hang(handler: Handler, _: Asked) -> None:
    """Nothing, for ever."""
    handler.chat.closing.wait(PATIENCE_S)
    handler.close_connection = True


def endless(handler: Handler, _: Asked) -> None:
    """One word after the other, for ever."""
    handler.send('{"choices": [{"message": {"content": "', length=10**9)
    while not handler.chat.closing.wait(0.02):
        handler.wfile.write(b"lake ")
    handler.close_connection = True


def changed(**fields: Any) -> Behaviour:
    """An answer with other fields; `content` and `finish_reason` are those of its choices."""

    def behave(handler: Handler, asked: Asked) -> None:
        body = completion(asked.body)
        for choice in body["choices"]:
            choice["message"]["content"] = fields.get("content", choice["message"]["content"])
            choice["finish_reason"] = fields.get("finish_reason", choice["finish_reason"])
        given = {key: value for key, value in fields.items() if key not in ("content", "finish_reason")}
        handler.send({**body, **given})

    return behave


def fewer(handler: Handler, asked: Asked) -> None:
    """One answer, however many were asked for."""
    handler.send(completion({**asked.body, "n": 1}))


def together(number: int, then: Behaviour = answer) -> Behaviour:
    """Holds an answer until so many are under way."""

    def behave(handler: Handler, asked: Asked) -> None:
        handler.chat.wait(lambda: handler.chat.peak >= number)
        then(handler, asked)

    return behave
