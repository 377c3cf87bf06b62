"""The work that is left of a run: units and shards on Ray, until nothing is left."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from pipeline.cluster import cluster
from pipeline.crew import Crew, Errand, Failure
from pipeline.errors import PipelineError
from pipeline.grid import Block
from pipeline.ledger import Ledger
from pipeline.maps import Maps
from pipeline.prepare import Prepared
from pipeline.progress import Display, progress
from pipeline.roster import Roster
from pipeline.shards import Packer, ShardPlan, finished_shard, make_shard
from pipeline.store import RunFolder
from pipeline.unit import Job, caption_unit

SAVE_EVERY_S = 2.0


@dataclass(frozen=True, slots=True)
class Work:
    """A run and where its progress is kept.

    Attributes:
        prepared: what is to be made.
        folder: where.
        maps: the map as GeoParquet.
        ledger: books what ends.
        save: writes the ledger down.
    """

    prepared: Prepared
    folder: RunFolder
    maps: Maps
    ledger: Ledger
    save: Callable[[], None]

    def finish(self, address: str | None, console: Console) -> None:
        """Does what is left; Ray is not even started where nothing is.

        Raises:
            PipelineError: the disk gave out, or Ray cannot be reached.
        """
        config, units = self.prepared.config, self.prepared.units
        packer = Packer([unit.id for unit in units], config.output.samples_per_shard)
        todo, plans = self._sort_out(units, packer)
        if not todo:
            plans += packer.finish()
            if self._all_there(plans):
                return
        replicas = sum(engine.replicas for engine in config.captions.engines)
        with (
            cluster(address, config.workers, replicas) as slots,
            progress(console, self.ledger.total, self.ledger.reused) as display,
        ):
            errands = _Errands.start(self, with_engines=bool(todo))
            crew = Crew(2 * slots)
            crew.send(errands.shard(plan) for plan in plans)
            crew.send(errands.unit(unit) for unit in todo)
            self._until_done(crew, packer, errands, display)
            crew.send(errands.shard(plan) for plan in packer.finish())
            self._until_done(crew, packer, errands, display)

    def _sort_out(self, units: Sequence[Block], packer: Packer) -> tuple[list[Block], list[ShardPlan]]:
        """Units still to do, and shards that earlier units fill; parts of scenes that are gone go."""
        self.folder.forget_all_but({unit.id for unit in units})
        todo: list[Block] = []
        plans: list[ShardPlan] = []
        for unit in units:
            commit = self.folder.committed(unit.id)
            if commit is None or commit.fingerprint != unit.fingerprint(self.prepared.fingerprint):
                todo.append(unit)
                continue
            self.ledger.unit_found(commit)
            plans += packer.add(unit.id, commit)
        return todo, plans

    def _all_there(self, plans: Sequence[ShardPlan]) -> bool:
        lines = [finished_shard(plan, self.folder, self.prepared.config.output) for plan in plans]
        if any(line is None for line in lines):
            return False
        for line in filter(None, lines):
            self.ledger.shard_done(line)
        return True

    def _until_done(self, crew: Crew, packer: Packer, errands: "_Errands", display: Display) -> None:
        while crew.busy:
            for errand, outcome in crew.finished(SAVE_EVERY_S):
                self._book(errand, outcome, display)
                if errand.kind == "unit" and not isinstance(outcome, Failure):
                    crew.send(errands.shard(plan) for plan in packer.add(errand.name, outcome))
            display.show(self.ledger.done, len(self.ledger.shards), self.ledger.counts)
            self.save()

    def _book(self, errand: Errand, outcome: Any, display: Display) -> None:
        if isinstance(outcome, Failure):
            if outcome.hopeless:
                raise PipelineError(
                    f"{outcome.cause}. What is finished is kept: make room, then run the same command again."
                ) from outcome.cause
            self.ledger.failed(errand.kind, errand.name, outcome)
            display.say(f"{errand.kind} {errand.name} failed twice: {outcome.error}")
        elif errand.kind == "unit":
            self.ledger.unit_done(outcome)
        else:
            for patch in self.ledger.shard_done(outcome):
                display.say(f"patch {patch['patch_id']}: {patch['error']}")


@dataclass(frozen=True, slots=True)
class _Errands:
    """Makes errands of units and shards; what they share lies in Ray's store once."""

    work: Work
    unit_task: Any
    shard_task: Any
    job: Any
    scenes: Any

    @classmethod
    def start(cls, work: Work, *, with_engines: bool) -> "_Errands":
        import ray

        config = work.prepared.config
        roster = Roster.open(config.captions.engines, config.captions.assign) if with_engines else None
        return cls(
            work,
            ray.remote(num_cpus=1, max_retries=1)(caption_unit),
            ray.remote(num_cpus=1, max_retries=1)(make_shard),
            ray.put(Job(config, work.folder.path, work.maps, work.prepared.fingerprint, roster)),
            ray.put(work.prepared.scenes),
        )

    def unit(self, block: Block) -> Errand:
        return Errand("unit", block.id, self.unit_task, (self.job, block))

    def shard(self, plan: ShardPlan) -> Errand:
        config = self.work.prepared.config
        arguments = (plan, self.work.folder, config.samples.imagery, self.scenes, config.output)
        return Errand("shard", plan.name, self.shard_task, arguments)
