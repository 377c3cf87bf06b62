"""Chats with a picture in their last message, for engines that see."""

import base64
from collections.abc import Sequence
from typing import Any

from annotation.request import Message

KINDS = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG": "image/png", b"RIFF": "image/webp"}
"""Media types by the first bytes of a file."""


def data_url(picture: bytes) -> str:
    """A file as an address that holds all of it (RFC 2397).

    Raises:
        ValueError: it is neither JPEG nor PNG nor WebP.
    """
    for beginning, kind in KINDS.items():
        if picture.startswith(beginning):
            return f"data:{kind};base64,{base64.b64encode(picture).decode()}"
    raise ValueError("the picture is neither JPEG nor PNG nor WebP")


def with_part(messages: Sequence[Message], part: dict[str, Any]) -> list[dict[str, Any]]:
    """The same chat; its last message begins with another part, such as a picture, before its text."""
    *before, last = messages
    content = [part, {"type": "text", "text": last["content"]}]
    return [*map(dict, before), {"role": last["role"], "content": content}]
