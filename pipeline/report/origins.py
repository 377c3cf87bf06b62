"""What a run was made of, and on whose terms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from download.imagery.several import code_of
from pipeline.report.look import Finished

MOST_SOURCES = 20


@dataclass(frozen=True, slots=True)
class Ingredient:
    """Imagery, a map, or records that others have published.

    Attributes:
        what: one of the three.
        source: who provides it.
        licence: as stated; empty where none was.
        attribution: whom to credit; empty where nobody said.
    """

    what: str
    source: str
    licence: str
    attribution: str


def ingredients(run: Finished) -> tuple[Ingredient, ...]:
    """What the samples were made of first, also where an earlier run made them."""
    origin = run.origin
    if "imagery" in origin:
        pictures = [_ingredient("Imagery", said, sources(run)) for said in _imagery(origin["imagery"], run)]
        return *pictures, _ingredient("Map", origin["osm"])
    return (_ingredient("Records", origin, sources(run)),)


def licences_of(run: Finished) -> list[str]:
    """Licences of all ingredients, each once."""
    return list(dict.fromkeys(each.licence for each in ingredients(run) if each.licence))


def sources(run: Finished) -> list[str]:
    """Providers that the samples themselves name."""
    return sorted({str(said["source"]) for said in run.patches.metadata if said.get("source")})[:MOST_SOURCES]


def _imagery(said: Mapping[str, Any], run: Finished) -> list[Mapping[str, Any]]:
    """Each source of imagery; of several those that samples come from."""
    if said["kind"] != "several":
        return [said]
    used = {code_of(metadata["image_name"]) for metadata in run.patches.metadata}
    return [
        {**source, "source": source.get("source") or source.get("collection", "")}
        for code, source in said["sources"].items()
        if code in used
    ]


def _ingredient(what: str, said: Mapping[str, Any], named: Sequence[str] = ()) -> Ingredient:
    licence = "; ".join(str(said[key]) for key in ("licence", "terms") if said.get(key))
    return Ingredient(what, said.get("source") or ", ".join(named), licence, said.get("attribution") or "")
