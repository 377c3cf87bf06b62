import collections
import copyreg
import datetime as dt
import io
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from download.records.refused import Refused
from download.records.safe_pickle import MOST_BYTES, PlainUnpickler, load_plain
from pipeline.bench.records import AROUND
from tests.skyscript_made import meta

PROTOCOLS = range(6)
META = meta({"natural": "water", "name": "L\u00e4\u00e4ne \u6e56"}, AROUND, extra=[1, -2, 2**40, -0.5, True, None])


class Command:
    """Runs a command when it is unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (self.command,)


class Builds(Command):
    """Runs it in the state that is set afterwards."""

    def __reduce__(self) -> tuple[Any, ...]:
        return collections.Counter, (), None, None, iter([(Command(self.command), 1)])


def attacks(mark: Path) -> dict[str, bytes]:
    """Pickles that touch a file if they are loaded carelessly."""
    command = f"touch {mark}"
    line = command.encode()
    code = f"__import__('os').system({command!r})".encode()
    text = b"\x8c" + bytes([len(line)]) + line
    return {
        **{f"reduce {number}": pickle.dumps({"box": Command(command)}, number) for number in PROTOCOLS},
        **{f"in a tag {number}": pickle.dumps(meta({"a": Command(command)}), number) for number in PROTOCOLS},
        **{f"as a key {number}": pickle.dumps({(Command(command),): 1}, number) for number in PROTOCOLS},
        **{f"items {number}": pickle.dumps([META, Builds(command)], number) for number in PROTOCOLS},
        "text": b"cos\nsystem\n(S'" + line + b"'\ntR.",
        "instance": b"(S'" + line + b"'\nios\nsystem\n.",
        "object": b"(cos\nsystem\nS'" + line + b"'\no.",
        "eval": b"c__builtin__\neval\n(V" + code + b"\ntR.",
        "stack global": b"\x80\x04\x8c\x02os\x8c\x06system\x93" + text + b"\x85R.",
        "new object": b"\x80\x02cos\nsystem\n" + b"X" + len(line).to_bytes(4, "little") + line + b"\x85R.",
        "popped": b"\x80\x04cos\nsystem\n" + text + b"\x85R0}.",
        "remembered": b"\x80\x04\x8c\x02os\x94\x8c\x06system\x940h\x00h\x01\x93" + text + b"\x85R.",
    }


def test_the_attacks_are_real_and_none_of_them_runs(tmp_path: Path) -> None:
    mark, proof = tmp_path / "ran", tmp_path / "proof"
    for name, content in attacks(proof).items():
        pickle.loads(content)
        assert proof.exists(), f"{name} is no attack"
        proof.unlink()
    for name, content in attacks(mark).items():
        with pytest.raises(Refused, match="pickle of") as refused:
            load_plain(content)
        assert not mark.exists(), name
        assert refused.value.detail, name


def test_what_would_have_been_called_is_named(tmp_path: Path) -> None:
    for name, content in attacks(tmp_path / "ran").items():
        with pytest.raises(Refused) as refused:
            load_plain(content)
        said = str(refused.value)
        assert "system" in said or "eval" in said or "Counter" in said or "reconstructor" in said, (name, said)


def test_the_unpickler_finds_nothing_even_where_nobody_looked_before(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    for content in attacks(mark).values():
        with pytest.raises(Refused, match="pickle of objects"):
            PlainUnpickler(io.BytesIO(content)).load()
    for persistent in (b"Pid\n.", b"\x80\x02K\x01Q."):
        with pytest.raises(Refused, match="persistent"):
            PlainUnpickler(io.BytesIO(persistent)).load()
    assert not mark.exists()


def test_extensions_and_buffers_are_refused() -> None:
    copyreg.add_extension("posix", "system", 77)
    try:
        for content in (b"\x80\x02\x82M.", b"\x80\x02\x83M\x00.", b"\x80\x02\x84M\x00\x00\x00."):
            with pytest.raises(Refused, match="EXT"):
                load_plain(content)
    finally:
        copyreg.remove_extension("posix", "system", 77)
    for content in (b"\x80\x05\x97.", b"Pid\n.", b"\x80\x02K\x01Q."):
        with pytest.raises(Refused, match="pickle of another shape"):
            load_plain(content)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_metadata_comes_out_as_it_went_in(protocol: int) -> None:
    assert load_plain(pickle.dumps(META, protocol)) == META


def test_pickles_of_python_2_are_read() -> None:
    assert load_plain(b"(dp0\nS'time'\np1\n(I2019\nI7\ntp2\nsU\x03boxF1.5\ns.") == {"time": (2019, 7), "box": 1.5}


def reason_of(content: bytes) -> str:
    """Why it is refused; whatever else is raised is an error of ours."""
    try:
        load_plain(content)
    except Refused as refused:
        return refused.reason
    return "pickle read"


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=5),
    max_leaves=20,
)


@settings(max_examples=80, deadline=None)
@given(plain, st.sampled_from(PROTOCOLS))
def test_plain_values_of_any_form_come_out_equal(value: Any, protocol: int) -> None:
    assert load_plain(pickle.dumps(value, protocol)) == value


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_rubbish_gives_a_value_or_a_reason(content: bytes) -> None:
    assert reason_of(content).startswith("pickle ")


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(PROTOCOLS), st.data())
def test_damaged_metadata_gives_a_value_or_a_reason(protocol: int, data: st.DataObject) -> None:
    content = bytearray(pickle.dumps(META, protocol))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    assert reason_of(bytes(content[: data.draw(st.integers(0, len(content)))])).startswith("pickle ")


BOMBS = {
    "a place of the memo that takes 32 GB": b"\x80\x02]r\xff\xff\xff\x7f.",
    "the same as text": b"(lp2147483647\n.",
    "a text of 2^62 bytes": b"\x80\x04\x8d" + (1 << 62).to_bytes(8, "little") + b"x.",
    "a text of 4 GB": b"\x80\x02X\xff\xff\xff\xff" + b"x.",
    "bytes of 2^62": b"\x80\x04\x8e" + (1 << 62).to_bytes(8, "little") + b"x.",
    "a frame of 2^62 bytes": b"\x80\x04\x95" + (1 << 62).to_bytes(8, "little") + b"}.",
    "a number of a million digits": b"L" + b"9" * 1_000_000 + b"L\n.",
    "a number of 2^31 bytes": b"\x80\x02\x8b\xff\xff\xff\x7f1.",
    "a tuple so deep that its hash overflows the stack": b"(((" + b")" + b"\x85" * 500_000 + b"K\x01d.",
    "a list so deep": b"]" * 500_000 + b"a" * 499_999 + b".",
    "as many marks": b"(" * 900_000 + b".",
    "more bytes than are read": pickle.dumps("x" * MOST_BYTES),
    "keys whose hashes collide": b"\x80\x02}("
    + b"".join(b"\x8a\x0a" + (k * (2**61 - 1)).to_bytes(10, "little") + b"N" for k in range(40_000))
    + b"u.",
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused(name: str) -> None:
    with pytest.raises(Refused):
        load_plain(BOMBS[name])


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (np.float64(7.1), "scalar"),
        (np.zeros(2), "_reconstruct"),
        (dt.datetime(2019, 7, 1, tzinfo=dt.UTC), "datetime"),
        (collections.OrderedDict(a=1), "OrderedDict"),
        ({1, 2}, "EMPTY_SET"),
        (b"bytes", "SHORT_BINBYTES"),
        (1 << 80, "an integer of 11 bytes"),
    ],
)
def test_other_types_are_refused_and_named(value: Any, named: str) -> None:
    with pytest.raises(Refused, match=named):
        load_plain(pickle.dumps({"box": value}, 4))
