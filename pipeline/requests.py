"""From assignments to requests: what the engines are asked."""

from dataclasses import dataclass, replace

from annotation import gaia
from annotation.annotate import Attempt, seed_of
from annotation.prompts import Prompts
from annotation.request import Request
from annotation.tagging.names import proper_name
from pipeline.config import Config
from pipeline.source import Assignment
from pipeline.tables import prompts


@dataclass(frozen=True, slots=True)
class Requests:
    """Writes requests; their keys and seeds are the same on every run.

    Attributes:
        config: the configuration.
        templates: the prompts.
    """

    config: Config
    templates: Prompts

    @classmethod
    def of(cls, config: Config) -> "Requests":
        """With the templates of a configuration."""
        return cls(config, prompts(config.prompts))

    def first(self, assignment: Assignment) -> Request:
        """Asks for a sample's first captions."""
        request = self._request(assignment, assignment.task, assignment.task, draft="")
        return replace(request, n=self.config.captions.drafts)

    def revisions(self, assignment: Assignment, accepted: Attempt) -> list[Request]:
        """Asks for as many rewritten captions of an accepted one as are wanted."""
        first = accepted.draft * assignment.revisions
        numbers = range(first, first + assignment.revisions)
        return [self.revision(assignment, accepted.text, number) for number in numbers]

    def revision(self, assignment: Assignment, draft: str, number: int) -> Request:
        """Asks for a caption to be rewritten."""
        return self._request(assignment, "revision", f"revision.{number}", draft)

    def _request(self, assignment: Assignment, task: str, name: str, draft: str) -> Request:
        key = f"{assignment.patch_id}/{name}/0"
        seed = seed_of(self.config.seed, key)
        place = tuple(filter(None, map(proper_name, assignment.place))) if self.config.captions.place else ()
        messages, version = self.templates.render(
            task, assignment.told, assignment.gsd, draft=draft, place=place, seed=seed
        )
        request = Request(key, task, messages, assignment.told, assignment.gsd, seed, version, draft=draft, place=place)
        return gaia.structured(request, assignment.picture) if task == gaia.TASK else request
