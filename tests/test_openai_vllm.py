"""The `openai` engine over vLLM's own server, a process with a tiny model."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from annotation.engines.openai import OpenAiEngine
from annotation.request import Completion, Message, Request
from pipeline.bench.tiny_model import make_tiny_model
from tests.need import need_vllm
from tests.vllm_here import ENVIRONMENT

need_vllm()

START_S, END_S = 240, 20
BLOCK = 32
"""Tokens that vLLM caches together: a CPU's block is at least this long."""
RULES: tuple[Message, ...] = ({"role": "system", "content": "Say what lies in the picture and where. " * 30},)


@dataclass(frozen=True)
class Server:
    """A running server; `process` leads its group."""

    url: str
    process: subprocess.Popen[bytes]

    def signal(self, number: signal.Signals) -> None:
        os.killpg(self.process.pid, number)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Its processes stand still: connections are accepted by the kernel, and nobody answers."""
        self.signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.signal(signal.SIGCONT)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    model, log = make_tiny_model(folder / "tiny"), folder / "server.log"
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(model),
        "--served-model-name", "tiny", "--host", "127.0.0.1", "--port", str(port), "--enforce-eager",
        "--dtype", "float32", "--max-model-len", "2048", "--max-num-batched-tokens", "4096",
        "--no-enable-chunked-prefill", "--enable-prompt-tokens-details",
    ]  # fmt: skip
    environment = {**os.environ, **ENVIRONMENT, "VLLM_NO_USAGE_STATS": "1", "HF_HUB_OFFLINE": "1"}
    with log.open("wb") as written:
        process = subprocess.Popen(
            command, stdout=written, stderr=subprocess.STDOUT, env=environment, start_new_session=True
        )
    running = Server(f"http://127.0.0.1:{port}/v1", process)
    try:
        healthy(running.url, process, log)
        yield running
    finally:
        end(running)


@retry(
    stop=stop_after_delay(START_S),
    wait=wait_fixed(0.25),
    retry=retry_if_exception_type(httpx2.HTTPError),
    reraise=True,
)
def healthy(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    assert process.poll() is None, f"vLLM's server ended by itself:\n{log.read_text(errors='replace')[-4000:]}"
    httpx2.get(f"{url.removesuffix('/v1')}/health", timeout=5, trust_env=False).raise_for_status()


def end(server: Server) -> None:
    """Asks the server to end, then ends what is left of its group."""
    server.process.terminate()
    try:
        server.process.wait(END_S)
    except subprocess.TimeoutExpired:
        server.process.kill()
        server.process.wait(END_S)
    finally:
        try:
            server.signal(signal.SIGKILL)
        except ProcessLookupError:
            return  # nothing was left


def request(number: int, **changes: Any) -> Request:
    messages = (*RULES, Message(role="user", content=f"What: mill {number}"))
    given = {"messages": messages, "gsd": 0.6, "seed": 7_919 * number + 2**63, "max_tokens": 12, **changes}
    return Request(f"k{number}", "area", elements=(), prompt="area@0", **given)


def ask(server: Server, *requests: Request, **changes: Any) -> list[Completion]:
    engine = OpenAiEngine.model_validate({"model": "tiny", "base_url": server.url, "attempts": 1, **changes})

    async def answers() -> list[Completion]:
        await engine.start()
        try:
            return [completion async for completion in engine.generate(requests)]
        finally:
            await engine.stop()

    return asyncio.run(answers())


def test_every_request_is_answered_once(server: Server) -> None:
    completions = ask(server, *map(request, range(64)), concurrency=16)
    assert sorted(completion.key for completion in completions) == sorted(f"k{number}" for number in range(64))
    assert [completion.error for completion in completions] == [""] * 64
    assert len({completion.text for completion in completions}) > 60
    assert all(1 <= completion.completion_tokens <= 12 for completion in completions)


def test_an_endless_answer_ends_by_its_length(server: Server) -> None:
    (completion,) = ask(server, request(1), extra={"ignore_eos": True})
    assert (completion.finish_reason, completion.completion_tokens, completion.error) == ("length", 12, "")


def test_drafts_differ_and_the_prompt_counts_once(server: Server) -> None:
    drafts = ask(server, request(2, n=3), extra={"ignore_eos": True})
    assert [draft.draft for draft in drafts] == [0, 1, 2]
    assert len({draft.text for draft in drafts}) == 3
    assert [draft.prompt_tokens > 0 for draft in drafts] == [True, False, False]
    assert sum(draft.completion_tokens for draft in drafts) == 36


def test_the_same_seed_says_the_same(server: Server) -> None:
    first, second, other = (ask(server, request(number), concurrency=1)[0].text for number in (3, 3, 4))
    assert first == second != other


def test_the_fixed_prefix_comes_from_the_cache(server: Server) -> None:
    ask(server, request(5))
    (completion,) = ask(server, request(6))
    assert completion.prompt_tokens > 4 * BLOCK
    assert completion.cached_tokens >= completion.prompt_tokens - 2 * BLOCK


def test_a_prompt_that_is_too_long_fails_by_itself(server: Server) -> None:
    long = request(7, messages=(Message(role="user", content="mill and pond " * 2_000),))
    completions = {completion.key: completion for completion in ask(server, long, request(8))}
    assert completions["k7"].lasting
    assert "maximum context length is 2048 tokens" in completions["k7"].error
    assert not completions["k8"].error


def test_an_unknown_model_is_told(server: Server) -> None:
    (completion,) = ask(server, request(9), model="other")
    assert completion.lasting
    assert "status 404" in completion.error
    assert "look at model" in completion.error


def test_a_server_that_stands_still_and_goes_on(server: Server) -> None:
    with server.stopped():
        late = ask(server, *map(request, range(4)), timeout_s=0.5)
    assert all("no whole answer within 0.5 s" in completion.error for completion in late)
    assert not any(completion.lasting for completion in late)
    assert [completion.error for completion in ask(server, *map(request, range(4)))] == [""] * 4
