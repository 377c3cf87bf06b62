"""The ways of asking that `bench engines` compares, each run in a process of its own."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain, takewhile
from pathlib import Path
from typing import Any

import psutil

from annotation.engines.chat import Chat
from annotation.engines.vllm import VllmEngine
from annotation.request import Completion, Message, Request
from pipeline.bench.engine_requests import county_requests
from pipeline.cluster import cluster
from pipeline.config import Captions
from pipeline.roster import Roster

WARM_UP = 8
"""Requests that are not counted: kernels are compiled and templates cached by then."""


def one_at_a_time(engine: VllmEngine, requests: Sequence[Request], alone: int) -> dict[str, Any]:
    """Each prompt is sent when the one before is answered, as RSTeller's backend does."""

    async def ask() -> float:
        await engine.start()
        for request in requests[:WARM_UP]:
            await _answers(engine, [request])
        started = time.perf_counter()
        for request in requests[WARM_UP : WARM_UP + alone]:
            await _answers(engine, [request])
        seconds = time.perf_counter() - started
        await engine.stop()
        return alone / seconds

    return {"one_at_a_time_rps": round(asyncio.run(ask()), 3)}


def offline(engine: VllmEngine, requests: Sequence[Request]) -> dict[str, Any]:
    """All prompts at once to `LLM.generate`, under the same limits; tokens are made before the clock starts."""
    from vllm import LLM, SamplingParams
    from vllm.sampling_params import RequestOutputKind

    llm = LLM(**engine.arguments)
    chat = Chat.of(llm.get_tokenizer(), None)
    prompts: list[Any] = [{"prompt_token_ids": chat.tokens(request.messages)} for request in requests]
    sampling = [
        SamplingParams(
            seed=request.seed, temperature=request.temperature, min_tokens=engine.min_tokens,
            max_tokens=engine.max_tokens, output_kind=RequestOutputKind.FINAL_ONLY,
        )
        for request in requests
    ]  # fmt: skip
    llm.generate(prompts[:WARM_UP], sampling[:WARM_UP], use_tqdm=False)
    started = time.perf_counter()
    answers = llm.generate(prompts[WARM_UP:], sampling[WARM_UP:], use_tqdm=False)
    seconds = time.perf_counter() - started
    tokens = sum(len(answer.outputs[0].token_ids) for answer in answers)
    return {
        "offline_rps": round(len(answers) / seconds, 3),
        "offline_tokens_per_answer": round(tokens / len(answers), 1),
    }


def dispatch(engine: VllmEngine, requests: Sequence[Request]) -> dict[str, Any]:
    """A run's own way: a client, the dispatch and the engine's actor."""
    captions = Captions.model_validate({"engines": [engine.model_dump()]})
    with cluster(None, 1, captions.engines):
        roster = Roster.open(captions)
        post = roster.post("bench")
        _through(post, requests[:WARM_UP])
        started = time.perf_counter()
        answers = _through(post, requests[WARM_UP:])
        seconds = time.perf_counter() - started
        roster.close()
    failed = [answer.error for answer in answers if answer.error]
    if failed:
        raise SystemExit(f"{len(failed)} requests failed: {failed[0]}")
    tokens = sum(answer.completion_tokens for answer in answers)
    return {
        "dispatch_rps": round(len(answers) / seconds, 3),
        "dispatch_tokens_per_answer": round(tokens / len(answers), 1),
    }


def prefix(engine: VllmEngine, by_task: Mapping[str, list[Request]]) -> dict[str, Any]:
    """How much of each template's fixed prefix came out of the engine's cache."""
    brief = engine.model_copy(update={"min_tokens": 0, "max_tokens": 1})

    async def ask() -> dict[str, float]:
        await brief.start()
        shares = {task: await _cached_share(brief, requests) for task, requests in by_task.items()}
        await brief.stop()
        return shares

    shares = asyncio.run(ask())
    return {"cached_prefix_share": min(shares.values()), "cached_prefix_share_by_template": shares}


async def _cached_share(engine: VllmEngine, requests: Sequence[Request]) -> float:
    """Cached tokens of the whole cache blocks that the prefix fills; the first request of each prefix pays for all."""
    llm, chat = engine._llm, engine._chat  # noqa: SLF001 - the bench looks inside
    block = llm.vllm_config.cache_config.block_size
    requests = [replace(request, key=str(place)) for place, request in enumerate(requests)]
    expected = {request.key: _prefix_tokens(chat, request) // block * block for request in requests}
    answers = await _answers(engine, requests)
    cached = sum(min(answer.cached_tokens, expected[answer.key]) for answer in answers)
    return float(round(cached / sum(expected.values()), 4))


def _prefix_tokens(chat: Chat, request: Request) -> int:
    """Tokens before anything of the request's own: as many as it shares with one that has other facts."""
    other: Message = {"role": "user", "content": "\u2042"}
    pairs = zip(chat.tokens(request.messages), chat.tokens((*request.messages[:-1], other)), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


async def _answers(engine: VllmEngine, requests: Sequence[Request]) -> list[Completion]:
    return [answer async for answer in engine.generate(requests)]


def _through(post: Any, requests: Sequence[Request]) -> list[Completion]:
    post.send(requests)
    answers: list[Completion] = []
    while len(answers) < len(requests):
        answers += post.receive()
    return answers


def main(mode: str, job: dict[str, Any], result: Path) -> None:
    """Measures one way of asking and writes its figures."""
    engine = VllmEngine.model_validate(job["engine"])
    by_task = county_requests(job["prompts"])
    each = -(-(job["prompts"] + WARM_UP) // len(by_task))
    mixed = list(chain.from_iterable(requests[:each] for requests in by_task.values()))[: job["prompts"] + WARM_UP]
    mixed = [replace(request, key=f"{place}/{request.task}/0") for place, request in enumerate(mixed)]
    figures = {
        "one_at_a_time": lambda: one_at_a_time(engine, mixed, job["alone"]),
        "offline": lambda: offline(engine, mixed),
        "dispatch": lambda: dispatch(engine, mixed),
        "prefix": lambda: prefix(engine, by_task),
    }[mode]()
    result.write_text(json.dumps(figures), encoding="utf-8")
    _leave()


def _leave() -> None:
    """Ends with all processes that were started: `LLM` has no way to close, and waits for its own at exit."""
    for child in psutil.Process().children(recursive=True):
        child.kill()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]), Path(sys.argv[3]))
