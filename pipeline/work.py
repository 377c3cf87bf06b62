"""The work that is left of a run: units and shards on Ray, until nothing is left."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from annotation.engines.engine import Engine
from pipeline.cluster import cluster, free_memory
from pipeline.crew import Crew, Errand, Failure
from pipeline.errands import Errands
from pipeline.errors import PipelineError
from pipeline.ledger import Ledger
from pipeline.prepare import Prepared
from pipeline.progress import Display, progress
from pipeline.roster import actors_of
from pipeline.shards import Packer, ShardPlan, finished_shard
from pipeline.source import Unit
from pipeline.store import RunFolder

SAVE_EVERY_S = 2.0
REQUESTS_OF_A_UNIT = 64
"""As many are usually on their way for one unit: of its 512 patches, those with something to tell."""
BYTES_OF_A_UNIT = 400 << 20
"""Memory of a process that works on a unit."""


@dataclass(frozen=True, slots=True)
class Work:
    """A run and where its progress is kept.

    Attributes:
        prepared: what is to be made.
        folder: where.
        ledger: books what ends.
        save: writes the ledger down; raises where the work shall stop.
    """

    prepared: Prepared
    folder: RunFolder
    ledger: Ledger
    save: Callable[[], None]

    def finish(self, address: str | None, console: Console) -> None:
        """Does what is left; Ray is not even started where nothing is.

        Raises:
            PipelineError: the disk gave out, or Ray cannot be reached.
        """
        config, units = self.prepared.config, self.prepared.source.units
        packer = Packer([unit.id for unit in units], config.output.samples_per_shard)
        todo, plans = self._sort_out(units, packer)
        if not todo:
            plans += packer.finish()
            if self._all_there(plans):
                return
        engines = actors_of(config.captions.engines) if todo else ()
        with (
            cluster(address, config.workers, engines) as slots,
            progress(console, self.ledger.total, self.ledger.reused) as display,
            Errands.start(self.prepared, self.folder, with_engines=bool(todo)) as errands,
        ):
            crew = Crew(2 * slots + _waiting_units(engines))
            crew.send(errands.shard(plan) for plan in plans)
            crew.send(errands.unit(unit) for unit in todo)
            self._until_done(crew, packer, errands, display)
            crew.send(errands.shard(plan) for plan in packer.finish())
            self._until_done(crew, packer, errands, display)

    def _sort_out(self, units: Sequence[Unit], packer: Packer) -> tuple[list[Unit], list[ShardPlan]]:
        """Units still to do, and shards that earlier units fill; parts of scenes that are gone go."""
        self.folder.forget_all_but({unit.id for unit in units})
        todo: list[Unit] = []
        plans: list[ShardPlan] = []
        for unit in units:
            commit = self.folder.committed(unit.id)
            changed = commit is None or commit.fingerprint != unit.fingerprint(self.prepared.fingerprint)
            if commit is None or changed or commit.counts.get("failed"):
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

    def _until_done(self, crew: Crew, packer: Packer, errands: Errands, display: Display) -> None:
        while crew.busy:
            for errand, outcome in crew.finished(SAVE_EVERY_S):
                self._book(errand, outcome, display)
                if errand.kind == "unit" and not isinstance(outcome, Failure):
                    if errands.roster:
                        errands.roster.book(outcome.answered)
                    crew.send(errands.shard(plan) for plan in packer.add(errand.name, outcome.commit))
            if errands.roster:
                self.ledger.engines = errands.roster.figures(self.ledger.fresh_captions)
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
            self.ledger.unit_done(errand.name, outcome)
        else:
            for patch in self.ledger.shard_done(outcome):
                display.say(f"patch {patch['patch_id']}: {patch['error']}")


def _waiting_units(engines: Sequence[Engine]) -> int:
    """Units that wait for answers (without a CPU) so that every engine has all it can hold."""
    requests = sum(engine.replicas * engine.in_flight for engine in engines)
    return min(-(-requests // REQUESTS_OF_A_UNIT), int(free_memory() // BYTES_OF_A_UNIT))
