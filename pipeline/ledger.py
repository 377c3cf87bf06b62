"""The ledger: what became of units, patches and shards; the progress part of run.json."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.crew import Failure
from pipeline.store import Commit
from pipeline.unit import Done


@dataclass(slots=True)
class Ledger:
    """Books everything that ends.

    Attributes:
        total: units in all.
        reused: units that an earlier start of the run had finished.
        computed: units finished since this start.
        counts: what became of the patches, all units together.
        shards: lines of dataset.json.
        failures: units, shards and patches that failed, with the reason.
        fresh_captions: captions made since this start.
        engines: figures of the engines since this start.
        fetched: bytes and requests, by source, since the run began; see `download.traffic`.
        lost: units that raised on every attempt.
    """

    total: int
    reused: int = 0
    computed: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    shards: list[Mapping[str, Any]] = field(default_factory=list)
    failures: list[dict[str, str]] = field(default_factory=list)
    fresh_captions: int = 0
    engines: Mapping[str, Any] = field(default_factory=dict)
    fetched: Counter[str] = field(default_factory=Counter)
    lost: int = 0

    @property
    def done(self) -> int:
        """Units finished, now or before."""
        return self.reused + self.computed

    def unit_found(self, commit: Commit) -> None:
        """A unit that an earlier start had finished."""
        self.reused += 1
        self.counts.update(commit.counts)

    def unit_done(self, name: str, done: Done) -> None:
        """A unit finished since this start."""
        commit = done.commit
        self.fetched.update(done.fetched)
        self.computed += 1
        self.counts.update(commit.counts)
        self.fresh_captions += commit.counts["captions"]
        if failed := commit.counts.get("failed"):
            self._fail("unit", name, f"{failed} requests got no answer; the rejected part says why", "")

    def shard_done(self, line: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """A shard that is there; returns the patches whose pixels could not be read."""
        self.shards.append(line)
        self.fetched.update(line["fetched"])
        failed: Sequence[Mapping[str, Any]] = line["failures"]
        for patch in failed:
            self._fail("patch", str(patch["patch_id"]), patch["error"], "")
        return failed

    def failed(self, kind: str, name: str, failure: Failure) -> None:
        """A unit or shard that raised on every attempt."""
        self.lost += kind == "unit"
        self._fail(kind, name, failure.error, failure.trace)

    def as_json(self) -> dict[str, Any]:
        """The progress part of run.json."""
        failed = self.lost
        reused = sum(line["reused"] for line in self.shards)
        counts = {**self.counts, "read": sum(line["samples"] for line in self.shards)}
        return {
            "units": {
                "total": self.total,
                "done": self.done,
                "reused": self.reused,
                "computed": self.computed,
                "failed": failed,
            },
            "shards": {"done": len(self.shards), "reused": reused, "written": len(self.shards) - reused},
            "counts": dict(sorted(counts.items())),
            "engines": self.engines,
            "fetched": self._fetched(),
            "failures": self.failures,
        }

    def _fetched(self) -> dict[str, Any]:
        """By source: `bytes`, `requests`, and bytes for each caption of the run."""
        sources = sorted({key.partition(".")[2] for key in self.fetched})
        captions = self.counts["captions"]
        return {
            source: {
                "bytes": (received := self.fetched[f"fetched_bytes.{source}"]),
                "requests": self.fetched[f"fetched_requests.{source}"],
                "bytes_per_caption": round(received / captions) if captions else None,
            }
            for source in sources
        }

    def _fail(self, kind: str, name: str, error: str, trace: str) -> None:
        self.failures.append({"kind": kind, "name": name, "error": error, "traceback": trace})
