"""Painters of roads, rails and wires."""

from download.sample.layout import Thing
from download.sample.paint.colours import ASPHALT, CONCRETE, GRAVEL, WHITE
from download.sample.surface import Surface

YELLOW = (206, 178, 84, 140)


def highway(surface: Surface, thing: Thing) -> None:
    """Asphalt between gravel shoulders, with a yellow centre line and worn wheel paths."""
    line, half = thing.line, thing.width / 2
    surface.fill(line.buffer(half + 1.7, cap_style="flat"), (160, 152, 126, 140), 0.08, 0.85)
    surface.fill(line.buffer(half, cap_style="flat"), ASPHALT, 0.03)
    for side in (-1, 1):
        wheel = line.offset_curve(side * half * 0.5).buffer(0.9, cap_style="flat")
        surface.fill(wheel, (104, 104, 107, 84), 0.03, 0.4)
        surface.fill(line.offset_curve(side * (half - 0.35)).buffer(0.22), WHITE, 0.0, 0.55)
    surface.fill(line.buffer(0.3, cap_style="flat"), YELLOW, 0.0, 0.75)


def street(surface: Surface, thing: Thing) -> None:
    """Old asphalt with sealed cracks and a concrete kerb."""
    surface.fill(thing.line.buffer(thing.width / 2 + 0.7), CONCRETE, 0.04, 0.6)
    surface.fill(thing.line.buffer(thing.width / 2), (138, 137, 135, 108), 0.05)
    middle = thing.line.buffer(0.35, cap_style="flat")
    surface.fill(middle, (100, 100, 102, 80), 0.1, 0.4)


def gravel(surface: Surface, thing: Thing) -> None:
    """A gravel road: pale, with darker wheel paths."""
    surface.fill(thing.line.buffer(thing.width / 2), GRAVEL, 0.05)
    for side in (-1, 1):
        wheel = thing.line.offset_curve(side * thing.width * 0.22).buffer(0.5)
        surface.fill(wheel, (204, 194, 170, 148), 0.04, 0.7)


def track(surface: Surface, thing: Thing) -> None:
    """Two ruts of bare earth with grass between."""
    surface.fill(thing.line.buffer(thing.width / 2 + 0.6), (134, 132, 92, 158), 0.1, 0.8)
    for side in (-1, 1):
        surface.fill(thing.line.offset_curve(side * 0.95).buffer(0.62), (184, 164, 126, 132), 0.06, 0.9)


def drive(surface: Surface, thing: Thing) -> None:
    """A driveway: concrete, asphalt or gravel."""
    colour = [CONCRETE, GRAVEL, ASPHALT][int(surface.rng.choice(3, p=[0.55, 0.25, 0.2]))]
    surface.fill(thing.line.buffer(thing.width / 2, cap_style="flat"), colour, 0.04)


def path(surface: Surface, thing: Thing) -> None:
    """A footpath of fine gravel."""
    surface.fill(thing.line.buffer(thing.width / 2), (196, 182, 150, 142), 0.06, 0.9)


def rail(surface: Surface, thing: Thing) -> None:
    """Ballast, dark ties, two bright rails."""
    line = thing.line
    surface.fill(line.buffer(thing.width / 2 + 1.2, cap_style="flat"), (150, 142, 124, 128), 0.12, 0.7)
    surface.fill(line.buffer(thing.width / 2, cap_style="flat"), (134, 126, 118, 106), 0.08)
    surface.fill(line.buffer(1.3, cap_style="flat"), (96, 88, 82, 84), 0.1, 0.8)
    for side in (-0.72, 0.72):
        surface.fill(line.offset_curve(side).buffer(0.2, cap_style="flat"), (190, 186, 180, 140), 0.0, 0.7)
    if thing.height:
        surface.build(line.buffer(thing.width / 2, cap_style="flat"), thing.height)


def bridge(surface: Surface, thing: Thing) -> None:
    """A concrete deck with parapets, above the water."""
    deck = thing.line.buffer(thing.width / 2, cap_style="flat")
    surface.fill(deck, WHITE, 0.02)
    surface.fill(thing.line.buffer(thing.width / 2 - 0.8, cap_style="flat"), (160, 158, 154, 118), 0.02)
    surface.fill(thing.line.buffer(0.3, cap_style="flat"), YELLOW, 0.0, 0.7)
    surface.build(deck, thing.height)


def wires(surface: Surface, thing: Thing) -> None:
    """Three conductors, only just to be seen."""
    for side in (-3.5, 0.0, 3.5):
        wire = thing.line.offset_curve(side) if side else thing.line
        surface.fill(wire.buffer(0.16), (210, 210, 208, 170), 0.0, 0.22)
