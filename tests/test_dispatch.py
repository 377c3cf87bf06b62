"""Who waits for what: the dispatch by itself, without Ray and without clocks."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.request import Completion, Request
from pipeline.dispatch import TRIES, Dispatch

BOUND_S = 10


def _request(key: str, prompt: str = "area@0", engine: str = "") -> Request:
    return Request(key, engine or "area", (), (), 0.6, 1, prompt)


def _answer(key: str, error: str = "", *, lasting: bool = False) -> list[Completion]:
    return [Completion(key, "" if error else "A lake.", "a", error=error, lasting=lasting)]


def _named(request: Request) -> str | None:
    return None if request.task == "area" else request.task


def _dispatch(**copies: str) -> Dispatch:
    return Dispatch(copies or {"a1": "a"}, _named, max_error_rate=0.5)


def _run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, BOUND_S))


def test_requests_of_a_template_are_taken_in_a_row() -> None:
    async def story() -> None:
        dispatch = _dispatch()
        await dispatch.open("unit")
        await dispatch.send("unit", [_request(f"{n}/x/0", f"t{n % 2}@0") for n in range(10)])
        prompts = [request.prompt for room in (3, 3, 4) for request in await dispatch.take("a1", room)]
        assert prompts in (["t0@0"] * 5 + ["t1@0"] * 5, ["t1@0"] * 5 + ["t0@0"] * 5)

    _run(story())


def test_a_dead_copy_s_requests_go_to_another_and_are_answered_once() -> None:
    async def story() -> None:
        dispatch = _dispatch(a1="a", b1="b")
        await dispatch.open("unit")
        await dispatch.send("unit", [_request(f"{n}/x/0") for n in range(4)])
        assert len(await dispatch.take("a1", 3)) == 3
        await dispatch.give("a1", [_answer("0/x/0")])
        await dispatch.lost("a1", "killed", for_good=False)
        taken = await dispatch.take("b1", 9)
        assert sorted(request.key for request in taken) == ["1/x/0", "2/x/0", "3/x/0"]
        await dispatch.give("a1", [_answer("1/x/0")])  # a late word of the dead
        await dispatch.give("b1", [_answer(request.key) for request in taken])
        answers = await dispatch.receive("unit")
        assert sorted(answer.key for answer in answers) == ["0/x/0", "1/x/0", "2/x/0", "3/x/0"]

    _run(story())


def test_a_request_that_fails_by_itself_is_tried_three_times() -> None:
    async def story() -> None:
        dispatch = _dispatch()
        await dispatch.open("unit")
        await dispatch.send("unit", [_request("1/x/0"), _request("2/x/0")])
        for _ in range(TRIES):
            taken = [request.key for request in await dispatch.take("a1", 9)]
            assert "1/x/0" in taken
            await dispatch.give("a1", [_answer(key, "broken pipe" if key == "1/x/0" else "") for key in taken])
        answers = {answer.key: answer for answer in await dispatch.receive("unit")}
        assert answers["1/x/0"].error == "broken pipe (3 tries)"
        assert not answers["2/x/0"].error
        assert dispatch.retries == TRIES - 1

    _run(story())


def test_a_lasting_error_is_not_tried_again() -> None:
    async def story() -> None:
        dispatch = _dispatch()
        await dispatch.open("unit")
        await dispatch.send("unit", [_request("1/x/0")])
        await dispatch.take("a1", 1)
        await dispatch.give("a1", [_answer("1/x/0", "prompt too long", lasting=True)])
        (answer,) = await dispatch.receive("unit")
        assert answer.lasting
        assert answer.error == "prompt too long"

    _run(story())


def test_too_many_errors_stop_the_run_and_a_few_do_not() -> None:
    async def story(period: int) -> str:
        dispatch = _dispatch()
        await dispatch.open("unit")
        await dispatch.send("unit", [_request(f"{n}/x/0") for n in range(100)])
        for request in await dispatch.take("a1", 100):
            bad = int(request.key.split("/")[0]) % period == 0
            await dispatch.give("a1", [_answer(request.key, "no route to host" if bad else "")])
        return dispatch.trouble

    assert asyncio.run(story(10)) == ""
    trouble = asyncio.run(story(1))
    assert "100% of the last" in trouble
    assert "no route to host" in trouble


def test_what_only_a_lost_engine_could_answer_fails_and_the_rest_goes_on() -> None:
    async def story() -> None:
        dispatch = _dispatch(a1="a", b1="b")
        await dispatch.open("unit")
        await dispatch.send("unit", [_request("1/x/0", engine="a"), _request("2/x/0"), _request("3/x/0", engine="b")])
        await dispatch.lost("a1", "out of memory", for_good=True)
        await dispatch.send("unit", [_request("4/x/0", engine="a")])
        failed = await dispatch.receive("unit")
        assert sorted(answer.key for answer in failed) == ["1/x/0", "4/x/0"]
        assert all("out of memory" in answer.error for answer in failed)
        assert not dispatch.trouble
        assert sorted(request.key for request in await dispatch.take("b1", 9)) == ["2/x/0", "3/x/0"]
        await dispatch.lost("b1", "killed", for_good=True)
        assert dispatch.trouble.startswith("No engine is left")
        assert sorted(answer.key for answer in await dispatch.receive("unit")) == ["2/x/0", "3/x/0"]

    _run(story())


def test_a_unit_that_begins_anew_gets_no_answers_to_its_earlier_life() -> None:
    async def story() -> None:
        dispatch = _dispatch()
        for life in range(2):
            await dispatch.open("unit")
            await dispatch.send("unit", [_request("1/x/0"), _request("2/x/0")])
            if life == 0:
                await dispatch.take("a1", 1)
        await dispatch.give("a1", [_answer("1/x/0")])  # asked in the first life
        taken = await dispatch.take("a1", 9)
        assert [request.key for request in taken] == ["1/x/0", "2/x/0"]
        await dispatch.give("a1", [_answer(request.key) for request in taken])
        assert len(await dispatch.receive("unit")) == 2

    _run(story())


EVENTS = st.lists(
    st.tuples(st.sampled_from(["take", "give", "fail", "die"]), st.sampled_from(["a1", "a2", "b1"])), max_size=60
)


@settings(max_examples=60, deadline=None)
@given(EVENTS, st.integers(1, 25))
def test_whatever_happens_each_request_is_answered_once(events: list[tuple[str, str]], number: int) -> None:
    async def story() -> None:
        dispatch = Dispatch({"a1": "a", "a2": "a", "b1": "b"}, _named, max_error_rate=1)
        await dispatch.open("unit")
        keys = [f"{n}/x/0" for n in range(number)]
        tasks = ["area", "a", "b"]
        await dispatch.send("unit", [_request(key, engine=tasks[n % 3]) for n, key in enumerate(keys)])
        for event, copy in [*events, *[(event, copy) for copy in ("a1", "b1", "a2") for event in ("take", "give")] * 9]:
            held = list(dispatch.copies[copy].leases)
            if event == "take" and dispatch.waiting(dispatch.copies[copy].engine) + dispatch.waiting(None):
                await dispatch.take(copy, 4 if len(events) < 50 else 99)
            elif event == "die":
                await dispatch.lost(copy, "killed", for_good=False)
            elif held:
                await dispatch.give(copy, [_answer(key, "" if event == "give" else "odd") for key in held])
        answers = await dispatch.receive("unit")
        assert sorted(answer.key for answer in answers) == sorted(keys)

    _run(story())


@pytest.mark.parametrize("room", [1, 5])
def test_a_waiting_copy_is_woken_by_work(room: int) -> None:
    async def story() -> None:
        dispatch = _dispatch()
        await dispatch.open("unit")
        taking = asyncio.create_task(dispatch.take("a1", room))
        await asyncio.sleep(0)
        await dispatch.send("unit", [_request(f"{n}/x/0") for n in range(3)])
        assert len(await taking) == min(3, room)

    _run(story())
