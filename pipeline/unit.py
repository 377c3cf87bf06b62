"""A unit's way through the house: one function, run as a Ray task."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from annotation.annotate import Attempt, Post, annotate
from annotation.request import Request
from download import traffic
from pipeline.config import Config
from pipeline.dispatch import Copy
from pipeline.fingerprint import digest
from pipeline.garbage import collect_seldom
from pipeline.parts import parts_of
from pipeline.requests import Requests
from pipeline.roster import Roster
from pipeline.source import Assignment, Source, Unit
from pipeline.store import Commit, RunFolder
from pipeline.tables import tag_table

IN_SHARDS = ("patches", "elements", "captions")
"""Parts whose content (but for outlines) goes into shards."""


@dataclass(frozen=True, slots=True)
class Job:
    """What all units of a run share.

    Attributes:
        config: the configuration.
        folder: the run folder.
        source: the samples.
        fingerprint: of the run.
        roster: who answers; None if no unit is left to do.
    """

    config: Config
    folder: Path
    source: Source
    fingerprint: str
    roster: Roster | None


@dataclass(frozen=True, slots=True)
class Done:
    """A unit that is finished.

    Attributes:
        commit: what was committed.
        fetched: bytes and requests that it took, by source; see `download.traffic`.
        answered: what engines did that answered in the unit's own process, by name.
    """

    commit: Commit
    fetched: Mapping[str, int]
    answered: Mapping[str, Copy]


def caption_unit(job: Job, unit: Unit) -> Done:
    """Looks, asks, checks and commits one unit."""
    collect_seldom()
    before = traffic.fetched()
    if job.roster is None:
        raise ValueError("no engine is on the roster")
    look = job.source.look(unit)
    with closing(job.roster.post(unit.id)) as post:
        attempts = tell(job.config, look.assignments, post)
    parts, counts = parts_of(look, attempts)
    content = digest([{**row, "outline": ""} for kind in IN_SHARDS for row in parts[kind]])
    commit = Commit(unit.fingerprint(job.fingerprint), content, counts)
    RunFolder(job.folder).commit(unit.id, parts, commit)
    return Done(commit, traffic.since(before), post.answered)


def tell(config: Config, assignments: Sequence[Assignment], post: Post) -> Mapping[int, Sequence[Attempt]]:
    """Captions samples.

    Returns:
        Every attempt, by patch id; first captions before revisions.
    """
    requests, checks, table = Requests.of(config), config.captions.checks, tag_table(config.tags)
    assigned = {assignment.patch_id: assignment for assignment in assignments}
    told = annotate(
        [requests.first(assignment) for assignment in assignments],
        post,
        judge=lambda request, text: checks.judge(request, text, table),
        retries=config.captions.retries,
        run_seed=config.seed,
        follow=lambda accepted: requests.revisions(assigned[sample_of(accepted.request)], accepted),
    )
    attempts: dict[int, list[Attempt]] = {patch_id: [] for patch_id in assigned}
    for attempt in told:
        attempts[sample_of(attempt.request)].append(attempt)
    return attempts


def sample_of(request: Request) -> int:
    """The patch that a request is about."""
    return int(request.key.split("/", 1)[0])
