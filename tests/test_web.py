"""HTTP with the real client against a server that misbehaves."""

import hashlib
import logging
import traceback
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import numpy as np
import pytest

from download import traffic
from download.errors import DownloadError, MissingError, PassingError, RefusedError
from download.patience import Patience, asked_wait
from download.web import Web, shown
from tests.stand_in import ALL, Answer, Asked, Faults, StandIn, etag, part

CONTENT = np.random.default_rng(5).integers(0, 256, 900_000, dtype=np.uint8).tobytes()
QUICK = Patience(tries=5, first_wait_s=0.001, longest_wait_s=1, timeout_s=10)
WEB = Web("test", QUICK)
HASTY = QUICK.model_copy(update={"tries": 8, "timeout_s": 0.3})
"""For servers that hang."""

SECRET = "s3cret"


def _serve(asked: Asked) -> Answer:
    return Answer(body=asked.path.encode() + asked.body, headers={"Content-Type": "text/plain"})


def _file(asked: Asked) -> Answer:  # noqa: ARG001 - always the same
    return Answer(body=CONTENT, ranges=True)


def _in_turn(answers: Iterable[Answer]) -> Callable[[Asked], Answer]:
    waiting = iter(answers)
    return lambda asked: part(answer, asked.headers) if (answer := next(waiting)).ranges else answer


@pytest.mark.parametrize("kind", ALL)
def test_every_fault_passes(kind: str) -> None:
    with StandIn(_serve, Faults(1, kinds=(kind,), hang_s=0.4)) as server:
        web = Web("test", HASTY if kind == "hang" else QUICK)
        assert web.get(f"{server.url}/a") == b"/a"
        assert web.post(f"{server.url}/b", b" and more") == b"/b and more"
    assert server.failed[kind] >= 6
    assert kind == "hang" or len(server.asked) == 8


@pytest.mark.parametrize("kind", ALL)
def test_every_fault_is_told_when_it_stays(kind: str) -> None:
    with (
        StandIn(_serve, Faults(1, kinds=(kind,), hang_s=0.4)) as server,
        pytest.raises(DownloadError, match=r"^http://127.0.0.1:\d+/a .* \(tried 3 times; run the same command") as told,
    ):
        Web("test", HASTY.model_copy(update={"tries": 3})).get(f"{server.url}/a?key=secret")
    assert not isinstance(told.value, PassingError)


def test_a_storm_gives_the_same_answers() -> None:
    with StandIn(_serve, Faults(0.3, seed=4, hang_s=0.4)) as server:
        for number in range(40):
            assert Web("test", HASTY).get(f"{server.url}/{number}") == f"/{number}".encode()
    assert len(server.failed) >= 6


@pytest.mark.parametrize(
    ("status", "error", "message"),
    [
        (404, MissingError, "is not there"),
        (204, MissingError, "is not there"),
        (401, RefusedError, "credentials"),
        (403, RefusedError, "credentials"),
        (400, DownloadError, "HTTP 400"),
        (416, DownloadError, "HTTP 416"),
    ],
)
def test_what_asking_again_does_not_change(status: int, error: type[DownloadError], message: str) -> None:
    with StandIn(lambda _: Answer(status)) as server, pytest.raises(error, match=message):
        WEB.get(f"{server.url}/a")
    assert len(server.asked) == 1


def test_too_long_a_wait_is_not_waited() -> None:
    far = format_datetime(datetime.now(tz=UTC) + timedelta(hours=1), usegmt=True)
    for wish in ("3600", far):
        with (
            StandIn(lambda _, wish=wish: Answer(429, headers={"Retry-After": wish})) as server,  # type: ignore[misc]
            pytest.raises(DownloadError, match=r"asks to be left alone for 3[56]\d\d s \(tried once"),
        ):
            WEB.get(f"{server.url}/a")
        assert len(server.asked) == 1


def test_retry_after_is_a_number_or_a_date() -> None:
    soon = format_datetime(datetime.now(tz=UTC) + timedelta(seconds=100), usegmt=True)
    past = "Wed, 21 Oct 2015 07:28:00 GMT"
    assert 90 < (asked_wait(soon) or 0) <= 100
    assert [asked_wait(said) for said in ("7", " 0 ", "1.5", past, past.replace("GMT", "-0000"))] == [7, 0, 1.5, 0, 0]
    assert [asked_wait(said) for said in (None, "", "soon", "²", "-3", "Mon, 99 Foo 2020")] == [None] * 6


def test_a_check_can_ask_again() -> None:
    def whole(body: bytes, headers: object) -> None:
        if b"remark" in body:
            raise PassingError(f"a remark, {type(headers).__name__}")

    with StandIn(_in_turn([Answer(body=b"remark: busy"), Answer(body=b"fine")])) as server:
        assert WEB.get(f"{server.url}/a", whole) == b"fine"


def test_pages_are_recognised_whatever_their_type_says() -> None:
    xhtml = b'\xef\xbb\xbf<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "x">\n<html></html>'
    for body, kind in ((xhtml, "application/json"), (b"  <HTML>", "image/png"), (b"{}", "text/html; charset=utf-8")):
        page = Answer(body=body, headers={"Content-Type": kind})
        with StandIn(_in_turn([page, Answer(body=b"<osm/>")])) as server:
            assert WEB.get(f"{server.url}/a") == b"<osm/>"


def test_nobody_there_and_no_address() -> None:
    with StandIn(_serve) as server:
        closed = server.url
    with pytest.raises(DownloadError, match=r"cannot be reached.*tried 5 times"):
        WEB.get(f"{closed}/a")
    for wrong in ("ftp://example.org/a", "no address", "http://[::1", "http://a:b:c/"):
        with pytest.raises(DownloadError, match="cannot be asked"):
            WEB.get(wrong)


# Secrets


def _told(error: BaseException, caplog: pytest.LogCaptureFixture) -> str:
    return "".join((str(error), repr(error), *traceback.format_exception(error), caplog.text))


@pytest.mark.parametrize("kind", [*ALL, "401", "400", "closed", "bad header", "header not in ASCII", "bad address"])
def test_secrets_are_never_told(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    token = SECRET + {"bad header": "\nmore", "header not in ASCII": "·"}.get(kind, "")
    web = Web("test", HASTY.model_copy(update={"tries": 2}), {"X-Key": token}, secrets=(f"{SECRET}path",))

    def answer(asked: Asked) -> Answer:
        return Answer(int(kind) if kind.isdigit() else 200, body=str(asked).encode())

    faults = Faults(1, kinds=(kind,), hang_s=0.4) if kind in ALL else None
    with StandIn(answer, faults) as server:
        port = {"closed": "9", "bad address": "65536000"}.get(kind, server.url.rpartition(":")[2])
        with pytest.raises(DownloadError) as told:
            web.get(f"http://me:{SECRET}@127.0.0.1:{port}/{SECRET}path/tile?key={SECRET}#{SECRET}")
    assert SECRET not in _told(told.value, caplog) + repr(web)
    assert shown(f"https://u:{SECRET}@host:1/a?b#c") == "https://host:1/a"


def test_secrets_stay_with_the_host(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    web = Web("test", QUICK, {"X-Api-Key": SECRET, "User-Agent": "me"})
    with StandIn(_serve) as other:

        def send_on(asked: Asked) -> Answer:
            near = asked.path == "/near"
            return Answer(302, headers={"Location": "/far" if near else f"{other.url}/here?signed={SECRET}"})

        with StandIn(send_on) as server:
            assert web.get(f"{server.url}/near", headers={"Cookie-Like": SECRET}) == b"/here"
    assert [asked.headers.get("x-api-key") for asked in server.asked] == [SECRET, SECRET]
    assert SECRET not in str(other.asked[0].headers) + caplog.text
    assert other.asked[0].headers["user-agent"] == "me"


def test_endless_redirects() -> None:
    with (
        StandIn(lambda _: Answer(302, headers={"Location": "/again"})) as server,
        pytest.raises(DownloadError, match="TooManyRedirects"),
    ):
        WEB.get(f"{server.url}/a")
    assert len(server.asked) == 10


# Downloads


def test_a_broken_download_goes_on(tmp_path: Path) -> None:
    for kind in ("reset", "truncated"):
        target = tmp_path / kind
        before = traffic.fetched()
        with StandIn(_file, Faults(1, kinds=(kind,))) as server:
            WEB.download(f"{server.url}/map", target, sha256=hashlib.sha256(CONTENT).hexdigest())
        assert target.read_bytes() == CONTENT
        ranges = [asked.headers.get("range") for asked in server.asked]
        assert ranges[0] is None
        assert all(said is not None for said in ranges[1:])
        fetched = traffic.since(before)
        assert fetched["fetched_requests.test"] == 4
        if kind == "truncated":  # a reset throws away what was under way
            assert fetched["fetched_bytes.test"] == len(CONTENT) == server.sent
        assert {asked.headers["accept-encoding"] for asked in server.asked} == {"identity"}
        assert [file.name for file in tmp_path.iterdir() if file.name.startswith(kind)] == [kind]


@pytest.mark.parametrize("kind", ALL)
def test_downloads_survive_every_fault(tmp_path: Path, kind: str) -> None:
    with StandIn(_file, Faults(1, kinds=(kind,), hang_s=0.4)) as server:
        Web("test", HASTY).download(f"{server.url}/map", tmp_path / "map", md5=hashlib.md5(CONTENT).hexdigest())
    assert (tmp_path / "map").read_bytes() == CONTENT


def test_another_command_goes_on(tmp_path: Path) -> None:
    impatient = Web("test", QUICK.model_copy(update={"tries": 1}))
    with StandIn(_file, Faults(1, kinds=("truncated",), in_a_row=1)) as server:
        with pytest.raises(DownloadError, match="broke off"):
            impatient.download(f"{server.url}/map", tmp_path / "map")
        impatient.download(f"{server.url}/map", tmp_path / "map")
        assert server.sent == len(CONTENT)
    assert (tmp_path / "map").read_bytes() == CONTENT


def _half(target: Path, version: str | None = None, content: bytes = CONTENT) -> Path:
    target.write_bytes(content[:300_000])
    if version:
        target.with_name(f"{target.name}.etag").write_text(version)
    return target


def test_a_file_that_changed_meanwhile_is_fetched_anew(tmp_path: Path) -> None:
    target = _half(tmp_path / "map", etag(b"older"), b"x" * 900_000)
    with StandIn(_file) as server:
        WEB.download(f"{server.url}/map", target)
    assert server.asked[0].headers["if-range"] == etag(b"older")
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("headers", [{}, {"ETag": 'W/"weak"'}, {"ETag": '"v"', "Content-Encoding": "identity"}])
def test_without_a_version_it_starts_anew(tmp_path: Path, headers: dict[str, str]) -> None:
    with StandIn(lambda _: Answer(body=CONTENT, headers=headers), Faults(1, kinds=("truncated",))) as server:
        WEB.download(f"{server.url}/map", tmp_path / "map")
    assert not any("range" in asked.headers for asked in server.asked)
    assert (tmp_path / "map").read_bytes() == CONTENT


def test_without_ranges_it_starts_anew(tmp_path: Path) -> None:
    with StandIn(lambda _: Answer(body=CONTENT, headers={"ETag": '"v"'}), Faults(1, kinds=("truncated",))) as server:
        WEB.download(f"{server.url}/map", tmp_path / "map")
    assert "range" in server.asked[1].headers
    assert (tmp_path / "map").read_bytes() == CONTENT


def test_what_nobody_knows_the_version_of_is_not_gone_on_with(tmp_path: Path) -> None:
    with StandIn(_file) as server:
        WEB.download(f"{server.url}/map", _half(tmp_path / "map", content=b"x" * 900_000))
    assert (tmp_path / "map").read_bytes() == CONTENT


def test_a_whole_file_that_was_not_checked_yet(tmp_path: Path) -> None:
    target = _half(tmp_path / "map", etag(CONTENT))
    target.write_bytes(CONTENT)
    with StandIn(_file) as server:
        WEB.download(f"{server.url}/map", target, md5=hashlib.md5(CONTENT).hexdigest())
    assert server.sent == 0
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize(
    "answer",
    [
        Answer(416, headers={"Content-Range": "bytes */12"}),
        Answer(416),
        Answer(206, b"elsewhere", {"Content-Range": f"bytes 7-15/{len(CONTENT)}"}),
        Answer(206, b"somewhere"),
    ],
)
def test_a_wrong_part_is_not_joined(tmp_path: Path, answer: Answer) -> None:
    with StandIn(_in_turn([answer, Answer(body=CONTENT, ranges=True)])) as server:
        WEB.download(f"{server.url}/map", _half(tmp_path / "map", etag(CONTENT)))
    assert (tmp_path / "map").read_bytes() == CONTENT


def test_parts_shorter_than_asked_for(tmp_path: Path) -> None:
    size, mark = len(CONTENT), {"ETag": etag(CONTENT)}
    first = Answer(206, CONTENT[300_000:500_000], {"Content-Range": f"bytes 300000-499999/{size}", **mark})
    with StandIn(_in_turn([first, Answer(body=CONTENT, ranges=True)])) as server:
        WEB.download(f"{server.url}/map", _half(tmp_path / "map", etag(CONTENT)))
    assert [asked.headers["range"] for asked in server.asked] == ["bytes=300000-", "bytes=500000-"]
    assert (tmp_path / "map").read_bytes() == CONTENT


def test_wrong_checksums(tmp_path: Path) -> None:
    damaged, right = Answer(body=b"x" + CONTENT[1:]), hashlib.sha256(CONTENT).hexdigest()
    with StandIn(_in_turn([damaged, Answer(body=CONTENT)])) as server:
        WEB.download(f"{server.url}/map", tmp_path / "map", sha256=right.upper())
    assert (tmp_path / "map").read_bytes() == CONTENT
    with (
        StandIn(lambda _: damaged) as server,
        pytest.raises(DownloadError, match=rf"/map has the sha256 \w+, not {right}\. It may be damaged"),
    ):
        WEB.download(f"{server.url}/map?key={SECRET}", tmp_path / "map", sha256=right)
    assert len(server.asked) == 2
    assert list(tmp_path.iterdir()) == []
