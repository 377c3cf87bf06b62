"""A surface with a colour and a height for every pixel, and the sun that makes a photograph of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from shapely.geometry.base import BaseGeometry

from download.sample.layout import GSD, HEIGHT_M, WIDTH_M, box, polygons

COLUMNS, ROWS = round(WIDTH_M / GSD), round(HEIGHT_M / GSD)
TILE = 280
PERIOD = 640  # of the finest noise, pixels; nobody sees it come back
OVERSAMPLING = 4

SUN_STEP_M = GSD * 2**0.5  # the sun stands in the south-east: one column and one row towards it
SUN_SLOPE = 0.8  # tangent of its elevation, 39 degrees: a September morning at 43 degrees north
SHADE = np.array([0.66, 0.61, 0.52, 0.68], np.float32)  # light lost in full shadow; the sky gives back blue

Floats = NDArray[np.floating]
Colour = tuple[float, float, float, float]  # red, green, blue, near infrared, 0-255


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of pixels.

    Attributes:
        rows: Rows from the north, a slice.
        columns: Columns from the west, a slice.
    """

    rows: slice
    columns: slice

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.rows.stop - self.rows.start, self.columns.stop - self.columns.start

    @property
    def slices(self) -> tuple[slice, slice]:
        """To index an array with."""
        return self.rows, self.columns

    @property
    def x(self) -> Floats:
        """Pixel centres, metres east of the county's corner, shape (1, columns)."""
        return (np.arange(self.columns.start, self.columns.stop, dtype=np.float32)[None, :] + 0.5) * GSD

    @property
    def y(self) -> Floats:
        """Pixel centres, metres north of the county's corner, shape (rows, 1)."""
        return HEIGHT_M - (np.arange(self.rows.start, self.rows.stop, dtype=np.float32)[:, None] + 0.5) * GSD


def window(geometry: BaseGeometry) -> Window | None:
    """The pixels under a geometry's bounds; None where it is empty or lies outside the picture."""
    if geometry.is_empty:
        return None
    west, south, east, north = geometry.bounds
    rows = slice(max(int((HEIGHT_M - north) / GSD) - 1, 0), min(int((HEIGHT_M - south) / GSD) + 2, ROWS))
    columns = slice(max(int(west / GSD) - 1, 0), min(int(east / GSD) + 2, COLUMNS))
    return Window(rows, columns) if rows.start < rows.stop and columns.start < columns.stop else None


def tiles(geometry: BaseGeometry) -> Iterator[Window]:
    """The pixels under a geometry in pieces of at most `TILE` a side; pieces that it does not touch are left out."""
    whole = window(geometry)
    if whole is None:
        return
    shapely.prepare(geometry)
    for row in range(whole.rows.start, whole.rows.stop, TILE):
        for column in range(whole.columns.start, whole.columns.stop, TILE):
            rows = slice(row, min(row + TILE, whole.rows.stop))
            columns = slice(column, min(column + TILE, whole.columns.stop))
            if max(whole.shape) <= TILE or geometry.intersects(_ground(rows, columns)):
                yield Window(rows, columns)


def coverage(geometry: BaseGeometry, within: Window) -> Floats:
    """How much of each pixel a polygon covers, 0-1, shape (rows, columns), to a sixteenth."""
    rows, columns = within.shape
    if geometry.contains_properly(_ground(within.rows, within.columns)):
        return np.ones(within.shape, np.float32)
    corner = np.array([within.columns.start * GSD, HEIGHT_M - within.rows.start * GSD])
    scale = np.array([1, -1]) * OVERSAMPLING / GSD
    fine = Image.new("L", (columns * OVERSAMPLING, rows * OVERSAMPLING))
    pencil = ImageDraw.Draw(fine)
    for part in polygons(geometry):
        for ring, inside in [(part.exterior, 255), *((hole, 0) for hole in part.interiors)]:
            corners = (shapely.get_coordinates(ring) - corner) * scale - 0.5
            pencil.polygon(corners.ravel().tolist(), fill=inside)
    return np.asarray(fine.reduce(OVERSAMPLING), np.float32) / 255


@dataclass(slots=True)
class Surface:
    """What the painters paint on.

    Attributes:
        rng: The one source of chance of the whole picture.
        albedo: Colour under even light, (rows, columns, 4) uint8.
        height: Metres above ground, (rows, columns).
    """

    rng: np.random.Generator
    albedo: NDArray[np.uint8] = field(init=False)
    height: Floats = field(init=False)
    _fine: dict[float, Floats] = field(init=False)
    _coarse: dict[float, Image.Image] = field(init=False)

    def __post_init__(self) -> None:
        self.albedo = np.zeros((ROWS, COLUMNS, 4), np.uint8)
        self.height = np.zeros((ROWS, COLUMNS), np.float32)
        self._fine = {scale: np.tile(_noise(self.rng, (PERIOD, PERIOD), scale), (2, 2)) for scale in (1.6, 4.0)}
        small = (ROWS // 8, COLUMNS // 8)
        self._coarse = {
            scale: Image.fromarray(_noise(self.rng, small, scale / 8)) for scale in (16.0, 50.0, 160.0, 600.0)
        }

    def grain(self, scale: float, within: Window) -> Floats:
        """Smooth noise of unit deviation whose blotches measure about `scale` pixels."""
        if scale in self._fine:
            row, column = within.rows.start % PERIOD, within.columns.start % PERIOD
            return self._fine[scale][row : row + within.shape[0], column : column + within.shape[1]]
        rows_, columns_ = within.rows, within.columns
        box = (columns_.start / 8, rows_.start / 8, columns_.stop / 8, rows_.stop / 8)
        size = within.shape[::-1]
        return np.asarray(self._coarse[scale].resize(size, Image.Resampling.BILINEAR, box=box))

    def blend(self, within: Window, colour: Floats | Colour, opacity: Floats) -> None:
        """Lay a colour, (4,) or (rows, columns, 4), over a window with an opacity of 0-1 for each pixel."""
        under = self.albedo[within.slices].astype(np.float32)
        under += (np.asarray(colour, np.float32) - under) * opacity[..., None]
        self.albedo[within.slices] = np.clip(under + 0.5, 0, 255, out=under).astype(np.uint8)

    def fill(self, geometry: BaseGeometry, colour: Colour, rough: float = 0.04, opacity: float = 1.0) -> None:
        """Fill a polygon with a colour, roughened by fine and middling noise of that relative strength."""
        for within in tiles(geometry):
            paint: Floats | Colour = colour
            if rough:
                tone = 1 + rough * (self.grain(1.6, within) + 0.6 * self.grain(16.0, within))
                paint = tone[..., None] * np.array(colour, np.float32)
            self.blend(within, paint, opacity * coverage(geometry, within))

    def build(self, geometry: BaseGeometry, height: float) -> None:
        """Raise what a polygon covers to a height in metres."""
        for within in tiles(geometry):
            self.lift(within, geometry, height)

    def lift(self, within: Window, geometry: BaseGeometry, height: Floats | float) -> None:
        """Raise what a polygon covers of a window to heights in metres, (rows, columns)."""
        raised = self.height[within.slices]
        np.copyto(raised, np.maximum(raised, height), where=coverage(geometry, within) > 0.45)

    def pick(self, colours: Sequence[Colour], spread: float = 0.06) -> Colour:
        """One of several colours, a little lighter or darker by chance."""
        red, green, blue, near = colours[int(self.rng.integers(len(colours)))]
        shade = float(self.rng.uniform(1 - spread, 1 + spread))
        return red * shade, green * shade, blue * shade, near * shade

    def crown(self, centre: tuple[float, float], radius: float, height: float, colour: Colour) -> None:
        """Stand a tree on the surface; where crowns meet, the higher one is seen.

        Args:
            centre: Metres east and north.
            radius: Of the crown, metres.
            height: Of the top, metres.
            colour: Of the leaves.
        """
        (x, y), reach = centre, radius * 1.25
        rows = slice(max(int((HEIGHT_M - y - reach) / GSD), 0), min(int((HEIGHT_M - y + reach) / GSD) + 1, ROWS))
        columns = slice(max(int((x - reach) / GSD), 0), min(int((x + reach) / GSD) + 1, COLUMNS))
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return
        within = Window(rows, columns)
        clumps = self.grain(1.6, within)
        away = ((within.x - x) ** 2 + (within.y - y) ** 2) / radius**2 + 0.16 * clumps
        dome = height * (0.45 + 0.55 * np.sqrt(np.clip(1 - away, 0, 1))) + 0.35 * clumps
        seen = (away < 1) & (dome > self.height[within.slices])
        self.height[within.slices][seen] = dome[seen]
        leaves = (1 + 0.08 * clumps[seen])[:, None] * np.array(colour, np.float32)
        self.albedo[within.slices][seen] = np.clip(leaves, 0, 255).astype(np.uint8)

    def photograph(self) -> NDArray[np.uint8]:
        """Light the surface and take its picture: (rows, columns, 4) uint8; red, green, blue, near infrared."""
        picture = np.empty_like(self.albedo)
        shadow = _shadow(self.height)
        grit = 2.2 * self.rng.standard_normal((2 * TILE, 2 * TILE, 4), np.float32)
        for block in tiles(_ground(slice(0, ROWS), slice(0, COLUMNS))):
            rows, columns = block.slices
            halo = Window(
                slice(max(rows.start - 2, 0), min(rows.stop + 2, ROWS)),
                slice(max(columns.start - 2, 0), min(columns.stop + 2, COLUMNS)),
            )
            lit = self._light(halo, shadow[halo.slices])
            inner = slice(rows.start - halo.rows.start, rows.stop - halo.rows.start)
            across = slice(columns.start - halo.columns.start, columns.stop - halo.columns.start)
            south, east = self.rng.integers(TILE, size=2).tolist()
            noise = grit[south:, east:][: block.shape[0], : block.shape[1]]
            seen = 9 + 0.95 * _blur(lit)[inner, across] + noise
            picture[rows, columns] = np.clip(seen + 0.5, 1, 254).astype(np.uint8)
        return picture

    def _light(self, within: Window, shadow: Floats) -> Floats:
        high = np.pad(self.height[within.slices], 1, mode="edge")
        towards_sun = (high[:-2, :-2] - high[2:, 2:]) / (2 * SUN_STEP_M)
        slope = np.clip(1 + 0.75 * np.clip(towards_sun, -0.65, 0.55), 0, 2)
        land = 1 + 0.035 * self.grain(600.0, within) + 0.02 * self.grain(160.0, within)
        light = (slope * land)[..., None] * (1 - shadow[..., None] * SHADE)
        return np.asarray(light * self.albedo[within.slices], np.float32)


def _noise(rng: np.random.Generator, shape: tuple[int, int], scale: float) -> Floats:
    """Periodic Gaussian noise, low-passed at `scale` pixels, of zero mean and unit deviation."""
    spectrum = np.fft.rfft2(rng.standard_normal(shape, np.float32))
    frequency = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None, :])
    smooth = np.fft.irfft2(spectrum * np.exp(-((frequency * scale * 2) ** 2)), shape)
    return np.asarray((smooth - smooth.mean()) / smooth.std(), np.float32)


def _shadow(height: Floats) -> Floats:
    """How deep each pixel lies in cast shadow, 0-1: one sweep from the south-east, each row from the next."""
    drop = SUN_SLOPE * SUN_STEP_M
    edge = np.zeros_like(height)
    ceiling = height[-1].copy()
    for row in range(len(height) - 2, -1, -1):
        arriving = np.append(ceiling[1:], 0) - drop
        edge[row] = np.clip((arriving - height[row]) / 0.9, 0, 1)
        ceiling = np.maximum(arriving, height[row])
    return edge


def _ground(rows: slice, columns: slice) -> BaseGeometry:
    north, south = HEIGHT_M - rows.start * GSD, HEIGHT_M - rows.stop * GSD
    return box(columns.start * GSD, south, columns.stop * GSD, north)


def _blur(light: Floats) -> Floats:
    """The lens: a small binomial kernel over rows and columns."""
    padded = np.pad(light, ((1, 1), (1, 1), (0, 0)), mode="edge")
    rows = 0.2 * padded[:-2] + 0.6 * padded[1:-1] + 0.2 * padded[2:]
    return np.asarray(0.2 * rows[:, :-2] + 0.6 * rows[:, 1:-1] + 0.2 * rows[:, 2:], np.float32)
