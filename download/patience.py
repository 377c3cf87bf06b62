"""Asking again, with waits that grow and differ, as long as it may help."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from download.errors import DownloadError, PassingError

Answer = TypeVar("Answer")


class Patience(BaseModel):
    """How often and how long something is tried.

    Attributes:
        tries: in all.
        first_wait_s: at most so long before the second try, then twice as long each time (full jitter, after
            https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
        longest_wait_s: at most so long between tries; whoever asks for more is not waited for. What is asked for is
            waited for and such a random wait besides, so that not all come back at once.
        timeout_s: without a byte, until a try counts as failed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tries: int = Field(default=8, ge=1, le=100)
    first_wait_s: float = Field(default=0.5, gt=0)
    longest_wait_s: float = Field(default=60, gt=0)
    timeout_s: float = Field(default=60, gt=0)

    def of(self, ask: Callable[[], Answer]) -> Answer:
        """Asks until there is an answer.

        Raises:
            DownloadError: as `ask` raised it, or after the last try of a `PassingError`.
        """
        import tenacity

        def stop(state: tenacity.RetryCallState) -> bool:
            return state.attempt_number >= self.tries or (_asked_wait(state) or 0) > self.longest_wait_s

        backoff = tenacity.wait_random_exponential(multiplier=self.first_wait_s, max=self.longest_wait_s)
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(PassingError),
            stop=stop,
            wait=lambda state: (_asked_wait(state) or 0) + backoff(state),
            reraise=True,
        )
        try:
            return retrying(ask)
        except PassingError as error:
            tried = retrying.statistics.get("attempt_number", 1)
            times = "once" if tried == 1 else f"{tried} times"
            raise DownloadError(f"{error} (tried {times}; run the same command again later).") from error


def asked_wait(said: str | None) -> float | None:
    """Seconds of a `Retry-After` header (RFC 9110, 10.2.3): a number, or a date; None where it says neither."""
    if not said:
        return None
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", said.strip()):
        return float(said)
    try:
        until = parsedate_to_datetime(said)
    except (ValueError, IndexError):
        return None
    return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(tz=UTC)).total_seconds())


def _asked_wait(state: Any) -> float | None:
    error = state.outcome.exception() if state.outcome and state.outcome.failed else None
    return error.wait_s if isinstance(error, PassingError) else None
