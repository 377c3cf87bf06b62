"""What OpenAI-compatible endpoints answer: words and tokens, or the reason why there are none."""

import json
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from annotation.errors import AnnotationError

PASSING = frozenset({408, 409, 429})
"""Statuses below 500 after which the same request may succeed."""
QUOTED = 200
"""Characters of a foreign answer that a message repeats."""


class PassingError(AnnotationError):
    """An attempt brought no answer, and another may.

    Attributes:
        wait_s: how long the endpoint asks to be left alone, in seconds.
    """

    def __init__(self, reason: str, wait_s: float = 0) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class FinalError(AnnotationError):
    """No further attempt is worth making.

    Attributes:
        lasting: nor will it ever be.
    """

    def __init__(self, reason: str, *, lasting: bool = True) -> None:
        super().__init__(reason)
        self.lasting = lasting


class Message(BaseModel):
    """The words of a choice; None where a model called tools or refused."""

    content: str | None = None


class Choice(BaseModel):
    """One answer."""

    index: int = 0
    message: Message
    finish_reason: str | None = None

    @property
    def text(self) -> str:
        """The words, without blanks around them."""
        return (self.message.content or "").strip()


class PromptDetails(BaseModel):
    """Where prompt tokens came from."""

    cached_tokens: int | None = None


class Usage(BaseModel):
    """Tokens of all choices together."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: PromptDetails | None = None

    @property
    def prompt(self) -> int:
        """Prompt tokens; 0 where the endpoint does not say."""
        return self.prompt_tokens or 0

    @property
    def cached(self) -> int:
        """Prompt tokens that the endpoint had at hand; 0 where it does not say."""
        return (self.prompt_tokens_details and self.prompt_tokens_details.cached_tokens) or 0

    def completion(self, number: int) -> Iterator[int]:
        """Tokens of each of several answers; endpoints tell the sum, so they are taken as equally long."""
        whole, rest = divmod(self.completion_tokens or 0, number)
        return (whole + (draft < rest) for draft in range(number))


class Answer(BaseModel):
    """The body of an answer, as far as it is of use here."""

    choices: list[Choice] = Field(min_length=1)
    usage: Usage | None = None


def read(body: str, content_type: str, wanted: int) -> tuple[list[Choice], Usage]:
    """Reads an answer of status 200.

    Args:
        body: as it came.
        content_type: its header.
        wanted: how many choices were asked for.

    Returns:
        The choices in order, and their tokens.

    Raises:
        PassingError: it is no answer, or not all of it.
        FinalError: the endpoint's filter keeps the answer back.
    """
    try:
        answer = Answer.model_validate_json(body)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
        if problem["type"] == "json_invalid":
            what = "cut-off or broken JSON" if "json" in content_type else f"no JSON but {content_type or 'no type'}"
        else:
            what = f"no chat completion ({'.'.join(map(str, problem['loc']))}: {problem['msg']})"
        raise PassingError(f"answered with status 200 and {what}: {quote(body)}") from None
    choices = sorted(answer.choices, key=lambda choice: choice.index)[:wanted]
    if any(choice.finish_reason == "content_filter" for choice in choices):
        raise FinalError("its content filter kept the answer back")
    if len(choices) < wanted:
        raise PassingError(f"gave {len(choices)} answers of {wanted}; a server that does not know n needs drafts: 1")
    for choice in choices:
        if not choice.text:
            raise PassingError(f"gave an empty answer (finish_reason {choice.finish_reason})")
    return choices, answer.usage or Usage()


def refusal(status: int, headers: Mapping[str, str], body: str, key_env: str) -> PassingError | FinalError:
    """The error for an HTTP status that is none of success.

    Args:
        status: of the answer.
        headers: names in lower case.
        body: as it came.
        key_env: where the key comes from.
    """
    reason = f"answered with status {status}: {quote(_message(body))}"
    if status in PASSING or status >= 500:
        return PassingError(reason, retry_after_s(headers))
    if status in (401, 403):
        mend = f"look at the key in {key_env}" if key_env else "it wants a key; say under api_key_env where it is"
        return FinalError(f"{reason} ({mend})")
    if status == 404:
        return FinalError(f"{reason} (look at model, and whether base_url ends as it should, mostly in /v1)")
    return FinalError(reason)


def retry_after_s(headers: Mapping[str, str]) -> float:
    """Seconds to wait by the header Retry-After, a number or an HTTP date (RFC 9110, section 10.2.3).

    A date is held against the answer's own Date where it has one, so that clocks need not agree.
    0 where there is no such header, or none that can be read.
    """
    given = headers.get("retry-after", "").strip()
    try:
        seconds = float(given)
    except ValueError:
        until = _date(given)
        seconds = (until - (_date(headers.get("date", "")) or datetime.now(UTC))).total_seconds() if until else 0
    return max(0.0, seconds) if math.isfinite(seconds) else 0.0


def quote(text: str) -> str:
    """The beginning of something foreign, on one line."""
    line = " ".join(text.split())
    return repr(line if len(line) <= QUOTED else f"{line[:QUOTED]}…")


def _message(body: str) -> str:
    """The words of an error, under the names that servers have for them; all of the body where there are none."""
    try:
        said: Any = json.loads(body)
    except ValueError:
        return body
    while isinstance(said, dict):
        said = next((said[key] for key in ("error", "message", "detail") if said.get(key)), body)
    return str(said)


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
