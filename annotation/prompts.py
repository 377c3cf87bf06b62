"""Facts to chat messages: rules and examples first, the patch's own facts last.

A folder of templates has a subfolder for each task, with `system.j2` (the rules), `user.j2` (how facts are handed
over) and `examples.yaml` (facts with the answer we would give). Everything before the last message is rendered once,
when the folder is loaded, so that it is byte-identical for all requests of a task and an engine can keep its prefix.
"""

import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import combinations
from pathlib import Path
from typing import Any, Literal, Self

import jinja2
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from annotation.errors import AnnotationError
from annotation.facts import clean
from annotation.request import TASKS, ElementFacts, Message
from annotation.sheet import sheet

DRAFT_LIMIT = 1_000
"""Longest draft, in characters, that is handed over for rewriting; the longest caption allowed is half of it."""
FILES = ("system.j2", "user.j2", "examples.yaml")


class _Told(BaseModel):
    """An element of an example."""

    model_config = ConfigDict(extra="forbid")

    kind: str
    facts: dict[str, Any]
    id: str = ""


class _Example(BaseModel):
    """Facts and the answer we would give."""

    model_config = ConfigDict(extra="forbid")

    gsd: float = Field(gt=0)
    elements: list[_Told] = Field(min_length=1)
    answer: str = Field(min_length=1)
    draft: str = ""


class _Pool(BaseModel):
    """The examples of a task: all are shown, or as many as `show`, drawn in `variants` ways."""

    model_config = ConfigDict(extra="forbid")

    examples: list[_Example] = Field(min_length=1)
    show: int = Field(default=0, ge=0)
    variants: int = Field(default=1, ge=1, le=16)

    @property
    def sets(self) -> list[list[int]]:
        """Which examples each variant shows; few sets, so that an engine can keep all their prefixes."""
        everything = list(range(len(self.examples)))
        if not 0 < self.show < len(everything):
            return [everything]
        possible = [list(shown) for shown in combinations(everything, self.show)]
        return random.Random(0).sample(possible, min(self.variants, len(possible)))


@dataclass(frozen=True, slots=True)
class Prefix:
    """What a template says before the facts; byte-identical for all requests that have it.

    Attributes:
        version: `area@3f2a91c0`: the task and a digest of all that the template makes out of the same facts.
        messages: rules and examples.
    """

    version: str
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """One task's template.

    Attributes:
        task: a key of `TASKS`.
        prefixes: several where examples are drawn from a pool, else one.
        user: makes the last message.
    """

    task: str
    prefixes: tuple[Prefix, ...]
    user: jinja2.Template

    def prefix(self, seed: int) -> Prefix:
        """The one that a seed draws."""
        return self.prefixes[seed % len(self.prefixes)]


@dataclass(frozen=True, slots=True)
class Prompts:
    """The templates of a run.

    Attributes:
        templates: by task.
        digest: changes when any of them does.
    """

    templates: Mapping[str, Template]
    digest: str

    @classmethod
    def load(cls, folder: Path | None = None) -> Self:
        """Reads and renders the shipped templates, and lays a user's over them.

        Args:
            folder: subfolders named like tasks replace the shipped templates of these tasks.

        Raises:
            AnnotationError: a template is missing or broken; the message names file and line.
        """
        shipped = Path(str(files("prompts")))
        folders = {task: shipped / task for task in TASKS if (shipped / task).is_dir()}
        if folder is not None:
            folders |= _own_folders(folder)
        templates = {task: _template(task, path) for task, path in folders.items()}
        versions = " ".join(prefix.version for template in templates.values() for prefix in template.prefixes)
        return cls(templates, _digest(versions))

    def render(
        self,
        task: str,
        elements: Sequence[ElementFacts],
        gsd: float,
        draft: str = "",
        place: Sequence[str] = (),
        seed: int = 0,
    ) -> tuple[tuple[Message, ...], str]:
        """The chat that asks for a caption.

        Args:
            task: a key of `TASKS`.
            elements: what is to be told.
            gsd: metres per pixel of the picture.
            draft: the caption to be rewritten, for revisions.
            place: names of the areas around the picture, the largest first: known, not seen.
            seed: draws the examples where a template has a pool of them.

        Returns:
            The messages, and the version of the template.

        Raises:
            AnnotationError: there is no template for the task, or it fails on these facts.
        """
        template = self.templates.get(task)
        if template is None:
            raise AnnotationError(f"no prompt for task {task!r}; there are {', '.join(self.templates)}")
        last = _message("user", _render(template.user, elements, gsd, draft, place))
        prefix = template.prefix(seed)
        return (*prefix.messages, last), prefix.version


def _own_folders(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise AnnotationError(f"{folder}: no such folder of prompts")
    found = {task: folder / task for task in TASKS if (folder / task).is_dir()}
    if not found:
        raise AnnotationError(f"{folder}: has no prompts; put them in subfolders named {', '.join(TASKS)}")
    return found


def _template(task: str, folder: Path) -> Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - plain text for a language model, not HTML
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in FILES:
        if not (folder / name).is_file():
            raise AnnotationError(f"{folder / name}: missing; a prompt needs {', '.join(FILES)}")
    system, user = (_parse(environment, folder, name) for name in FILES[:2])
    try:
        rules = system.render()
    except jinja2.TemplateError as error:
        raise AnnotationError(_where(system, error)) from error
    pool = _examples(folder / FILES[2])
    turns = [_turns(user, example) for example in pool.examples]
    prefixes = []
    for shown in pool.sets:
        messages = (_message("system", rules), *(message for place in shown for message in turns[place]))
        content = [*(message["content"] for message in messages), (folder / FILES[1]).read_text(encoding="utf-8")]
        prefixes.append(Prefix(f"{task}@{_digest(*content)}", messages))
    return Template(task, tuple(prefixes), user)


def _turns(user: jinja2.Template, example: _Example) -> tuple[Message, Message]:
    """An example as question and answer."""
    told = [ElementFacts(each.id, each.kind, {}, each.facts) for each in example.elements]
    question = _render(user, told, example.gsd, example.draft)
    return _message("user", question), _message("assistant", " ".join(example.answer.split()))


def _parse(environment: jinja2.Environment, folder: Path, name: str) -> jinja2.Template:
    try:
        return environment.get_template(name)
    except jinja2.TemplateSyntaxError as error:
        raise AnnotationError(f"{folder / name}, line {error.lineno}: {error.message}") from error
    except UnicodeDecodeError as error:
        raise AnnotationError(f"{folder / name}: is not UTF-8 text ({error})") from error


def _render(
    user: jinja2.Template, elements: Sequence[ElementFacts], gsd: float, draft: str, place: Sequence[str] = ()
) -> str:
    """The last message; facts and draft are values, never template source."""
    try:
        return user.render(sheet=sheet(elements, gsd, place), draft=clean(draft, DRAFT_LIMIT))
    except jinja2.TemplateError as error:
        raise AnnotationError(_where(user, error)) from error


def _where(template: jinja2.Template, error: jinja2.TemplateError) -> str:
    """File, line and complaint of an error while rendering."""
    step, line = error.__traceback__, 0
    while step is not None:
        if step.tb_frame.f_code.co_filename == template.filename:
            line = step.tb_lineno
        step = step.tb_next
    return f"{template.filename}, line {line}: {error.message}; a prompt knows sheet and draft, its rules neither"


def _examples(path: Path) -> _Pool:
    text = path.read_text(encoding="utf-8")
    try:
        node, raw = yaml.compose(text, yaml.SafeLoader), yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise AnnotationError(f"{path}, line {line}: {error.problem}") from error
    if isinstance(raw, list):
        raw = {"examples": raw}
    elif isinstance(raw, dict) and isinstance(node, yaml.MappingNode):
        node = next((value for key, value in node.value if key.value == "examples"), node)
    if not isinstance(raw, dict) or not isinstance(node, yaml.SequenceNode):
        raise AnnotationError(f"{path}, line 1: has to be a list of examples, or `examples` with `show` and `variants`")
    try:
        return _Pool.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        at, *steps = first["loc"][1:] if first["loc"][0] == "examples" and len(first["loc"]) > 1 else (0, *first["loc"])
        line = node.value[int(at)].start_mark.line + 1 if node.value else 1
        place = ".".join(str(step) for step in steps)
        raise AnnotationError(f"{path}, line {line}: {place}: {first['msg']}") from error


def _message(role: Literal["system", "user", "assistant"], content: str) -> Message:
    return {"role": role, "content": content.strip()}


def _digest(*parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=4).hexdigest()
