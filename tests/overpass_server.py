"""A stand-in for an Overpass server that answers from extracts: the part of Overpass QL that MapTeller speaks."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Self
from xml.sax.saxutils import escape

import numpy as np
import osmium
import shapely
from numpy.typing import NDArray

from tests.stand_in import Answer, Asked

Found = set[tuple[str, int]]
"""Type (`n`, `w`, `r`, and `a` for Overpass's areas) and id; an area has the id of its relation, or minus its way's."""

STATUS: Final = (
    "Connected as: 1\nCurrent time: 2026-11-01T00:00:00Z\nRate limit: 2\n{slots}\nCurrently running queries:\n"
)
FREE: Final = "2 slots available now."

Members = dict[int, list[tuple[str, int]]]

SETTINGS = re.compile(r'\[out:xml\]\[timeout:\d+\]\[maxsize:\d+\](?:\[date:"([^"]+)"\])?;')
QUERY = re.compile(
    r"(?P<type>node|way|relation)(?P<filters>(?:\[[^\]]*\])*)(?:\(pivot\.(?P<pivot>\w+)\)|\((?P<box>[-\d.,]+)\))"
    r"(?P<more>(?:\[[^\]]*\])*)|is_in\((?P<point>[-\d.,]+)\)|\.(?P<set>\w+)|(?P<down>>)|out (?P<out>meta)"
)
FILTER = re.compile(r'\[(?P<any>~"\."~"\.")\]|\["(?P<key>[^"]+)"(?P<how>!?[=~])"(?P<value>[^"]*)"\]')


@dataclass(frozen=True)
class Extract:
    """A map in memory, with the questions that the server asks of it."""

    path: Path

    def loaded(self) -> Self:
        """The same, quick from the first question on."""
        assert self._all
        return self

    @cached_property
    def _all(self) -> tuple[dict[str, dict[int, Any]], dict[str, tuple[NDArray[Any], NDArray[Any]]], Members]:
        tags: dict[str, dict[int, Any]] = {"n": {}, "w": {}, "r": {}}
        drawn: dict[str, dict[int, str]] = {"n": {}, "w": {}, "a": {}}
        members: Members = {}
        wkb = osmium.geom.WKBFactory()
        for each in osmium.FileProcessor(self.path).with_areas():
            if isinstance(each, osmium.osm.Area):
                if each.tags.get("name"):
                    number = -each.orig_id() if each.from_way() else each.orig_id()
                    drawn["a"][number] = wkb.create_multipolygon(each)
                continue
            letter = each.type_str()
            tags[letter][each.id] = dict(each.tags)
            if isinstance(each, osmium.osm.Node):
                drawn["n"][each.id] = wkb.create_point(each)
            elif isinstance(each, osmium.osm.Way):
                if len(each.nodes) < 2 or not all(node.location.valid() for node in each.nodes):
                    continue
                drawn["w"][each.id] = wkb.create_linestring(each, osmium.geom.use_nodes.ALL)
            elif isinstance(each, osmium.osm.Relation):
                members[each.id] = [(member.type, member.ref) for member in each.members if member.type in "nw"]
        columns = {
            letter: (np.array([*each], np.int64), shapely.from_wkb([bytes.fromhex(shape) for shape in each.values()]))
            for letter, each in drawn.items()
        }
        shapes = {letter: dict(zip(ids.tolist(), column, strict=True)) for letter, (ids, column) in columns.items()}
        relations = [
            shapely.geometrycollections([shapes[letter][ref] for letter, ref in of if ref in shapes[letter]])
            for of in members.values()
        ]
        columns["r"] = (np.array([*members], np.int64), np.array(relations, object))
        return tags, columns, members

    def tags(self, letter: str, number: int) -> Mapping[str, str]:
        found: dict[str, str] = self._all[0][letter].get(number, {})
        return found

    def meeting(self, letter: str, shape: Any) -> Found:
        ids, shapes = self._all[1][letter]
        return {(letter, int(number)) for number in ids[shapely.intersects(shape, shapes)]} if len(ids) else set()

    def xml(self, wanted: Found, *, down: bool, base: str, remark: str) -> bytes:
        kept = osmium.IdTracker()
        add = {"n": kept.add_node, "w": kept.add_way, "r": kept.add_relation}
        for letter, number in wanted:
            add[letter](number)
            if down and letter == "r":
                for member, ref in self._all[2][number]:
                    add[member](ref)
        if down:
            kept.complete_backward_references(str(self.path), relation_depth=0)
        with TemporaryDirectory() as folder:
            file = Path(folder) / "answer.osm"
            with osmium.SimpleWriter(str(file)) as writer:
                for each in osmium.FileProcessor(self.path).with_filter(kept.id_filter()):
                    writer.add(each)
            body = file.read_bytes()
        start = body.index(b">", body.index(b"<osm ")) + 1
        meta = f'\n<note>The data is from www.openstreetmap.org, under ODbL.</note>\n<meta osm_base="{base}"/>\n'
        end = f"<remark> {escape(remark)} </remark>\n</osm>\n" if remark else "</osm>\n"
        return (
            b'<osm version="0.6" generator="Overpass">'
            + meta.encode()
            + body[start : body.rindex(b"</osm>")]
            + end.encode()
        )


@dataclass
class OverpassServer:
    """Answers `StandIn`s; `/api/interpreter` takes queries, `/api/status` tells of slots.

    Attributes:
        now: the map as it is.
        then: the map as it was, by moment.
        base: how far the map goes.
        remark: what is remarked about a query, given its text; the empty string for nothing.
        slots: what the status says of them.
    """

    now: Extract
    then: Mapping[str, Extract] = field(default_factory=dict)
    base: str = "2026-11-01T00:00:00Z"
    remark: Callable[[str], str] = lambda _: ""
    slots: str = FREE

    def __call__(self, asked: Asked) -> Answer:
        if asked.path == "/api/status":
            return Answer(body=STATUS.format(slots=self.slots).encode())
        if asked.path != "/api/interpreter" or asked.method != "POST":
            return Answer(404)
        text = asked.body.decode()
        settings = SETTINGS.match(text)
        if not settings:
            return Answer(400, b"<html>parse error</html>")
        moment, remark = settings[1], self.remark(text)
        if moment and moment not in self.then:
            remark = "runtime error: no attic data"
        extract = self.then.get(moment or "", self.now)
        if remark:
            return self._sent(extract.xml(set(), down=False, base=self.base, remark=remark))
        run = _Run(extract, text[settings.end() :])
        return self._sent(extract.xml(run.sets["_"], down=run.down, base=self.base, remark=""))

    @staticmethod
    def _sent(body: bytes) -> Answer:
        return Answer(body=body, headers={"Content-Type": "application/osm3s+xml"})


class _Run:
    """Evaluates statements one after another; `sets` holds the named sets, `_` the last one without a name."""

    def __init__(self, extract: Extract, text: str) -> None:
        self.extract, self.text, self.at = extract, re.sub(r"\s+(?!meta)", "", text), 0
        self.sets: dict[str, Found] = {}
        self.down = False
        while self.at < len(self.text):
            self._statement()

    def _statement(self) -> Found:
        if self._took("("):
            found: Found = set()
            while not self._took(")"):
                found |= self._statement()
        else:
            match = QUERY.match(self.text, self.at)
            assert match, f"no Overpass QL that is understood: {self.text[self.at :]}"
            self.at = match.end()
            found = self._one(match)
        name = re.compile(r"->\.(\w+)").match(self.text, self.at)
        self.at = name.end() if name else self.at
        assert self._took(";"), self.text[self.at :]
        if not (self.down and not found):
            self.sets[name[1] if name else "_"] = found
        return found

    def _took(self, sign: str) -> bool:
        taken = self.text.startswith(sign, self.at)
        self.at += taken * len(sign)
        return taken

    def _one(self, match: re.Match[str]) -> Found:
        if match["out"]:
            return self.sets["_"]
        if match["down"]:
            self.down = True
            return self.sets["_"]
        if match["set"]:
            return self.sets[match["set"]]
        if match["point"]:
            south, west = map(float, match["point"].split(","))
            return self.extract.meeting("a", shapely.Point(west, south))
        letter = match["type"][0]
        if match["pivot"]:
            areas = {number for _, number in self.sets[match["pivot"]]}
            found = {(letter, abs(number)) for number in areas if (number < 0) == (letter == "w")}
        else:
            south, west, north, east = map(float, match["box"].split(","))
            found = self.extract.meeting(letter, shapely.box(west, south, east, north))
        filters = list(FILTER.finditer(match["filters"] + match["more"]))
        return {each for each in found if all(_passes(self.extract.tags(*each), rule) for rule in filters)}


def _passes(tags: Mapping[str, str], rule: re.Match[str]) -> bool:
    if rule["any"]:
        return bool(tags)
    value = tags.get(rule["key"])
    matches = value is not None and (
        value == rule["value"] if rule["how"].endswith("=") else re.search(rule["value"], value) is not None
    )
    return matches != rule["how"].startswith("!")
