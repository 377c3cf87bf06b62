"""Chromium without a window, driven over a pipe: what a person would see and do."""

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import pytest

MUST = "MAPTELLER_REQUIRE_CHROMIUM"
PATIENCE_S = 90
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars", "--remote-debugging-pipe",
)  # fmt: skip

START = """
import fcntl, os, sys
pipes = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3]]
os.dup2(pipes[0], 3), os.dup2(pipes[1], 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""The browser reads commands from descriptor 3 and answers on 4, whatever numbers the pipes have here."""


def need_chromium() -> str:
    """The browser's path; skips where it is missing, fails instead where `MAPTELLER_REQUIRE_CHROMIUM=1`."""
    found = shutil.which("chromium")
    if found:
        return found
    line = "NO REPORT WAS OPENED: chromium is missing; `apt install chromium`"
    if os.environ.get(MUST) == "1":
        pytest.fail(f"{line} ({MUST}=1)", pytrace=False)
    pytest.skip(line)


class Page:
    """A page in a browser, by the DevTools protocol: messages are JSON that end in a zero byte."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers = commands, answers
        self._number, self._rest, self._session = 0, b"", ""
        self.events: list[dict[str, Any]] = []

    def attach(self) -> Self:
        """Opens a tab and listens to what happens in it."""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        self.send("Page.setLifecycleEventsEnabled", enabled=True)
        return self

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """The answer to a command."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        with os.fdopen(os.dup(self._commands), "wb") as pipe:
            pipe.write(json.dumps(message).encode() + b"\0")
        while True:
            said = self._next()
            if said.get("id") == self._number:
                assert "error" not in said, f"{method}: {said['error']}"
                return dict(said["result"])
            self.events.append(said)

    def open(self, page: Path, state: str = "", *, width: int = 1280, height: int = 1600) -> None:
        """Loads a file as a person would by opening it."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=width < 600)  # fmt: skip
        self._load("about:blank")
        self.events.clear()
        self._load(f"{page.resolve().as_uri()}{state and f'#{state}'}")

    def do(self, script: str) -> Any:
        """The value of an expression; what it promises is waited for."""
        answer = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, key: str, code: int, text: str = "") -> None:
        """Presses a key and lets it go."""
        for kind in ("keyDown", "keyUp"):
            extra = {"text": text} if text and kind == "keyDown" else {}
            self.send("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **extra)

    def tap(self, x: float, y: float) -> None:
        """Moves the pointer there and clicks."""
        self.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def screenshot(self, target: Path) -> Path:
        """A picture of what is seen, once the pictures that are in view have come."""
        self.do(
            "Promise.all([...document.images].filter((image) => image.getBoundingClientRect().top < innerHeight)"
            ".map((image) => image.complete || new Promise((done) => { image.onload = image.onerror = done; })))"
        )
        target.write_bytes(base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"]))
        return target

    def complaints(self) -> list[str]:
        """What the browser had to say: errors, violations of the content policy, requests for anything but files."""
        said = [event["params"] for event in self.events if event.get("method") == "Log.entryAdded"]
        thrown = [event for event in self.events if event.get("method") == "Runtime.exceptionThrown"]
        asked = [event["params"]["request"]["url"] for event in self.events
                 if event.get("method") == "Network.requestWillBeSent"]  # fmt: skip
        return [
            *(str(each["entry"]) for each in said if each["entry"]["level"] == "error"),
            *map(str, thrown),
            *(url for url in asked if not url.startswith(("file:", "data:", "about:"))),
        ]

    def _load(self, url: str) -> None:
        loader = self.send("Page.navigate", url=url)["loaderId"]
        while not any(
            event["params"].get("loaderId") == loader and event["params"]["name"] == "load"
            for event in self.events
            if event["method"] == "Page.lifecycleEvent"
        ):
            self.events.append(self._next())

    def _next(self) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE_S
        while b"\0" not in self._rest:
            assert time.monotonic() < end, "the browser does not answer"
            more = os.read(self._answers, 1 << 20)
            assert more, "the browser has ended"
            self._rest += more
        message, _, self._rest = self._rest.partition(b"\0")
        return dict(json.loads(message))


@contextmanager
def browser(profile: Path) -> Iterator[Page]:
    """A fresh browser, ended with the block.

    Args:
        profile: a new folder for its profile.
    """
    path = need_chromium()
    theirs_in, commands = os.pipe()
    answers, theirs_out = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", START, str(theirs_in), str(theirs_out), path, *FLAGS, f"--user-data-dir={profile}"],
        pass_fds=(theirs_in, theirs_out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    os.close(theirs_in)
    os.close(theirs_out)
    try:
        yield Page(commands, answers).attach()
    finally:
        os.close(commands)
        os.close(answers)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
