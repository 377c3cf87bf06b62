"""Ray, started for one run or joined."""

import logging
import math
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from annotation.engines.engine import Engine
from pipeline.errors import PipelineError

OBJECT_STORE_BYTES = 256 << 20
"""Units and shards go to disk, not through Ray; requests and answers are small."""


@contextmanager
def cluster(address: str | None, workers: int | None, engines: Sequence[Engine]) -> Iterator[int]:
    """Starts Ray on this machine, or joins a cluster, and leaves it when the block ends.

    Args:
        address: of a cluster to join; None starts Ray here.
        workers: units worked on at once; None: one for each CPU.
        engines: whose copies need CPUs, counted on top of the workers here, and GPUs.

    Yields:
        How many units can be worked on at once.

    Raises:
        PipelineError: the cluster does not answer or is too small.
    """
    taken = math.ceil(sum(engine.cpus * engine.replicas for engine in engines))
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # no telemetry
    os.environ.setdefault(
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0"
    )  # Ray leaves GPU variables alone, and does not warn
    import ray

    logging.getLogger("ray._private.authentication").setLevel(logging.ERROR)  # a hint for clusters, not for us
    try:
        if address:
            _knock(address)
            ray.init(address=address, logging_level=logging.WARNING)
        else:
            ray.init(
                address="local",  # also where some cluster runs on this machine: joining one is asked for
                num_cpus=(workers or os.cpu_count() or 1) + taken,
                include_dashboard=False,
                object_store_memory=OBJECT_STORE_BYTES,
                logging_level=logging.WARNING,
                _node_ip_address="127.0.0.1",
            )
    except (OSError, RuntimeError, ValueError) as error:
        raise PipelineError(
            f"Ray cannot be reached at {address or 'this machine'}: {error}. See `ray status`."
        ) from error
    try:
        slots = int(ray.cluster_resources().get("CPU", 0)) - taken  # type: ignore[no-untyped-call]
        if slots < 1:
            raise PipelineError(f"The Ray cluster has {slots + taken} CPUs; the engines and a worker need {taken + 1}.")
        _check_gpus(ray.cluster_resources().get("GPU", 0), engines)  # type: ignore[no-untyped-call]
        yield min(slots, workers) if workers else slots
    finally:
        ray.shutdown()


def _check_gpus(there: float, engines: Sequence[Engine]) -> None:
    needed = sum(engine.gpus * engine.replicas for engine in engines)
    if needed > there:
        wanted = ", ".join(f"{engine.name}: {engine.replicas} x {engine.gpus:g}" for engine in engines if engine.gpus)
        raise PipelineError(
            f"The engines need {needed:g} GPUs ({wanted}), Ray has {there:g}. Lower `replicas` or `gpus`, "
            "or join a cluster with --ray-address."
        )


def free_memory() -> int:
    """Bytes that processes can still take on this machine."""
    import psutil

    return int(psutil.virtual_memory().available)


def _knock(address: str) -> None:
    """Ray waits minutes for a cluster that is not there; a look at its door takes seconds."""
    host, _, port = address.rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host.removeprefix("ray://"), int(port)), timeout=10).close()
