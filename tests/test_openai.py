"""The `openai` engine over a chat server that behaves well, badly, or not at all."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from random import Random
from typing import Any

import pytest

from annotation.engines import openai_endpoint
from annotation.engines.openai import OpenAiEngine
from annotation.engines.openai_answers import retry_after_s
from annotation.errors import EngineDead
from annotation.request import Completion, Request
from tests.chat_server import (
    Behaviour,
    ChatServer,
    answer,
    broken,
    changed,
    come_back,
    cut,
    endless,
    fewer,
    hang,
    html,
    nobody,
    reset,
    serving,
    status,
    together,
)

KEY = "sk-very-secret-0123456789"
Serve = Callable[[ChatServer], str]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key, and short waits between attempts."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setattr(openai_endpoint, "FIRST_WAIT_S", 0.002)


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as servers:
        yield lambda server: servers.enter_context(serving(server))


def request(number: int = 0, **changes: Any) -> Request:
    messages = ({"role": "system", "content": "You look from above."}, {"role": "user", "content": f"Lake {number}?"})
    given: dict[str, Any] = {"messages": messages, "seed": 2**63 + number, **changes}
    return Request(f"{number}/area/0", "area", elements=(), gsd=0.6, prompt="area@0", **given)


def engine(*urls: str, **changes: Any) -> OpenAiEngine:
    return OpenAiEngine.model_validate({"model": "toy", "base_urls": urls, "timeout_s": 5, **changes})


def ask(asked: OpenAiEngine, requests: Sequence[Request]) -> list[Completion]:
    async def answers() -> list[Completion]:
        await asked.start()
        try:
            return [completion async for completion in asked.generate(requests)]
        finally:
            await asked.stop()

    return asyncio.run(answers())


def ask_one(asked: OpenAiEngine, **changes: Any) -> Completion:
    (completion,) = ask(asked, [request(**changes)])
    return completion


def test_an_answer_with_its_tokens(serve: Serve) -> None:
    server = ChatServer()
    completion = ask_one(engine(serve(server)), seed=2**31 + 5)
    assert completion == Completion(
        "0/area/0", "Lake 0? seed 5 draft 0", "toy", prompt_tokens=6, completion_tokens=6, cached_tokens=4
    )
    assert server.asked[0].body == {
        "model": "toy",
        "messages": list(request().messages),
        "temperature": 0.7,
        "seed": 5,
        "max_tokens": 300,
    }


def test_drafts_come_together_in_order_and_tokens_are_counted_once(serve: Serve) -> None:
    completions = ask(engine(serve(ChatServer())), [request(number, n=3) for number in range(5)])
    assert [completion.draft for completion in completions] == [0, 1, 2] * 5
    for first in range(0, 15, 3):
        drafts = completions[first : first + 3]
        assert len({completion.key for completion in drafts}) == 1
        assert [completion.text.split()[-1] for completion in drafts] == ["0", "1", "2"]
        assert [completion.prompt_tokens for completion in drafts] == [6, 0, 0]
        assert [completion.cached_tokens for completion in drafts] == [4, 0, 0]
        assert sum(completion.completion_tokens for completion in drafts) == 18


def test_settings_reach_the_endpoint(serve: Serve) -> None:
    server = ChatServer()
    settings = {
        "temperature": 0.1,
        "max_tokens": 2,
        "max_tokens_field": "max_completion_tokens",
        "extra": {"top_p": 0.9, "chat_template_kwargs": {"thinking": False}, "seed": None},
    }
    completion = ask_one(engine(serve(server), name="short", **settings))
    assert (completion.text, completion.finish_reason, completion.annotator) == ("Lake 0?", "length", "short")
    body = server.asked[0].body
    assert {key: body[key] for key in ("temperature", "top_p", "chat_template_kwargs", "max_completion_tokens")} == {
        "temperature": 0.1,
        "top_p": 0.9,
        "chat_template_kwargs": {"thinking": False},
        "max_completion_tokens": 2,
    }
    assert not {"seed", "max_tokens"} & body.keys()


def test_missing_usage_and_finish_reason_do_no_harm(serve: Serve) -> None:
    completion = ask_one(engine(serve(ChatServer([changed(usage=None, finish_reason=None)]))))
    assert completion == Completion("0/area/0", completion.text, "toy")
    assert completion.text


@pytest.mark.parametrize("code", [408, 409, 429, 500, 502, 503, 504, 529])
def test_passing_statuses_are_tried_again(serve: Serve, code: int) -> None:
    server = ChatServer([status(code), status(code)])
    completion = ask_one(engine(serve(server)))
    assert not completion.error
    assert len(server.asked) == 3


MISHAPS: dict[str, tuple[Behaviour, str]] = {
    "html": (html, "status 200 and no JSON but text/html: '<html><title>Sign in"),
    "broken": (broken, "status 200 and cut-off or broken JSON: "),
    "cut": (cut, "cut the connection (RemoteProtocolError"),
    "reset": (reset, "cut the connection (ReadError"),
    "hang": (hang, "no whole answer within 0.3 s"),
    "endless": (endless, "no whole answer within 0.3 s"),
    "no choices": (changed(choices=[]), "no chat completion (choices: "),
    "choices null": (changed(choices=None), "no chat completion (choices: "),
    "error in an answer": (status(200, {"error": {"message": "model crashed"}}), "model crashed"),
    "a list": (status(200, []), "no chat completion"),
    "empty": (changed(content=" \n"), "an empty answer (finish_reason stop)"),
    "null": (changed(content=None, finish_reason="tool_calls"), "an empty answer (finish_reason tool_calls)"),
    "fewer": (fewer, "gave 1 answers of 2; a server that does not know n needs drafts: 1"),
    "503": (status(503), "status 503: 'sorry for 503'"),
    "plain text": (status(500, "out of\nmemory"), "status 500: 'out of memory'"),
}


@pytest.mark.parametrize("mishap", MISHAPS)
def test_a_mishap_is_told_with_its_endpoint_and_may_be_asked_again(serve: Serve, mishap: str) -> None:
    behave, told = MISHAPS[mishap]
    server = ChatServer(lambda _: behave)
    url = serve(server)
    completion = ask_one(engine(url, attempts=2, timeout_s=0.3), n=2)
    assert told in completion.error
    assert completion.error.startswith(url.split("/")[2])
    assert completion.error.endswith("(attempt 2 of 2)")
    assert (completion.text, completion.lasting, len(server.asked)) == ("", False, 2)


@pytest.mark.parametrize("mishap", MISHAPS)
def test_after_a_mishap_another_endpoint_is_asked(serve: Serve, mishap: str) -> None:
    behave, _ = MISHAPS[mishap]
    bad, good = ChatServer(lambda _: behave), ChatServer()
    completions = ask(engine(serve(bad), serve(good), attempts=2, timeout_s=0.3), [request(n=2)])
    assert [completion.error for completion in completions] == ["", ""]
    assert (len(bad.asked), len(good.asked)) == (1, 1)


def test_an_endpoint_that_is_down_is_told() -> None:
    with nobody() as url:
        completion = ask_one(engine(url, attempts=3))
    assert f"{url.split('/')[2]}: cannot be reached" in completion.error
    assert "attempt 3 of 3" in completion.error
    assert not completion.lasting


def test_an_endpoint_that_fails_at_once_does_not_draw_the_work(serve: Serve) -> None:
    bad, good = ChatServer(lambda _: status(500)), ChatServer()
    with nobody() as down:
        urls = down, serve(bad), serve(good)
        completions = ask(engine(*urls, attempts=3, concurrency=4), [request(n) for n in range(200)])
    assert sorted(completion.key for completion in completions) == sorted(request(n).key for n in range(200))
    assert not any(completion.error for completion in completions)
    assert Counter(good.questions) == {f"Lake {n}?": 1 for n in range(200)}
    assert len(bad.asked) < 50


@pytest.mark.parametrize(
    ("code", "body", "told"),
    [
        (400, {"error": {"message": "too many tokens"}}, "status 400: 'too many tokens'"),
        (400, {"object": "error", "message": "too many tokens"}, "status 400: 'too many tokens'"),
        (422, {"detail": "temperature?"}, "status 422: 'temperature?'"),
        (413, "x" * 1000, "status 413: 'xxx"),
        (404, {"error": {"message": "no model toy"}}, "look at model, and whether base_url ends as it should"),
        (401, None, "look at the key in OPENAI_API_KEY"),
        (403, None, "look at the key in OPENAI_API_KEY"),
    ],
)
def test_a_refusal_lasts(serve: Serve, code: int, body: Any, told: str) -> None:
    server = ChatServer([status(code, body)])
    refused, answered = sorted(
        ask(engine(serve(server), concurrency=1), [request(0), request(1)]), key=lambda one: one.key
    )
    assert told in refused.error
    assert len(refused.error) < 400
    assert (refused.text, refused.lasting, len(server.asked)) == ("", True, 2)
    assert not answered.error


def test_what_a_content_filter_keeps_back_is_no_answer(serve: Serve) -> None:
    completion = ask_one(engine(serve(ChatServer([changed(content="I can", finish_reason="content_filter")]))))
    assert (completion.text, completion.lasting) == ("", True)
    assert "content filter" in completion.error


def test_a_request_that_is_no_json_fails_by_itself(serve: Serve) -> None:
    server = ChatServer()
    wrong = request(0, messages=({"role": "user", "content": "half a letter: \ud83d"},))
    completions = {completion.key: completion for completion in ask(engine(serve(server)), [wrong, request(1)])}
    assert completions["0/area/0"].lasting
    assert "cannot be put into JSON" in completions["0/area/0"].error
    assert (completions["1/area/0"].error, len(server.asked)) == ("", 1)


def test_the_wrong_path_is_told(serve: Serve) -> None:
    url = serve(ChatServer())
    completion = ask_one(engine(url.removesuffix("/v1")))
    assert "whether base_url ends as it should, mostly in /v1" in completion.error
    assert completion.lasting


@pytest.mark.parametrize(("wait", "seconds"), [(status(429, headers={"Retry-After": "0.3"}), 0.3), (come_back(1), 1)])
def test_nobody_comes_back_earlier_than_told(serve: Serve, wait: Behaviour, seconds: float) -> None:
    server = ChatServer([wait])
    completions = ask(engine(serve(server), concurrency=1), [request(n) for n in range(3)])
    assert not any(completion.error for completion in completions)
    first, *others = server.asked
    assert len(others) == 3
    assert all(other.time - first.time >= seconds for other in others)


def test_an_endpoint_that_wants_peace_does_not_stop_another(serve: Serve) -> None:
    closed, open_ = ChatServer(lambda _: status(503, headers={"Retry-After": "3600"})), ChatServer()
    completions = ask(engine(serve(closed), serve(open_), concurrency=2), [request(n) for n in range(40)])
    assert not any(completion.error for completion in completions)
    assert len(closed.asked) == 1


def test_an_hour_of_peace_is_not_waited_for(serve: Serve) -> None:
    server = ChatServer(lambda _: status(429, headers={"Retry-After": "3600"}))
    completions = ask(engine(serve(server)), [request(n) for n in range(3)])
    assert all("wants to be left alone for 36" in completion.error for completion in completions)
    assert not any(completion.lasting for completion in completions)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0),
        ({"retry-after": "7"}, 7),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after": "-3"}, 0),
        ({"retry-after": "nan"}, 0),
        ({"retry-after": "inf"}, 0),
        ({"retry-after": "soon"}, 0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:30 GMT", "date": "Wed, 21 Oct 2015 07:28:00 GMT"}, 30),
        ({"retry-after": "Wednesday, 21-Oct-15 07:28:30 GMT", "date": "Wed, 21 Oct 2015 07:28:00 GMT"}, 30),
        ({"retry-after": "Wed Oct 21 07:28:30 2015", "date": "Wed, 21 Oct 2015 07:28:00 GMT"}, 30),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float) -> None:
    assert retry_after_s(headers) == seconds


def test_requests_under_way_are_as_many_as_allowed_and_no_more(serve: Serve) -> None:
    server = ChatServer(lambda _: together(6))
    asked = engine(serve(server), concurrency=6)
    assert not any(completion.error for completion in ask(asked, [request(n) for n in range(60)]))
    assert server.peak == 6
    assert asked.in_flight == 8


def test_the_least_busy_endpoint_is_next(serve: Serve) -> None:
    servers = [ChatServer(lambda _: together(4)) for _ in range(3)]
    ask(engine(*map(serve, servers), concurrency=12), [request(n) for n in range(60)])
    assert [server.peak for server in servers] == [4, 4, 4]


def test_a_storm_answers_every_request_once(serve: Serve) -> None:
    rng = Random(4)
    storm = [html, broken, cut, reset, status(429), status(500), status(503), changed(choices=[]), changed(content="")]
    servers = [ChatServer(lambda _: rng.choice(storm) if rng.random() < 0.3 else answer) for _ in range(2)]
    asked = engine(*map(serve, servers), attempts=20, concurrency=16)
    completions = ask(asked, [request(n, n=2) for n in range(200)])
    assert [completion.error for completion in completions if completion.error] == []
    assert Counter((completion.key, completion.draft) for completion in completions) == {
        (request(number).key, draft): 1 for number in range(200) for draft in range(2)
    }
    for completion in completions:
        number = int(completion.key.split("/")[0])
        assert completion.text == f"Lake {number}? seed {number} draft {completion.draft}"
    assert sum(len(server.asked) for server in servers) > 240


def test_whoever_stops_listening_leaves_nothing_behind(serve: Serve) -> None:
    server = ChatServer([together(4), hang, hang, hang])
    asked = engine(serve(server), concurrency=4)

    async def answers() -> list[Completion]:
        await asked.start()
        first = asked.generate([request(n) for n in range(4)])
        seen = [await anext(first)]
        async with asyncio.timeout(3):
            await first.aclose()  # type: ignore[attr-defined]
        seen += [completion async for completion in asked.generate([request(n) for n in range(4, 24)])]
        await asked.stop()
        return seen

    completions = asyncio.run(answers())
    assert [completion.error for completion in completions] == [""] * 21


def test_an_engine_starts_again_in_another_loop(serve: Serve) -> None:
    asked = engine(serve(ChatServer()))
    assert ask(asked, [request()]) == ask(asked, [request()])


def test_an_engine_that_was_not_started_is_dead() -> None:
    async def answers() -> None:
        async for _ in engine("http://localhost:1/v1").generate([request()]):
            pass

    with pytest.raises(EngineDead, match="engine toy: is not running"):
        asyncio.run(answers())


@pytest.mark.parametrize(("variable", "sent"), [("OPENAI_API_KEY", KEY), ("OTHER_KEY", "none"), ("", "none")])
def test_the_key_comes_from_the_environment(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, variable: str, sent: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    server = ChatServer()
    assert not ask_one(engine(serve(server), api_key_env=variable)).error
    assert server.asked[0].headers["authorization"] == f"Bearer {sent}"


def test_the_key_is_never_shown(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    echo = {"error": {"message": f"Incorrect API key provided: {KEY}."}}
    cut_off = status(503, "x" * 190 + KEY)
    asked = engine(serve(ChatServer([status(500, echo), status(401, echo)])))

    async def answers() -> str:
        await asked.start()
        shown = f"{asked!r} {asked.model_dump()} {asked._endpoints!r}"
        (completion,) = [completion async for completion in asked.generate([request()])]
        await asked.stop()
        assert "Incorrect API key provided: [OPENAI_API_KEY]." in completion.error
        return shown + completion.error

    part = KEY[:10]
    assert part not in asyncio.run(answers())
    assert part not in ask_one(engine(serve(ChatServer([cut_off])), attempts=1)).error
    assert caplog.text
    assert part not in caplog.text
