"""Ask, check, ask again; and which engine a sample goes to."""

from collections import Counter
from collections.abc import Sequence

import pytest

from annotation.annotate import annotate, seed_of
from annotation.errors import AnnotationError
from annotation.request import Completion, Request
from pipeline.roster import Roster, Seat

GOOD = "A gently curved river crosses the picture from the northern to the southern edge."


def _request(sample: int) -> Request:
    key = f"{sample}/area/0"
    message = {"role": "user", "content": "facts"}
    return Request(key, "area", (message,), (), 0.6, seed_of(1, key), "area@0")  # type: ignore[arg-type]


class Author:
    """Answers by the number of the attempt, and remembers what it was asked."""

    def __init__(self, *answers: Completion | str) -> None:
        self.answers = answers
        self.asked: list[Request] = []

    def __call__(self, requests: Sequence[Request]) -> list[Completion]:
        self.asked += requests
        return [self._answer(request) for request in reversed(requests)]

    def _answer(self, request: Request) -> Completion:
        answer = self.answers[int(request.key.rsplit("/", 1)[1])]
        if isinstance(answer, str):
            return Completion(request.key, answer, "author")
        return Completion(request.key, answer.text, "author", answer.finish_reason, error=answer.error)


def test_accepted_at_once() -> None:
    author = Author(GOOD)
    attempts = annotate([_request(1), _request(2)], author, retries=2, run_seed=1)
    assert [(attempt.request.key, attempt.reasons, attempt.final) for attempt in attempts] == [
        ("1/area/0", (), True),
        ("2/area/0", (), True),
    ]
    assert len(author.asked) == 2


def test_refused_is_asked_again_with_a_new_seed_and_the_complaint() -> None:
    author = Author("Too short.", "", GOOD)
    first, second, third = annotate([_request(7)], author, retries=2, run_seed=1)
    assert first.reasons == ("too short: 2 words, at least 10 are wanted",)
    assert second.reasons == ("empty",)
    assert (third.reasons, third.text, third.final, third.number) == ((), GOOD, True, 2)
    assert not first.final
    assert not second.final
    assert [request.key for request in author.asked] == ["7/area/0", "7/area/1", "7/area/2"]
    assert len({request.seed for request in author.asked}) == 3
    assert "too short" in author.asked[1].messages[-1]["content"]
    assert author.asked[0].messages[-1]["content"] == "facts"


def test_refused_to_the_end_is_kept_with_every_reason() -> None:
    cut = Completion("", GOOD, "author", "length")
    broken = Completion("", "", "author", error="out of memory")
    attempts = annotate([_request(7)], Author(cut, broken), retries=1, run_seed=1)
    assert [attempt.final for attempt in attempts] == [False, True]
    assert attempts[0].reasons[0].startswith("unfinished")
    assert attempts[1].reasons == ("engine: out of memory",)


@pytest.mark.parametrize("answers", [0, 2])
def test_an_engine_must_answer_each_request_once(answers: int) -> None:
    def careless(requests: Sequence[Request]) -> list[Completion]:
        return [Completion(request.key, GOOD, "careless") for request in requests] * answers

    with pytest.raises(AnnotationError, match=r"An engine has to answer each request once"):
        annotate([_request(1)], careless, retries=0, run_seed=1)


def test_shares_are_met_and_all_requests_of_a_sample_go_to_one_engine() -> None:
    roster = Roster((Seat("large", 0.7, ()), Seat("small", 0.3, ())), "share")
    drawn = Counter(roster.seat_of(_request(sample)).name for sample in range(5000))
    assert drawn["large"] / 5000 == pytest.approx(0.7, abs=0.03)
    for sample in range(50):
        again = Request(f"{sample}/revision.0/2", "revision", (), (), 0.6, 1, "revision@0")
        assert roster.seat_of(again) is roster.seat_of(_request(sample))
