"""A small county that does not exist: two aerial scenes and the map that belongs to them, made on the spot.

For the demonstration and for tests: nothing is downloaded. Picture and map are drawn from one layout, so that
they agree to the pixel. The map has the habits of real ones: half-filled tags, tunnels, plans, things long gone
or not yet built, boundaries, routes. Somewhere in north-east Iowa, on a September morning.
"""

from dataclasses import dataclass
from pathlib import Path

SCENES = ("m_4309149_nw_15_060_20210914.tif", "m_4309149_ne_15_060_20210914.tif")


@dataclass(frozen=True, slots=True)
class SampleCounty:
    """Where the parts of a made county lie.

    Attributes:
        folder: The folder that holds them all.
        rasters: Two abutting GeoTIFFs, west then east: R, G, B, NIR, uint8, 0.6 m, EPSG:26915.
        extract: The map, an OSM PBF, sorted.
        region: The footprint of the imagery, a GeoJSON polygon in EPSG:4326.
    """

    folder: Path
    rasters: tuple[Path, ...]
    extract: Path
    region: Path


def make_county(folder: Path, seed: int = 7) -> SampleCounty:
    """Make the county; the same seed makes the same files, byte for byte.

    Args:
        folder: Where to write; made if missing, files of an earlier call are replaced whole.
        seed: Decides on outlines, houses, trees, colours and noise; roads and rivers keep their plan.

    Returns:
        The paths of what was written.
    """
    from download.sample.county import lay_out
    from download.sample.osm import write_extract
    from download.sample.picture import draw
    from download.sample.scenes import write_region, write_scenes

    folder.mkdir(parents=True, exist_ok=True)
    rasters = tuple(folder / name for name in SCENES)
    county = SampleCounty(folder, rasters, folder / "county.osm.pbf", folder / "region.geojson")
    layout = lay_out(seed)
    write_scenes(draw(layout, seed), county.rasters)
    write_extract(layout, county.extract, seed)
    write_region(county.region)
    return county
