"""Plain values out of pickles that anybody may have made.

A pickle is a program: opcodes may import and call anything. Here its opcodes are walked first, without running them,
and only those that build dictionaries, lists, tuples, strings, numbers, truth values and None may stand there, within
bounds; what passes is loaded by an unpickler that finds no class and no persistent object whatever it is asked for.
The opcodes are those of protocols 0 to 5 (CPython's `pickletools` documents them).
"""

import io
import pickle
import pickletools
from typing import Any, Final, Never

from download.records.refused import Refused

MOST_BYTES: Final = 1 << 20
"""Longest pickle read."""
MOST_SEQUENCES: Final = 64
"""Most lists and tuples in a pickle. It bounds the depth of a tuple too, which matters: the hash of a very deep one,
as the key of a dictionary, would overflow the stack of the process."""
MOST_OPCODES: Final = 200_000
_TEXT_LIMIT: Final = 4096
_NUMBER_LIMIT: Final = 32
_LONG_LIMIT: Final = 8
"""Bytes of an integer; longer ones can be chosen so that their hashes all collide."""

_BROKEN: Final = (
    pickle.UnpicklingError, AttributeError, EOFError, KeyError, MemoryError, OverflowError, TypeError, ValueError,
)  # fmt: skip
"""What a pickle that is no program of plain values makes the unpickler raise."""

_REFUSED, _STOP, _NUMBER, _TEXT, _COUNTED_1, _COUNTED_4, _LONG, _PUT_TEXT, _PUT_4, _FRAME, _SEQUENCE = range(-11, 0)


def _arguments() -> list[int]:
    """By opcode the bytes of its argument, or one of the names above."""
    table = [_REFUSED] * 256
    fixed = {0: b"(012Nadesu)}\x88\x89\x94", 1: b"\x80Khq", 2: b"M", 4: b"Jj", 8: b"G"}
    special = {
        _STOP: b".", _NUMBER: b"FILg", _TEXT: b"SV", _COUNTED_1: b"U\x8c", _COUNTED_4: b"TX", _LONG: b"\x8a",
        _PUT_TEXT: b"p", _PUT_4: b"r", _FRAME: b"\x95", _SEQUENCE: b"lt]\x85\x86\x87",
    }  # fmt: skip
    for size, opcodes in (fixed | special).items():
        for opcode in opcodes:
            table[opcode] = size
    return table


_ARGUMENTS: Final = _arguments()


class PlainUnpickler(pickle.Unpickler):
    """Finds no class, no function, no extension and no persistent object."""

    def find_class(self, module: str, name: str, /) -> Never:
        """Refuses; nothing is imported."""
        raise Refused("pickle of objects", f"{module}.{name}"[:200])

    def persistent_load(self, pid: Any) -> Never:  # noqa: ARG002 - whatever it is
        """Refuses."""
        raise Refused("pickle of objects", "a persistent object")


def load_plain(content: bytes) -> Any:
    """The value of a pickle that holds plain containers, numbers and strings only.

    Args:
        content: the pickle, by whomever.

    Raises:
        Refused: it holds anything else, is damaged or too large; nothing of it has been run.
    """
    if len(content) > MOST_BYTES:
        raise Refused("pickle too large", f"{len(content):,} bytes, at most {MOST_BYTES:,} are read")
    try:
        end = _walk(content)
        return PlainUnpickler(io.BytesIO(content[:end]), encoding="utf-8").load()
    except IndexError as error:
        raise Refused("pickle cut off") from error
    except _BROKEN as error:
        raise Refused("pickle damaged", f"{type(error).__name__}: {error}"[:200]) from error


def _walk(content: bytes) -> int:
    """Looks at every opcode up to the end, which it returns; raises IndexError where the content ends first."""
    at = sequences = 0
    arguments = _ARGUMENTS
    for _ in range(MOST_OPCODES):
        size = arguments[content[at]]
        if size >= 0:
            at += 1 + size
        elif size == _COUNTED_1:
            at += 2 + content[at + 1]
        elif size == _STOP:
            return at + 1
        elif size == _COUNTED_4:
            at += 5 + int.from_bytes(content[at + 1 : at + 5], "little")
        elif size == _SEQUENCE:
            sequences += 1
            if sequences > MOST_SEQUENCES:
                raise Refused("pickle of another shape", f"more than {MOST_SEQUENCES} lists and tuples")
            at += 1
        else:
            at += _length(content, at, size)
    raise Refused("pickle too large", f"more than {MOST_OPCODES:,} opcodes")


def _length(content: bytes, at: int, size: int) -> int:
    """Bytes of a rarer opcode with its argument."""
    if size == _REFUSED:
        raise Refused(*_forbidden(content, at))
    if size == _FRAME:
        if int.from_bytes(content[at + 1 : at + 9], "little") > len(content) - at - 9:
            raise Refused("pickle cut off", "a frame reaches beyond the end")
        return 9
    if size == _LONG:
        if content[at + 1] > _LONG_LIMIT:
            raise Refused("pickle of another shape", f"an integer of {content[at + 1]} bytes")
        return 2 + content[at + 1]
    if size == _PUT_4:
        _check_memo(int.from_bytes(content[at + 1 : at + 5], "little"), len(content))
        return 5
    limit = _TEXT_LIMIT if size == _TEXT else _NUMBER_LIMIT
    end = content.find(b"\n", at, at + 2 + limit)
    if end < 0:
        raise Refused("pickle of another shape", f"a line of more than {limit} bytes")
    if size == _PUT_TEXT:
        _check_memo(int(content[at + 1 : end]), len(content))
    return end + 1 - at


def _check_memo(place: int, most: int) -> None:
    """The memo is an array as long as its last place: one opcode could ask for gigabytes."""
    if not 0 <= place <= most:
        raise Refused("pickle of another shape", f"place {place} of the memo")


def _forbidden(content: bytes, at: int) -> tuple[str, str]:
    """Reason and detail for an opcode that may not stand there; what it would import is named where that is plain."""
    texts: list[str] = []
    try:
        for opcode, argument, place in pickletools.genops(content):
            if place == at:
                said = argument if isinstance(argument, str) else ".".join(texts[-2:])
                imports = opcode.name in ("GLOBAL", "INST", "STACK_GLOBAL")
                detail = str(said).replace(" ", ".") if imports else opcode.name
                return ("pickle of objects" if imports else "pickle of another shape"), detail[:200]
            if isinstance(argument, str):
                texts.append(argument)
    except ValueError as error:
        return "pickle damaged", str(error)[:200]
    return "pickle of another shape", f"opcode {content[at]:#04x}"
