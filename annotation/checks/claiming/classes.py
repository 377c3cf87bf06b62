"""What things are called, and what each is a kind of: a wood is vegetation, an oak wood is a wood.

`classes.csv` is our own table: in a row stand words for one class (the first names it), the classes that it is a
kind of, and words for what such a thing consists of and may be told with it (a wood has trees). Every noun of the
tag table that stands in no row is a class of its own, of the kind that its last words name: a school building is a
building.
"""

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from annotation.tagging.nouns import pluralise
from annotation.tags import TagTable

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_HEADS = re.compile(
    r"^(?:row|rows|group|flight|avenue|heap|body|line|cluster)s? of | (?:under|with|for|in|of|on|at) .*"
)
_PARTITIVE = re.compile(r"^(?:areas?|patch(?:es)?|stretch(?:es)?|pieces?|plots?|bodies|body|sheets?) of ")
_SHAPELESS = frozenset(
    (
        "area", "areas", "common", "cut", "cutting", "cross", "depression", "fell", "feature", "hollow", "land", "lot",
        "magazine", "plain", "rough", "sound", "stage", "table", "place", "state", "country", "region", "district",
        "department", "territory", "locality", "county", "township", "commune", "parish", "province", "continent",
        "well", "spring", "amenity", "door", "gate", "lamp", "pump", "plant", "bust", "obstacle", "clock", "club",
        "structure", "camp", "dock", "lock", "slide", "swing", "ladder", "anchor", "obstruction", "column", "bank",
        "delta", "spit", "channel", "cape", "office", "lift", "booth", "kiln", "cushion", "box", "stand", "ground",
        "tank", "stage", "rill", "municipality", "borough", "crypt", "shower", "toilet", "studio", "pit", "drain",
        "shop", "rocker", "beacon", "bay", "inverter", "spikes", "stile", "head", "mouth", "works", "rapids",
        "private", "square", "track", "hall", "strait", "gallery", "laundry", "harbour", "sidewalk", "gantry",
    )
) - {"tank", "pit", "shop", "sidewalk", "harbour", "bay", "hall", "works", "rapids", "track"}  # fmt: skip
"""Nouns of the tag table that mean too many other things to be read as objects when they stand alone."""


@dataclass(frozen=True, slots=True, eq=False)
class Classes:
    """The classes of things.

    Attributes:
        senses: class names that a wording (words parted by blanks) may mean.
        kinds: of each class all that it is a kind of, itself among them.
        holds: words for what such things consist of.
    """

    senses: Mapping[str, tuple[str, ...]]
    kinds: Mapping[str, frozenset[str]]
    holds: Mapping[str, frozenset[str]]

    def of_noun(self, noun: str) -> str:
        """The class of a noun, by its last words where the whole is unknown; empty if nothing is known of it."""
        words = spell(noun)
        found = self.senses.get(words)
        while not found and words:
            words = words.partition(" ")[2]
            found = self.senses.get(words)
        return "" if not found else words if words in found else found[0]


@lru_cache(maxsize=16384)
def spell(phrase: str) -> str:
    """A phrase as its words are normalised in captions: small letters, blanks for hyphens."""
    lower = phrase.lower().replace("\u2019", "'")
    return " ".join(word.removesuffix("'s") for word in _WORD.findall(lower))


def _numbers(noun: str) -> tuple[str, str]:
    return noun, pluralise(noun)


def load(table: TagTable) -> Classes:
    """The classes of a tag table."""
    names: dict[str, list[str]] = {}
    parents: dict[str, set[str]] = {}
    holds: dict[str, set[str]] = {}
    text = (files("annotation.checks.claiming") / "classes.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        words = [spell(word) for word in row["words"].split("|")]
        name = words[0]
        parents.setdefault(name, set()).update(spell(kind) for kind in row["kinds_of"].split("|") if kind)
        holds.setdefault(name, set()).update(spell(part) for part in (row["holds"] or "").split("|") if part)
        for word in words:
            for form in _numbers(word):
                _add(names, form, name)
    things = [row for row in table.rows.values() if row.kind != "attribute"]
    changed = [row for row in table.rows.values() if row.kind == "attribute" and row.plural and "{}" not in row.plural]
    nouns = {row.noun: row.plural for row in things} | {row.plural: pluralise(row.plural) for row in changed}
    for noun, plural in sorted(nouns.items(), key=lambda item: item[0].count(" ")):
        if noun.lower() in _SHAPELESS:
            continue
        name = spell(noun)
        if name not in names:
            kind = _kind(name, names)
            parents[name] = {kind} if kind else set()
            _add(names, name, name)
        for form in {spell(plural), spell(_PARTITIVE.sub("", plural.lower())), pluralise(name)}:
            if form not in names:
                _add(names, form, names[name][0])
    kinds = {name: _closure(name, parents, set()) for name in parents}
    held = {name: frozenset().union(*(holds.get(kind, ()) for kind in kinds[name])) for name in kinds}
    return Classes({word: tuple(found) for word, found in names.items()}, kinds, held)


@lru_cache(maxsize=4)
def classes_of(table: TagTable) -> Classes:
    """The same, kept per process."""
    return load(table)


def _add(names: dict[str, list[str]], word: str, name: str) -> None:
    senses = names.setdefault(word, [])
    if name not in senses:
        senses.append(name)


def _kind(name: str, names: Mapping[str, list[str]]) -> str:
    """What the last words of a noun say it is."""
    head = _HEADS.sub("", name)
    if head != name and head in names:
        return names[head][0]
    while " " in head:
        head = head.partition(" ")[2]
        if head in names:
            return names[head][0]
    return ""


def _closure(name: str, parents: Mapping[str, Iterable[str]], seen: set[str]) -> frozenset[str]:
    if name not in seen:
        seen.add(name)
        for parent in parents.get(name, ()):
            _closure(parent, parents, seen)
    return frozenset(seen)
