"""What a run told, counted unit by unit: nothing is kept of any single text."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.measuring.claims import Claims, claim_figures
from pipeline.measuring.told import Telling, telling_of, together, units
from pipeline.store import RunFolder


@dataclass(slots=True)
class Tally:
    """Counts of what one annotator told, or all.

    Attributes:
        patches: with a caption.
        by_task: captions of each task.
        refused: answers refused, or requests that no engine answered.
        given_up: those of them after which nobody was asked again.
        reasons: why answers were refused, by label; an answer may have several.
        repeats: captions that were accepted only after asking again.
        before: claims of answers to the first time of asking.
        after: claims of captions.
    """

    patches: int = 0
    by_task: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    given_up: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    repeats: int = 0
    before: Claims = field(default_factory=Claims)
    after: Claims = field(default_factory=Claims)

    @property
    def captions(self) -> int:
        """How many were accepted."""
        return self.by_task.total()

    def add(self, telling: Telling) -> None:
        """Counts what was told in one more unit."""
        self.patches += len({caption.patch_id for caption in telling.captions})
        self.by_task.update(caption.task for caption in telling.captions)
        self.refused += len(telling.refused)
        self.given_up += telling.given_up
        self.reasons += telling.reasons
        self.repeats += telling.repeats
        self.before.add(telling.before)
        self.after.add(telling.captions)

    def as_captions(self) -> dict[str, Any]:
        """Accepted captions; `asked_again` of them came after a refusal, `given_up` requests ended with one."""
        return {
            "total": self.captions,
            "patches": self.patches,
            "by_task": dict(sorted(self.by_task.items())),
            "asked_again": self.repeats,
            "refused": self.refused,
            "given_up": self.given_up,
        }

    def as_annotator(self) -> dict[str, Any]:
        """Figures of one annotator; `rejected` are its refused answers, `given_up` the last ones of a request."""
        return {
            "captions": self.captions,
            "by_task": dict(sorted(self.by_task.items())),
            "rejected": self.refused,
            "given_up": self.given_up,
            "rejections": dict(sorted(self.reasons.items())),
            **claim_figures(self.before, self.after),
        }


def tally(folder: RunFolder) -> tuple[Tally, dict[str, Tally]]:
    """Counts of a run, of all annotators and of each by name.

    Answers of engines that failed have no annotator; they count in the first, and go by the name `""` in the second.
    """
    whole, each = Tally(), dict[str, Tally]()
    for unit in units(folder):
        told = telling_of(folder, unit)
        whole.add(_all(list(told.values())))
        for name, telling in told.items():
            each.setdefault(name, Tally()).add(telling)
    return whole, dict(sorted(each.items()))


def _all(tellings: Sequence[Telling]) -> Telling:
    return tellings[0] if len(tellings) == 1 else together(tellings)
