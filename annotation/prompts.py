"""Facts to chat messages: rules and examples first, the patch's own facts last.

A folder of templates has a subfolder for each task, with `system.j2` (the rules), `user.j2` (how facts are handed
over) and `examples.yaml` (facts with the answer we would give). Everything before the last message is rendered once,
when the folder is loaded, so that it is byte-identical for all requests of a task and an engine can keep its prefix.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
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


@dataclass(frozen=True, slots=True)
class Template:
    """One task's template.

    Attributes:
        task: a key of `TASKS`.
        version: `area@3f2a91c0`: the task and a digest of all that the template makes out of the same facts.
        prefix: the messages before the last.
        user: makes the last message.
    """

    task: str
    version: str
    prefix: tuple[Message, ...]
    user: jinja2.Template


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
        versions = " ".join(template.version for template in templates.values())
        return cls(templates, _digest(versions))

    def render(
        self, task: str, elements: Sequence[ElementFacts], gsd: float, draft: str = "", place: Sequence[str] = ()
    ) -> tuple[tuple[Message, ...], str]:
        """The chat that asks for a caption.

        Args:
            task: a key of `TASKS`.
            elements: what is to be told.
            gsd: metres per pixel of the picture.
            draft: the caption to be rewritten, for revisions.
            place: names of the areas around the picture, the largest first: known, not seen.

        Returns:
            The messages, and the version of the template.

        Raises:
            AnnotationError: there is no template for the task, or it fails on these facts.
        """
        template = self.templates.get(task)
        if template is None:
            raise AnnotationError(f"no prompt for task {task!r}; there are {', '.join(self.templates)}")
        last = _message("user", _render(template.user, elements, gsd, draft, place))
        return (*template.prefix, last), template.version


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
    prefix = [_message("system", rules)]
    for example in _examples(folder / FILES[2]):
        told = [ElementFacts(each.id, each.kind, {}, each.facts) for each in example.elements]
        question = _render(user, told, example.gsd, example.draft)
        prefix += [_message("user", question), _message("assistant", " ".join(example.answer.split()))]
    content = [*(message["content"] for message in prefix), (folder / FILES[1]).read_text(encoding="utf-8")]
    return Template(task, f"{task}@{_digest(*content)}", tuple(prefix), user)


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


def _examples(path: Path) -> list[_Example]:
    text = path.read_text(encoding="utf-8")
    try:
        node, raw = yaml.compose(text, yaml.SafeLoader), yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise AnnotationError(f"{path}, line {line}: {error.problem}") from error
    if not isinstance(raw, list) or not isinstance(node, yaml.SequenceNode):
        raise AnnotationError(f"{path}, line 1: has to be a list of examples")
    examples = []
    for entry, mark in zip(raw, node.value, strict=True):
        try:
            examples.append(_Example.model_validate(entry))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(step) for step in first["loc"])
            raise AnnotationError(f"{path}, line {mark.start_mark.line + 1}: {place}: {first['msg']}") from error
    return examples


def _message(role: Literal["system", "user", "assistant"], content: str) -> Message:
    return {"role": role, "content": content.strip()}


def _digest(*parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=4).hexdigest()
