"""Chats with a picture in their last message, for engines that see."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from annotation.engines.chat import MARK, REFUSALS, Chat
from annotation.errors import AnnotationError
from annotation.request import Message

if TYPE_CHECKING:
    from PIL.Image import Image

KINDS = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG": "image/png", b"RIFF": "image/webp"}
"""Media types by the first bytes of a file."""
FORMATS = ("JPEG", "PNG", "WEBP")
"""What Pillow calls them."""
IMAGE = {"type": "image"}
"""The part that chat templates know a picture by."""
PROBE: Message = {"role": "user", "content": MARK}


def data_url(picture: bytes) -> str:
    """A file as an address that holds all of it (RFC 2397).

    Raises:
        ValueError: it is neither JPEG nor PNG nor WebP.
    """
    for beginning, kind in KINDS.items():
        if picture.startswith(beginning):
            return f"data:{kind};base64,{base64.b64encode(picture).decode()}"
    raise ValueError("the picture is neither JPEG nor PNG nor WebP")


def decoded(picture: bytes) -> "Image":
    """A file's pixels in RGB.

    Raises:
        ValueError: it is neither JPEG nor PNG nor WebP, or damaged, or has too many pixels.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(picture), formats=FORMATS) as image:
            return image.convert("RGB")
    except UnidentifiedImageError:
        raise ValueError("the picture is neither JPEG nor PNG nor WebP") from None
    except Image.DecompressionBombError:
        raise ValueError("the picture has so many pixels that it may be an attack") from None
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise ValueError(f"the picture is damaged: {error}") from error


def with_part(messages: Sequence[Message], part: dict[str, Any]) -> list[dict[str, Any]]:
    """The same chat; its last message begins with another part, such as a picture, before its text."""
    *before, last = messages
    return [*map(dict, before), {"role": last["role"], "content": [part, *_parts(last["content"])]}]


@dataclass(frozen=True, slots=True)
class InParts:
    """A tokenizer whose chat template reads every turn as a list of parts, as many models that see have it.

    Attributes:
        tokenizer: of `transformers`.
    """

    tokenizer: Any

    def apply_chat_template(self, turns: Sequence[Mapping[str, Any]], **settings: Any) -> Any:
        """Token ids of a chat of texts and lists of parts."""
        apart = [{**turn, "content": _parts(turn["content"])} for turn in turns]
        return self.tokenizer.apply_chat_template(apart, **settings)

    def decode(self, ids: Sequence[int]) -> Any:
        """The text of token ids."""
        return self.tokenizer.decode(ids)


def that_reads_text(tokenizer: Any, template: str | None = None) -> Any:
    """The tokenizer, or `InParts` of it where its chat template drops or refuses plain text and reads it in parts.

    Args:
        tokenizer: of `transformers`, or one with the same `apply_chat_template`.
        template: Jinja source; None: the tokenizer's own.
    """
    readers = [each for each in (tokenizer, InParts(tokenizer)) if _reads(each, template)]
    return readers[0] if readers else tokenizer


def need_place(chat: Chat) -> None:
    """Looks whether a chat template has a place for a picture.

    Raises:
        AnnotationError: it refuses or drops pictures, or writes them out as if they were text.
    """
    without = "the model's chat template has no place for pictures"
    mend = "name a Jinja file of one that has under chat_template, or leave vision: true out"
    try:
        shown = chat.tokens(with_part([PROBE], IMAGE))  # type: ignore[arg-type]
    except REFUSALS as error:
        raise AnnotationError(f"{without} ({error}); {mend}") from error
    text = chat.tokenizer.decode(shown)
    if shown == chat.tokens([PROBE]) or MARK not in text or "'type'" in text:
        raise AnnotationError(f"{without}; {mend}")


def _reads(tokenizer: Any, template: str | None) -> bool:
    try:
        ids = tokenizer.apply_chat_template(
            [PROBE], chat_template=template, add_generation_prompt=True, tokenize=True, return_dict=False
        )
    except REFUSALS:
        return False
    return MARK in tokenizer.decode(ids)


def _parts(content: Any) -> list[Any]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
