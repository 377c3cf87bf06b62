"""What goes wrong inside vLLM's processes, brought to the process that asks.

vLLM loads and runs a model in processes of its own. When one fails, its parent learns only that it is gone ("See root
cause above"); the cause stands in the log. So a second log is kept: one line of JSON for each error of any of its
processes, in a file that is read when something fails.
"""

import json
import logging
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

LOG_SETTING = "VLLM_LOGGING_CONFIG_PATH"
ECHO = re.compile(r"initialization failed|See (the )?(stack trace|root cause)|AsyncLLM output_handler|EngineDeadError")
"""Errors that only say that there was another."""


class Line(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The message, and the exception that it came with."""
        error = record.exc_info[1] if record.exc_info else None
        told = f"{type(error).__name__}: {error}" if error is not None else ""
        return json.dumps({"process": record.processName, "message": record.getMessage(), "error": told})


@dataclass(frozen=True, slots=True)
class Causes:
    """The second log of one engine.

    Attributes:
        folder: holds the settings of the log and the log.
    """

    folder: Path

    @classmethod
    def open(cls) -> Self:
        """Tells vLLM's processes, started from this one from now on, to keep the log.

        A logging configuration of the user's own (`VLLM_LOGGING_CONFIG_PATH`) is kept and added to.
        """
        causes = cls(Path(tempfile.mkdtemp(prefix="mapteller-vllm-")))
        own = os.environ.get(LOG_SETTING)
        settings: dict[str, Any] = json.loads(Path(own).read_text(encoding="utf-8")) if own else _plain_settings()
        settings.setdefault("formatters", {})["mapteller"] = {"()": f"{__name__}.Line"}
        settings.setdefault("handlers", {})["mapteller"] = {
            "class": "logging.FileHandler",
            "formatter": "mapteller",
            "level": "ERROR",
            "filename": str(causes.log),
            "delay": True,
        }
        logger = settings.setdefault("loggers", {}).setdefault("vllm", {})
        logger["handlers"] = [*(name for name in logger.get("handlers", []) if name != "mapteller"), "mapteller"]
        causes.settings.write_text(json.dumps(settings), encoding="utf-8")
        return causes

    @property
    def settings(self) -> Path:
        """What `VLLM_LOGGING_CONFIG_PATH` has to name."""
        return self.folder / "logging.json"

    @property
    def log(self) -> Path:
        """Made with the first error."""
        return self.folder / "errors.jsonl"

    def first(self) -> str:
        """The first error that is not about another; empty if none was logged."""
        if not self.log.is_file():
            return ""
        for line in self.log.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            told = record["error"] or record["message"]
            if not ECHO.search(told):
                return " ".join(told.split())
        return ""

    def close(self) -> None:
        """Removes the log."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _plain_settings() -> dict[str, Any]:
    level = os.environ.get("VLLM_LOGGING_LEVEL", "ERROR").upper()
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"format": "vLLM %(levelname)s: %(message)s"}},
        "handlers": {
            "console": {"class": "logging.StreamHandler", "formatter": "line", "level": level},
        },
        "loggers": {"vllm": {"handlers": ["console"], "level": level, "propagate": False}},
    }
