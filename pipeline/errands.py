"""Errands of a run: its units and shards as work for Ray, and the engines that units ask."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pipeline.crew import Errand
from pipeline.prepare import Prepared
from pipeline.roster import Roster
from pipeline.shards import ShardPlan, make_shard
from pipeline.source import Unit
from pipeline.store import RunFolder
from pipeline.unit import Job, caption_unit


@dataclass(frozen=True, slots=True)
class Errands:
    """Makes errands of units and shards; what they share lies in Ray's store once.

    Attributes:
        prepared: what is to be made.
        folder: where.
        roster: the engines; None where no unit is left to do.
    """

    prepared: Prepared
    folder: RunFolder
    roster: Roster | None
    _unit_task: Any
    _shard_task: Any
    _job: Any
    _pictures: Any

    @classmethod
    @contextmanager
    def start(cls, prepared: Prepared, folder: RunFolder, *, with_engines: bool) -> Iterator["Errands"]:
        """Starts the engines if they are needed; they stop when the block ends."""
        import ray

        config = prepared.config
        roster = Roster.open(config.captions) if with_engines else None
        try:
            yield cls(
                prepared,
                folder,
                roster,
                ray.remote(num_cpus=1, max_retries=1)(caption_unit),
                ray.remote(num_cpus=1, max_retries=1)(make_shard),
                ray.put(Job(config, folder.path, prepared.source, prepared.fingerprint, roster)),
                ray.put(prepared.source.pictures()),
            )
        finally:
            if roster:
                roster.close()

    def unit(self, unit: Unit) -> Errand:
        """A unit to be captioned."""
        return Errand("unit", unit.id, self._unit_task, (self._job, unit))

    def shard(self, plan: ShardPlan) -> Errand:
        """A shard to be written."""
        arguments = (plan, self.folder, self._pictures, self.prepared.config.output)
        return Errand("shard", plan.name, self._shard_task, arguments)
