"""Why an element cannot be seen from above, read from its tags alone.

The rules are those of people who map: what runs in a tunnel, below ground or indoors, what is only planned or
already gone, and what never was a thing on the ground (boundaries, routes) is not in the picture, whatever
else the tags say. Works under construction are visible as works, so they are not hidden.
"""

from collections.abc import Mapping
from typing import Final

_NO: Final = frozenset({"no", "false", "0", "none"})
_YES: Final = frozenset({"yes", "true", "1"})

_TUNNELS: Final = {"culvert": "culvert", "building_passage": "building passage"}
_LOCATIONS: Final = {
    "underground": "underground",
    "subsurface": "underground",
    "subway": "underground",
    "underwater": "underwater",
    "indoor": "indoor",
    "indoors": "indoor",
}
_PIPELINE_IN_SIGHT: Final = frozenset({"overground", "overhead", "surface", "aboveground", "outdoor", "bridge", "roof"})

LIFECYCLE: Final = {
    "proposed": "proposed",
    "planned": "proposed",
    "abandoned": "abandoned",
    "razed": "razed",
    "demolished": "demolished",
    "destroyed": "demolished",
    "dismantled": "razed",
    "removed": "removed",
    "was": "removed",
    "historic": "removed",
    "disused": "disused",
}
"""Word of a lifecycle value (`railway=razed`) or prefix (`razed:railway=rail`) -> the reason given."""

_GONE: Final = frozenset(LIFECYCLE) - {"disused", "historic", "was"}
"""Words that hide an element as a flag (`abandoned=yes`); what is disused mostly still stands."""

_WAYS: Final = ("highway", "railway", "waterway")
_ROUTES: Final = frozenset({"route", "route_master", "superroute"})
_PLANNED: Final = frozenset({"proposed", "planned"})
_ASIDE: Final = frozenset({"tunnel", "culvert", "location", "layer", "level", "indoor", "covered", "parking"})
_BOUNDARIES: Final = {"postal_code": "postal boundary", "postal": "postal boundary"}


def hidden_reason(
    tags: Mapping[str, str], main: tuple[str, str] | None, row_kind: str, *, seen: bool, kind: str | None
) -> str | None:
    """Say why an element cannot be seen, or None if it can.

    Args:
        tags: All tags of the element.
        main: The tag that says what it is, None if there is none.
        row_kind: How the table says such an element is drawn (`area`, `line`, `point`, `any`).
        seen: Whether the table says that such an element can be seen at all.
        kind: How this element is drawn, if known: `area`, `line` or `point`.
    """
    if main is None:
        return _without_main_tag(tags)
    key, value = main
    return (
        _no_thing(tags, key, value, seen=seen)
        or _out_of_sight(tags, key)
        or _gone(tags, key)
        or _drawn_as_something_else(key, row_kind, kind)
    )


def _no_thing(tags: Mapping[str, str], key: str, value: str, *, seen: bool) -> str | None:
    """What the main tag stands for is not a thing on the ground, now, or not one to be seen."""
    if tags.get("type") in _ROUTES:
        return "route"
    if "boundary" in tags and (key == "place" or not seen):
        return _boundary(tags["boundary"])
    if not seen:
        return LIFECYCLE.get(value, "not visible from above")
    if key not in _WAYS and any(tags.get(way) in _PLANNED for way in _WAYS):
        return "proposed"
    return None


def _drawn_as_something_else(key: str, row_kind: str, kind: str | None) -> str | None:
    if kind == "line" and row_kind == "area":
        return "outline not closed"
    return "label without an outline" if kind == "point" and key == "place" else None


def _out_of_sight(tags: Mapping[str, str], key: str) -> str | None:
    """Something lies between the element and the camera."""
    if key == "man_made" and tags.get("man_made") == "pipeline" and not _pipeline_in_sight(tags):
        return "underground"
    if _ASIDE.isdisjoint(tags):
        return None
    tunnel = tags.get("tunnel", "no")
    below = _all_negative(tags.get("layer")) and tags.get("bridge", "no") in _NO
    below = below or _all_negative(tags.get("level")) or tags.get("parking") == "underground"
    reasons = (
        (tunnel not in _NO, _TUNNELS.get(tunnel, "tunnel")),
        (tags.get("culvert", "no") not in _NO, "culvert"),
        (tags.get("location") in _LOCATIONS, _LOCATIONS.get(tags.get("location", ""), "")),
        (tags.get("indoor", "no") not in _NO, "indoor"),
        (below, "underground"),
        (key in _WAYS and tags.get("covered", "no") not in _NO, "covered"),
    )
    return next((reason for holds, reason in reasons if holds), None)


def _pipeline_in_sight(tags: Mapping[str, str]) -> bool:
    """Pipelines lie in the ground unless somebody says otherwise."""
    return tags.get("location") in _PIPELINE_IN_SIGHT or tags.get("bridge", "no") not in _NO


def _all_negative(text: str | None) -> bool:
    """Whether a `layer` or `level` (a number, or several: `-2;-1`) lies below ground altogether."""
    return bool(text) and all(part.strip().startswith("-") for part in str(text).split(";"))


def _gone(tags: Mapping[str, str], key: str) -> str | None:
    """The element is not there yet, or no longer."""
    if "disused" in tags and key == "railway" and tags["disused"] in _YES:
        return "disused"
    if _GONE.isdisjoint(tags):
        return None
    return next((LIFECYCLE[word] for word in sorted(_GONE) if tags.get(word) in _YES), None)


def _boundary(value: str) -> str:
    return _BOUNDARIES.get(value, "administrative boundary")


def _without_main_tag(tags: Mapping[str, str]) -> str:
    if "route" in tags or tags.get("type") in _ROUTES:
        return "route"
    if "boundary" in tags:
        return _boundary(tags["boundary"])
    prefixes = (key.partition(":")[0] for key in tags if ":" in key)
    return next((LIFECYCLE[prefix] for prefix in prefixes if prefix in LIFECYCLE), "no physical tag")
