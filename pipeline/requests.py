"""From briefs to requests: what the engines are asked for one unit."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from annotation.annotate import Attempt, seed_of
from annotation.prompts import Prompts
from annotation.request import Request
from pipeline.config import Config
from pipeline.grid import Block, Patches
from pipeline.prepare import prompts
from pipeline.samples import patch_gsd
from pipeline.scribe import Brief


@dataclass(frozen=True, slots=True)
class Requests:
    """Writes a unit's requests; their keys and seeds are the same on every run.

    Attributes:
        config: the configuration.
        templates: the prompts.
        patches: the unit's patches.
        places: administrative names of each patch, the largest area first.
        gsd: metres per pixel of the pictures.
    """

    config: Config
    templates: Prompts
    patches: Patches
    places: Sequence[Sequence[str]]
    gsd: float

    @classmethod
    def of(cls, config: Config, block: Block, patches: Patches, places: Sequence[Sequence[str]]) -> "Requests":
        """For one unit."""
        return cls(config, prompts(config.prompts), patches, places, patch_gsd(block))

    def first(self, brief: Brief) -> Request:
        """Asks for a patch's first captions."""
        request = self._request(brief, brief.plan.task, brief.plan.task, draft="")
        return replace(request, n=self.config.captions.drafts)

    def revisions(self, brief: Brief, accepted: Attempt) -> list[Request]:
        """Asks for as many rewritten captions as the plan wants."""
        first = accepted.draft * brief.plan.revisions
        numbers = range(first, first + brief.plan.revisions)
        return [self._request(brief, "revision", f"revision.{number}", accepted.text) for number in numbers]

    def _request(self, brief: Brief, task: str, name: str, draft: str) -> Request:
        place = self.places[brief.patch] if self.config.captions.place else ()
        messages, version = self.templates.render(task, brief.told, self.gsd, draft=draft, place=place)
        key = f"{self.patches.ids[brief.patch]}/{name}/0"
        seed = seed_of(self.config.seed, key)
        return Request(key, task, messages, brief.told, self.gsd, seed, version, draft=draft)
