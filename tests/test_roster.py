"""Engines as Ray actors: what becomes of requests when engines die, fail or forget."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import ray

from annotation.request import Completion, Request
from pipeline.cluster import cluster
from pipeline.config import Captions
from pipeline.errors import PipelineError
from pipeline.roster import Roster
from tests.engines import Moody

pytestmark = [pytest.mark.timeout(180), pytest.mark.usefixtures("here")]


@pytest.fixture(scope="module")
def here() -> Iterator[None]:
    """Ray on this machine."""
    with cluster(None, 6, ()):
        yield


def _roster(engines: list[Moody], **settings: Any) -> Roster:
    return Roster.open(Captions.model_construct(engines=tuple(engines), **settings))


def _ask(roster: Roster, number: int = 60, n: int = 1) -> list[Completion]:
    requests = [Request(f"{sample}/area/0", "area", (), (), 0.6, sample, "area@0", n=n) for sample in range(number)]
    post = roster.post("unit")
    post.send(requests)
    answers: list[Completion] = []
    while len({answer.key for answer in answers}) < number or len(answers) < number:
        answers += post.receive()
    post.close()
    return answers


@pytest.mark.parametrize("mood", ["dies", "ends"])
def test_a_dying_engine_loses_and_doubles_nothing(tmp_path: Path, mood: Any) -> None:
    roster = _roster(
        [Moody(name="frail", mood=mood, folder=tmp_path), Moody(name="sound", mood="waits", folder=tmp_path)]
    )
    answers = _ask(roster, 200)
    assert Counter(answer.key for answer in answers) == Counter(f"{n}/area/0" for n in range(200))
    assert not [answer.error for answer in answers if answer.error]
    figures = roster.figures(200)
    assert figures["engines"]["frail"]["deaths"] == 1
    assert sum(engine["requests"] for engine in figures["engines"].values()) == 200
    roster.close()


def test_an_engine_alone_comes_back_and_goes_on(tmp_path: Path) -> None:
    roster = _roster([Moody(name="frail", mood="dies", folder=tmp_path)])
    assert len(_ask(roster)) == 60
    figures = roster.figures(60)["engines"]["frail"]
    assert (figures["deaths"], figures["alive"]) == (1, 1)
    roster.close()


def test_drafts_come_together(tmp_path: Path) -> None:
    roster = _roster([Moody(name="sound", folder=tmp_path)])
    answers = _ask(roster, 10, n=3)
    assert Counter((answer.key, answer.draft) for answer in answers) == Counter(
        (f"{sample}/area/0", draft) for sample in range(10) for draft in range(3)
    )
    figures = roster.figures(30)["engines"]["sound"]
    assert (figures["requests"], figures["answers"], figures["completion_tokens"]) == (10, 30, 300)
    roster.close()


@pytest.mark.parametrize(("mood", "reason"), [("raises", "RuntimeError: weights full of NaN"), ("forgets", "gave no")])
def test_unanswered_requests_are_told_as_failures(tmp_path: Path, mood: Any, reason: str) -> None:
    roster = _roster([Moody(name="odd", mood=mood, folder=tmp_path)], max_error_rate=1.0)
    answers = _ask(roster, 8)
    assert len(answers) == 8
    failed = [answer.error for answer in answers if answer.error]
    assert failed
    assert all(reason in error and "3 tries" in error for error in failed)
    roster.close()


def test_an_engine_that_cannot_be_loaded_stops_the_run_and_says_why(tmp_path: Path) -> None:
    roster = _roster([Moody(name="empty", mood="unloadable", folder=tmp_path), Moody(name="sound", folder=tmp_path)])
    post = roster.post("unit")
    post.send([Request("1/area/0", "area", (), (), 0.6, 1, "area@0")])
    assert len(post.receive()) == 1
    ray.get(roster.dispatch.watched.remote("empty#0"))
    with pytest.raises(PipelineError, match="empty cannot be used: the model folder holds no weights"):
        roster.figures(0)


def test_a_run_in_which_everything_fails_is_stopped(tmp_path: Path) -> None:
    roster = _roster([Moody(name="odd", mood="raises", folder=tmp_path)])
    _ask(roster, 60)
    with pytest.raises(PipelineError, match=r"100% of the last \d+ requests failed.*weights full of NaN"):
        roster.figures(0)
