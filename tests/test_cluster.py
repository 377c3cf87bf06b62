"""A run that joins a Ray cluster which somebody else started."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import CommandLine, WriteConfig
from tests.run_folder import run_info, shard_digests

RAY = Path(sys.executable).with_name("ray")
HEAD = (
    "start --head --block --num-cpus=4 --include-dashboard=false --disable-usage-stats --object-store-memory=200000000"
)


@pytest.fixture
def address(mapteller: CommandLine, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A cluster of one node on this machine."""
    monkeypatch.setitem(mapteller.environment, "RAY_AUTH_MODE", "disabled")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    head = subprocess.Popen(
        [str(RAY), *HEAD.split(), f"--port={port}"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**mapteller.environment, "PYTHONUNBUFFERED": "1"}, start_new_session=True,
    )  # fmt: skip
    try:
        yield _address(head)
    finally:
        os.killpg(head.pid, signal.SIGTERM)
        head.communicate(timeout=60)


def _address(head: subprocess.Popen[str]) -> str:
    """Where the cluster can be joined, once it says so."""
    assert head.stdout is not None
    said = []
    for line in head.stdout:
        said.append(line)
        found = re.search(r"--address='([\d.]+:\d+)'", line)
        if found:
            return found.group(1)
    raise AssertionError(f"no cluster: {''.join(said)}")


@pytest.mark.timeout(240)
def test_a_cluster_gives_the_same_bytes(
    address: str, small_scenes: Path, write_config: WriteConfig, tmp_path: Path, mapteller: CommandLine
) -> None:
    config = write_config(imagery=small_scenes / "a0*.tif")
    mapteller("run", config, "--out", tmp_path / "joined", "--ray-address", address)
    mapteller("run", config, "--out", tmp_path / "alone")
    assert run_info(tmp_path / "joined")["state"] == "complete"
    assert shard_digests(tmp_path / "joined") == shard_digests(tmp_path / "alone")


@pytest.mark.timeout(120)
def test_no_cluster_there(
    small_scenes: Path, write_config: WriteConfig, tmp_path: Path, mapteller: CommandLine
) -> None:
    config = write_config(imagery=small_scenes / "a00.tif")
    refused = mapteller("run", config, "--out", tmp_path / "run", "--ray-address", "127.0.0.1:1", code=1)
    assert "Ray cannot be reached at 127.0.0.1:1" in refused.stderr
