"""The village's lots: lawns, houses, driveways, sheds, pools, trees."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from shapely import LineString, Point, Polygon
from shapely.geometry.base import BaseGeometry

from download.sample.layout import Thing, box, rectangle, tagged
from download.sample.roads import MAIN_STREET_Y, STREETS_X, STREETS_Y

SETBACK_M = 15.0
ROWS = {
    STREETS_Y[0]: "1st Street",
    STREETS_Y[1]: "2nd Street",
    MAIN_STREET_Y: "Main Street",
    STREETS_Y[2]: "Třebíč Street",
}
PUBLIC = {0, 2, 3, 4}  # columns of the blocks north of Main Street that hold no houses


@dataclass(frozen=True, slots=True)
class Lot:
    """Ground of one house.

    Attributes:
        ground: The lot.
        street: y of the street that the house faces, metres.
        number: Of the house.
    """

    ground: Polygon
    street: float
    number: int

    @property
    def back(self) -> int:
        """The way from the street into the lot: 1 north, -1 south."""
        return 1 if self.ground.centroid.y > self.street else -1


def homes(rng: np.random.Generator) -> list[Thing]:
    """What stands on every lot; much of what is small is not on the map."""
    return [thing for lot in _lots(rng) for thing in _home(rng, lot)]


def _blocks() -> Iterator[tuple[float, float, float, float]]:
    columns = list(enumerate(pairwise((1408.0, *STREETS_X))))
    for south, north in pairwise(ROWS):
        for column, (west, east) in columns:
            if south != MAIN_STREET_Y or column not in PUBLIC:
                yield west, south, east, north
    for _, (west, east) in columns[2:]:
        yield west, STREETS_Y[2], east, STREETS_Y[2] + 100


def _lots(rng: np.random.Generator) -> Iterator[Lot]:
    for west, south, east, north in _blocks():
        middle = (south + north) / 2
        count = int((east - west - 10) / rng.uniform(19, 26))
        for place, (left, right) in enumerate(pairwise(np.linspace(west + 5, east - 5, count + 1).tolist())):
            number = int(west) // 10 * 2 + 2 * place
            yield Lot(box(left, south + 5, right, middle), south, number)
            if north in ROWS:
                yield Lot(box(left, middle, right, north - 5), north, number + 1)


def _home(rng: np.random.Generator, lot: Lot) -> list[Thing]:
    lawn = Thing(lot.ground, {}, "lawn")
    if rng.random() < 0.05:
        return [lawn]
    house = _house(rng, lot)
    west, _, east, _ = lot.ground.bounds
    side = east - 3.5 if house.polygon.centroid.x < (west + east) / 2 else west + 3.5
    depth = lot.street + lot.back * rng.uniform(17, 30)
    drive = LineString([(side, lot.street), (side, depth - lot.back * 3)])
    mapped = tagged("highway=service; service=driveway") if rng.random() < 0.35 else {}
    things = [lawn, house, Thing(drive, mapped, "drive", 3.0)]
    garage = rectangle((side, depth), 6.6, 5.6, 90)
    if not house.newer and not garage.buffer(1).intersects(house.geometry):
        mapped = tagged("building=garage") if rng.random() < 0.5 else {}
        things.append(Thing(garage, mapped, "gable", height=3.4))
    built = shapely.union_all([house.geometry, garage, drive.buffer(1.5)])
    return things + _garden(rng, lot, built)


def _house(rng: np.random.Generator, lot: Lot) -> Thing:
    west, _, east, _ = lot.ground.bounds
    wide = min(rng.uniform(11, 15), east - west - 6)
    centre = ((west + east) / 2 + rng.uniform(-1, 1), lot.street + lot.back * (SETBACK_M + rng.uniform(0, 3)))
    turn = rng.normal(0, 1.5)
    if rng.random() < 0.7:
        walls = rectangle(centre, wide, rng.uniform(8, 10), turn)
    else:
        walls = rectangle(centre, rng.uniform(11, 13), wide * 0.75, 90 + turn)
    if rng.random() < 0.03:
        return Thing(walls, tagged("building=house; start_date=2023"), newer=True)
    look = "gable" if rng.random() < 0.75 else "hip"
    return Thing(walls, _house_tags(rng, lot), look, height=rng.uniform(4.5, 7.0))


def _house_tags(rng: np.random.Generator, lot: Lot) -> dict[str, str]:
    kinds = ("yes", "house", "detached")
    tags = {"building": kinds[int(rng.choice(3, p=[0.4, 0.4, 0.2]))]}
    if rng.random() < 0.4:
        tags |= {"addr:housenumber": str(lot.number), "addr:street": ROWS[lot.street], "addr:city": "Telč Springs"}
    if rng.random() < 0.25:
        tags["building:levels"] = str(int(rng.integers(1, 3)))
    if rng.random() < 0.1:
        tags["source"] = "Bing"
    return tags


def _garden(rng: np.random.Generator, lot: Lot, built: BaseGeometry) -> list[Thing]:
    west, south, east, north = lot.ground.bounds
    behind = ((west + east) / 2, north - 9 if lot.back > 0 else south + 9)
    things = []
    chance = rng.random()
    pool = rectangle(behind, 9, 4.6, 90.0 * rng.integers(2))
    deck = pool.buffer(1.6, join_style="mitre")
    if chance < 0.12 and not deck.intersects(built):
        mapped = tagged("leisure=swimming_pool") if rng.random() < 0.8 else {}
        things += [Thing(deck, {}, "paving"), Thing(pool, mapped, "pool")]
        built = built.union(deck)
    elif chance > 0.6:
        things.append(Thing(rectangle(behind, 8, 5).difference(built), {}, "garden"))
    for _ in range(int(rng.integers(2, 8))):
        place = Point(rng.uniform(west + 2, east - 2), rng.uniform(south + 2, north - 2))
        width = 4 + 8 * rng.beta(1.4, 1.8)
        if built.distance(place) > width * 0.42:
            mapped = tagged("natural=tree") if rng.random() < 0.12 else {}
            things.append(Thing(place, mapped, "tree", width, width * 1.1))
    return things
