"""Colours that several painters share: red, green, blue, near infrared, as albedo of 0-255."""

from download.sample.surface import Colour

GRASS: Colour = (120, 128, 92, 170)
EARTH: Colour = (168, 148, 118, 124)
ASPHALT: Colour = (122, 122, 124, 98)
GRAVEL: Colour = (188, 176, 150, 136)
CONCRETE: Colour = (196, 192, 182, 140)
WHITE: Colour = (236, 236, 232, 190)

CROPS: dict[str, Colour] = {
    "corn": (126, 122, 82, 150),
    "soybean": (154, 148, 94, 172),
    "hay": (98, 124, 80, 202),
    "stubble": (180, 162, 122, 126),
    "pasture": (124, 132, 90, 166),
}
LEAVES: tuple[Colour, ...] = (
    (84, 100, 66, 176),
    (76, 94, 62, 184),
    (90, 106, 70, 190),
    (96, 106, 68, 180),
    (112, 110, 70, 172),
    (72, 90, 60, 168),
    (80, 98, 64, 178),
    (68, 86, 58, 170),
)
NEEDLES: tuple[Colour, ...] = ((52, 76, 52, 132), (46, 70, 50, 124), (58, 80, 54, 138))
SHINGLES: tuple[Colour, ...] = (
    (124, 120, 118, 108),
    (98, 96, 98, 88),
    (146, 128, 112, 122),
    (128, 104, 90, 112),
    (152, 96, 80, 118),
    (168, 160, 148, 132),
    (112, 118, 120, 104),
    (178, 174, 168, 140),
)
SHEETS: tuple[Colour, ...] = ((212, 214, 216, 186), (196, 200, 204, 172), (150, 166, 158, 140))
MEMBRANES: tuple[Colour, ...] = (
    (206, 204, 198, 160),
    (178, 176, 172, 142),
    (150, 148, 146, 122),
    (196, 190, 178, 152),
)
CARS: tuple[Colour, ...] = (
    (226, 226, 226, 190),
    (60, 62, 66, 58),
    (150, 152, 156, 120),
    (150, 44, 40, 90),
    (52, 72, 120, 70),
    (30, 32, 34, 40),
)


def shaded(colour: Colour, factor: float) -> Colour:
    """The same colour, lighter or darker."""
    red, green, blue, near = colour
    return min(red * factor, 250), min(green * factor, 250), min(blue * factor, 250), min(near * factor, 250)
