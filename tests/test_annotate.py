"""Ask, check, ask again; and which engine a sample goes to."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from annotation.annotate import Attempt, annotate, seed_of
from annotation.checks.checks import Checks
from annotation.errors import AnnotationError
from annotation.request import Completion, ElementFacts, Request
from pipeline.config import Captions
from pipeline.posts import EngineOf

GOOD = "A gently curved river crosses the picture from the northern to the southern edge."
JUDGE = Checks().judge


def _request(sample: int) -> Request:
    key = f"{sample}/area/0"
    message = {"role": "user", "content": "facts"}
    return Request(key, "area", (message,), (), 0.6, seed_of(1, key), "area@0")  # type: ignore[arg-type]


class Author:
    """Answers by the number of the attempt, the last request first, one at a time; remembers what it was asked."""

    def __init__(self, *answers: Completion | str) -> None:
        self.answers = answers
        self.asked: list[Request] = []
        self._waiting: list[tuple[Request, int]] = []

    def send(self, requests: Sequence[Request]) -> None:
        self.asked += requests
        self._waiting += [(request, draft) for request in requests for draft in range(request.n)]

    def receive(self) -> list[Completion]:
        request, draft = self._waiting.pop()
        answer = self.answers[min(int(request.key.rsplit("/", 1)[1]), len(self.answers) - 1)]
        if isinstance(answer, str):
            return [Completion(request.key, answer, "author", draft=draft)]
        return [replace(answer, key=request.key, draft=draft)]


def test_accepted_at_once() -> None:
    author = Author(GOOD)
    attempts = annotate([_request(1), _request(2)], author, judge=JUDGE, retries=2, run_seed=1)
    assert [(attempt.request.key, attempt.reasons, attempt.final) for attempt in attempts] == [
        ("1/area/0", (), True),
        ("2/area/0", (), True),
    ]
    assert len(author.asked) == 2


def test_refused_is_asked_again_with_a_new_seed_and_the_complaint() -> None:
    author = Author("Too short.", "", GOOD)
    first, second, third = annotate([_request(7)], author, judge=JUDGE, retries=2, run_seed=1)
    assert first.reasons == ("too short: 2 words, at least 10 are wanted",)
    assert second.reasons == ("empty",)
    assert "too short: 2 words" in author.asked[1].messages[-1]["content"]
    assert (third.reasons, third.text, third.final, third.number) == ((), GOOD, True, 2)
    assert not first.final
    assert not second.final
    assert [request.key for request in author.asked] == ["7/area/0", "7/area/1", "7/area/2"]
    assert len({request.seed for request in author.asked}) == 3
    assert "too short" in author.asked[1].messages[-1]["content"]
    assert author.asked[0].messages[-1]["content"] == "facts"


def test_refused_to_the_end_is_kept_with_every_reason() -> None:
    cut = Completion("", GOOD, "author", "length")
    attempts = annotate([_request(7)], Author(cut, "Short."), judge=JUDGE, retries=1, run_seed=1)
    assert [attempt.final for attempt in attempts] == [False, True]
    assert attempts[0].reasons[0].startswith("unfinished")
    assert attempts[1].reasons == ("too short: 1 words, at least 10 are wanted",)
    assert not attempts[1].claims
    assert not attempts[1].failed


RIVER = ElementFacts(
    "way/1", "line", {"waterway": "river", "name": "Rhine"},
    {"noun": "river", "plural": "rivers", "name": "Rhine", "length_m": 270.0, "course": "gently curved",
     "from": "north", "to": "south", "edges": ["north", "south"]},
)  # fmt: skip


def _river(sample: int) -> Request:
    return replace(_request(sample), elements=(RIVER,))


def test_a_false_claim_is_asked_again_and_kept_with_its_claims() -> None:
    false = "A gently curved river runs through the picture for 900 m, from north to south, beside Danube Road."
    author = Author(false, GOOD)
    first, second = annotate([_river(1)], author, judge=JUDGE, retries=2, run_seed=1)
    assert first.reasons == ("contradicted number: '900 m'", "unsupported name: 'Danube Road'")
    assert {(claim.kind, claim.verdict) for claim in first.claims} >= {("name", "unsupported"), ("class", "supported")}
    assert not second.reasons
    assert {claim.verdict for claim in second.claims} == {"supported"}
    complaint = author.asked[1].messages[-1]["content"]
    assert "name is not in the facts: Danube Road" in complaint
    assert "number contradicts the facts: 900 m" in complaint


def test_a_complaint_is_no_excuse_for_saying_it_again() -> None:
    """What the complaint quotes is no fact, and the first prompt is what an answer is held against."""
    false = "A gently curved river called Danube crosses the picture from the northern to the southern edge."
    attempts = annotate([_river(1)], Author(false), judge=JUDGE, retries=2, run_seed=1)
    assert [attempt.reasons for attempt in attempts] == [("unsupported name: 'Danube'",)] * 3
    assert [attempt.final for attempt in attempts] == [False, False, True]


def test_the_same_answers_give_the_same_attempts() -> None:
    def told() -> list[Attempt]:
        author = Author("The river Danube, which is long, crosses the picture from west to east.", GOOD)
        return annotate([_river(sample) for sample in range(5)], author, judge=JUDGE, retries=1, run_seed=4)

    assert told() == told()


def test_an_engine_that_failed_is_not_asked_again() -> None:
    """The dispatch has tried already; a passing failure is a failure, a lasting one the request's own."""
    author = Author(Completion("", "", "author", error="out of memory"))
    (attempt,) = annotate([_request(7)], author, judge=JUDGE, retries=2, run_seed=1)
    assert (attempt.reasons, attempt.final, attempt.failed) == (("engine: out of memory",), True, True)
    author = Author(Completion("", "", "author", error="prompt too long", lasting=True))
    (attempt,) = annotate([_request(7)], author, judge=JUDGE, retries=2, run_seed=1)
    assert attempt.final
    assert not attempt.failed


def test_accepted_captions_are_followed_as_soon_as_they_are_there() -> None:
    author = Author("Short.", GOOD)

    def follow(accepted: Attempt) -> list[Request]:
        sample = accepted.request.key.split("/")[0]
        return [replace(_request(0), key=f"{sample}/revision.{accepted.draft}/0", task="revision", draft=accepted.text)]

    requests = [replace(_request(sample), n=2) for sample in (1, 2)]
    attempts = annotate(requests, author, judge=JUDGE, retries=1, run_seed=1, follow=follow)
    first = [f"{sample}/area{name}/{number}" for sample in (1, 2) for name, number in (("", 0), ("", 1))]
    assert [attempt.request.key for attempt in attempts if attempt.draft == 0][:4] == first
    assert [attempt.request.key for attempt in attempts if attempt.draft == 1] == [
        "1/area/0", "1/area.1/1", "2/area/0", "2/area.1/1",
    ]  # fmt: skip
    accepted = [attempt.request.key for attempt in attempts if not attempt.reasons]
    assert accepted[4:] == [f"{sample}/revision.{draft}/1" for sample in (1, 2) for draft in (0, 1)]
    asked = [request.key for request in author.asked]
    assert asked.index("2/revision.1/0") < asked.index("1/area.1/1"), "a revision waits for no other sample"


@pytest.mark.parametrize("key", ["1/area/0", "9/area/0"])
def test_an_answer_that_nobody_asked_for_is_an_error(key: str) -> None:
    class Careless(Author):
        def receive(self) -> list[Completion]:
            return [Completion(key, GOOD, "careless")] * 2

    with pytest.raises(AnnotationError, match="An engine has to answer each request once"):
        annotate([_request(1), _request(2)], Careless(), judge=JUDGE, retries=0, run_seed=1)


def _captions(**settings: Any) -> Captions:
    engines = [{"kind": "grammar", "name": "large", "share": 0.7}, {"kind": "grammar", "name": "small", "share": 0.3}]
    return Captions.model_validate({"engines": engines, **settings})


def test_shares_are_met_and_all_requests_of_a_sample_go_to_one_engine() -> None:
    engine_of = EngineOf(_captions(assign="share"))
    drawn = Counter(engine_of(_request(sample)) for sample in range(5000))
    assert drawn["large"] / 5000 == pytest.approx(0.7, abs=0.03)
    for sample in range(50):
        again = Request(f"{sample}/revision.0/2", "revision", (), (), 0.6, 1, "revision@0")
        assert engine_of(again) == engine_of(_request(sample))


def test_revisions_go_to_the_engine_that_the_configuration_names() -> None:
    engine_of = EngineOf(_captions(tasks={"revision": {"mean": 2, "engine": "small"}}))
    assert engine_of(_request(1)) is None
    assert engine_of(replace(_request(1), task="revision")) == "small"
    with pytest.raises(ValidationError, match="no engine is called 'middle'; there are large, small"):
        _captions(tasks={"revision": {"mean": 2, "engine": "middle"}})
