"""Places for requests that processes share."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from filelock import FileLock, Timeout

from download.slots import slot

HOLDER = """
import sys
from pathlib import Path
from download.slots import slot
print("asks", flush=True)
with slot(Path(sys.argv[1]), "service", 2):
    print("in", flush=True)
    sys.stdin.readline()
"""


@contextmanager
def holder(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process that asks for a place and holds it until it is spoken to."""
    command = [sys.executable, "-c", HOLDER, str(folder)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        assert process.stdout.readline() == "asks\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def is_in(process: "subprocess.Popen[str]") -> bool:
    assert process.stdout
    return process.stdout.readline() == "in\n"


@pytest.mark.parametrize("killed", [False, True])
def test_processes_share_places_and_a_dead_one_gives_its_own_back(tmp_path: Path, *, killed: bool) -> None:
    with ExitStack() as stack:
        first, second = (stack.enter_context(holder(tmp_path)) for _ in range(2))
        assert is_in(first)
        assert is_in(second)
        third = stack.enter_context(holder(tmp_path))
        for place in tmp_path.iterdir():  # all are taken, and not by the third
            with pytest.raises(Timeout):
                FileLock(place).acquire(timeout=0)
        assert len(list(tmp_path.iterdir())) == 2
        if killed:
            first.kill()
        else:
            assert first.stdin
            first.stdin.write("\n")
            first.stdin.flush()
        assert is_in(third)


def test_services_have_places_of_their_own(tmp_path: Path) -> None:
    with slot(tmp_path, "one", 1), slot(tmp_path, "other", 1):
        assert len(list(tmp_path.iterdir())) == 2
    with slot(tmp_path, "one", 1):
        pass
