"""The scribe: from a unit's plans to facts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely

from annotation.facts import FactMaker
from annotation.measure import details
from annotation.request import ElementFacts
from annotation.scene import scene_relations
from annotation.tasks import KINDS, Plan
from pipeline.config import Config
from pipeline.grid import Block
from pipeline.samples import Met, UnitElements, patch_gsd
from pipeline.tables import tag_table, tag_wiki

Subject = tuple[int, ...]
"""Pairs of a unit, by number: one is an element, several are a group."""


@dataclass(frozen=True, slots=True)
class Brief:
    """What is to be told of one patch.

    Attributes:
        plan: the choice that was made.
        told: facts of what the caption is about.
    """

    plan: Plan
    told: tuple[ElementFacts, ...]

    @property
    def patch(self) -> int:
        """Index into the unit's patches."""
        return self.plan.patch

    @property
    def others(self) -> tuple[Subject, ...]:
        """What else is worth knowing of."""
        return tuple(subject for subject in self.plan.candidates if subject not in self.plan.told)


@dataclass(frozen=True, slots=True)
class Scribe:
    """Writes facts of a unit's elements and groups.

    Attributes:
        maker: turns tags and measures into facts.
        elements: the unit's elements.
        met: what of them the patches show.
    """

    maker: FactMaker
    elements: UnitElements
    met: Met

    @classmethod
    def of(cls, config: Config, block: Block, elements: UnitElements, met: Met) -> "Scribe":
        """The scribe of a unit."""
        wiki = tag_wiki(config.tag_wiki)
        return cls(FactMaker(tag_table(config.tags), patch_gsd(block), config.captions.names, wiki), elements, met)

    def briefs(self, plans: Sequence[Plan]) -> list[Brief]:
        """Facts of what the plans tell."""
        subjects = [subject for plan in plans for subject in plan.told]
        facts = iter(self._related(plans, subjects, self.facts(subjects)))
        return [Brief(plan, tuple(next(facts) for _ in plan.told)) for plan in plans]

    def facts(self, subjects: Sequence[Subject]) -> list[ElementFacts]:
        """Facts of elements and groups, all measured in one go."""
        rows = np.array([subject[0] for subject in subjects if len(subject) == 1], dtype=np.int64)
        kinds = np.array(KINDS)[self.elements.kinds[self.met.element[rows]]]
        measured = iter(details(self.met.framed(rows), self.met.matrices[self.met.patch[rows]], kinds))
        return [
            self._element(subject[0], next(measured)) if len(subject) == 1 else self._group(subject)
            for subject in subjects
        ]

    def outline(self, subject: Subject) -> Any:
        """Geometry of an element or a group in the patch's unit frame."""
        shapes = self.met.framed(np.array(subject))
        return shapes[0] if len(shapes) == 1 else shapely.geometrycollections(shapes)

    def _related(
        self, plans: Sequence[Plan], subjects: Sequence[Subject], facts: list[ElementFacts]
    ) -> list[ElementFacts]:
        """The same facts, with relations where several subjects are told together."""
        ends = np.cumsum([len(plan.told) for plan in plans])
        scenes = [range(end - len(plan.told), end) for plan, end in zip(plans, ends.tolist(), strict=True)]
        scenes = [scene for scene in scenes if len(scene) > 1]
        told = {place: row for row, place in enumerate(place for scene in scenes for place in scene)}
        if not told:
            return facts
        shapes = np.array([self.outline(subjects[place]) for place in told], dtype=object)
        matrices = self.met.matrices[self.met.patch[[subjects[place][0] for place in told]]]
        kinds = np.array([facts[place].kind for place in told])
        relations = scene_relations([[told[place] for place in scene] for scene in scenes], shapes, kinds, matrices)
        places = list(told)
        related = list(facts)
        for row, found in relations.items():
            said = [
                {**relation, **{end: facts[places[relation[end]]].id for end in ("to", "and") if end in relation}}
                for relation in found
            ]
            element = facts[places[row]]
            related[places[row]] = replace(element, facts={**element.facts, "relations": said})
        return related

    def _element(self, row: int, measures: dict[str, Any]) -> ElementFacts:
        element = int(self.met.element[row])
        kind = KINDS[self.elements.kinds[element]]
        return self.maker.element(self.elements.ids[element], kind, self.elements.tags[element], measures)

    def _group(self, subject: Subject) -> ElementFacts:
        rows = np.array(subject)
        members = self.met.element[rows].tolist()
        points = shapely.get_coordinates(shapely.centroid(self.met.framed(rows)))
        matrix = self.met.matrices[self.met.patch[rows[0]]]
        share = float(self.met.share[rows].sum())
        area = (share, float(self.met.area_m2[rows].sum())) if share else None
        ids, tags = (
            [self.elements.ids[member] for member in members],
            [self.elements.tags[member] for member in members],
        )
        return self.maker.group(ids, tags, points, matrix, area)
