"""What is wrong with a configuration, for people."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError


def explain(error: ValidationError, root: type[BaseModel]) -> Iterator[str]:
    """One line for each thing to mend, with its place in the file and the nearest known key or kind.

    Args:
        error: of a model's validation.
        root: the model.
    """
    places = [problem["loc"] for problem in error.errors()]
    for problem in error.errors():
        here = problem["loc"]
        if problem["type"] == "too_short" and any(place[: len(here)] == here != place for place in places):
            continue  # nothing is left of the list because its items are wrong
        path, models = _walk(here, root)
        where = ".".join(path) or "the whole"
        if problem["type"] == "extra_forbidden":
            yield f"{where}: unknown key{_nearest(path[-1], models)}"
        elif problem["type"] == "missing":
            yield f"{where}: is missing"
        elif problem["type"] == "union_tag_not_found":
            yield f"{where}: has no kind; there are {_kinds(models, path[-1])}"
        elif problem["type"] == "union_tag_invalid":
            yield f"{where}: no kind {problem['ctx']['tag']!r}; there are {problem['ctx']['expected_tags']}"
        else:
            given = problem.get("input")
            shown = "" if isinstance(given, Mapping) else f" (given: {given!r})"
            yield f"{where}: {problem['msg'].removeprefix('Value error, ')}{shown}"


def _walk(location: Sequence[int | str], root: type[BaseModel]) -> tuple[list[str], list[type[BaseModel]]]:
    """A location as it stands in the file, without the kinds that pydantic puts between, and what may stand there."""
    models: list[type[BaseModel]] = [root]
    path: list[str] = []
    for place, part in enumerate(location):
        of_kind = [model for model in models if part in _kind_of(model)]
        if of_kind and place < len(location) - 1:
            models = of_kind
            continue
        path.append(str(part))
        if place < len(location) - 1:
            inner = [model.model_fields[str(part)].annotation for model in models if part in model.model_fields]
            models = [found for annotation in inner for found in _models(annotation)] or models
    return path, models


def _kind_of(model: type[BaseModel]) -> tuple[Any, ...]:
    return get_args(model.model_fields["kind"].annotation) if "kind" in model.model_fields else ()


def _kinds(models: Sequence[type[BaseModel]], key: str) -> str:
    """Names of what may stand under a key, or in a list."""
    inner = [model.model_fields[key].annotation for model in models if key in model.model_fields]
    candidates = [found for annotation in inner for found in _models(annotation)] or models
    return ", ".join(sorted({str(kind) for model in candidates for kind in _kind_of(model)}))


def _nearest(key: str, models: Sequence[type[BaseModel]]) -> str:
    known = sorted({name for model in models for name in model.model_fields})
    close = get_close_matches(key, known, n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(known)}"


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
