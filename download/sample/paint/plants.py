"""Painters of trees, bushes and hedges."""

import numpy as np

from download.sample.layout import Pair, Thing, scatter
from download.sample.paint.colours import LEAVES, NEEDLES
from download.sample.surface import Colour, Surface


def tree(surface: Surface, thing: Thing) -> None:
    """One broad crown."""
    surface.crown((thing.point.x, thing.point.y), thing.width / 2, thing.height, surface.pick(LEAVES, 0.1))


def wood(surface: Surface, thing: Thing) -> None:
    """A closed canopy of broad crowns of many sizes over a dark floor."""
    _canopy(surface, thing, 6.2, (2.2, 7.0), LEAVES)


def conifers(surface: Surface, thing: Thing) -> None:
    """A plantation: small dark crowns close together."""
    _canopy(surface, thing, 4.2, (1.8, 2.6), NEEDLES)


def _canopy(surface: Surface, thing: Thing, spacing: float, radii: Pair, colours: tuple[Colour, ...]) -> None:
    surface.fill(thing.geometry, (58, 70, 48, 104), 0.1)
    small, large = radii
    for at in scatter(surface.rng, thing.geometry.buffer(-small * 0.7), spacing):
        radius = float(small + (large - small) * surface.rng.beta(1.3, 2.2))
        height = thing.height * float(surface.rng.uniform(0.72, 1.0)) * (0.75 + 0.25 * radius / large)
        surface.crown(at, radius, height, surface.pick(colours, 0.1))


def orchard(surface: Surface, thing: Thing) -> None:
    """Fruit trees in rows over mown grass."""
    surface.fill(thing.geometry, (120, 134, 84, 176), 0.05)
    west, south, east, north = thing.geometry.buffer(-4).bounds
    for y in np.arange(south, north, 6.4).tolist():
        for x in np.arange(west, east, 5.2).tolist():
            if surface.rng.random() < 0.95:
                dx, dy, grown = surface.rng.normal(0, (0.25, 0.25, 0.12)).tolist()
                surface.crown((x + dx, y + dy), thing.width / 2 * (1 + grown), thing.height, surface.pick(LEAVES[:3]))


def scrub(surface: Surface, thing: Thing) -> None:
    """Bushes with grass between."""
    surface.fill(thing.geometry, (116, 124, 80, 160), 0.1)
    for at in scatter(surface.rng, thing.geometry, 4.6):
        if surface.rng.random() < 0.75:
            surface.crown(at, float(surface.rng.uniform(0.9, 2.4)), thing.height, surface.pick(LEAVES, 0.12))


def hedge(surface: Surface, thing: Thing) -> None:
    """A clipped hedge."""
    line = thing.geometry.buffer(thing.width / 2)
    surface.fill(line, (66, 92, 52, 172), 0.12)
    surface.build(line, thing.height)
