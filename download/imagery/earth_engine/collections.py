"""Collections that are ready to use: the ten that SkyScript (AAAI 2024) draws from.

Ground sample distances are SkyScript's. Bands, value ranges and credit lines follow the Earth Engine Data Catalog
(https://developers.google.com/earth-engine/datasets/catalog), whose page on a collection has the last word on its
terms; a configuration can set each of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

PUBLIC_DOMAIN = "public domain"
CC_BY = "CC-BY-4.0"


@dataclass(frozen=True, slots=True)
class Collection:
    """What is known of an image collection.

    Attributes:
        gsd: finest and coarsest nominal metres per pixel.
        licence: of the imagery.
        attribution: credit line of the imagery.
        bands: names of red, green and blue.
        stretch: values shown as black and white, where data is not 8 bit or does not fill its 8 bits.
        masked: whether pixels inside a footprint may be missing.
    """

    gsd: tuple[float, float]
    licence: str
    attribution: str
    bands: tuple[str, str, str] = ("R", "G", "B")
    stretch: tuple[float, float] | None = None
    masked: bool = False


LANDSAT = Collection(
    gsd=(30, 30),
    licence=PUBLIC_DOMAIN,
    attribution="Landsat imagery courtesy of the U.S. Geological Survey",
    bands=("B4", "B3", "B2"),
    stretch=(0, 0.4),
    masked=True,
)

COLLECTIONS: Mapping[str, Collection] = {
    "Switzerland/SWISSIMAGE/orthos/10cm": Collection(
        gsd=(0.1, 0.25),
        licence="swisstopo open data (source has to be named)",
        attribution="© Federal Office of Topography swisstopo",
        masked=True,
    ),
    "Spain/PNOA/PNOA10": Collection(
        gsd=(0.1, 0.1), licence=CC_BY, attribution="PNOA, CC-BY 4.0 scne.es, IGN Spain", masked=True
    ),
    "Germany/Brandenburg/orthos/20cm": Collection(
        gsd=(0.2, 0.2), licence="dl-de/by-2-0", attribution="© GeoBasis-DE/LGB, dl-de/by-2-0, changed", masked=True
    ),
    "Finland/SMK/V/50cm": Collection(
        gsd=(0.5, 0.5), licence=CC_BY, attribution="© National Land Survey of Finland, orthophotos", masked=True
    ),
    "USDA/NAIP/DOQQ": Collection(
        gsd=(0.3, 2), licence=PUBLIC_DOMAIN, attribution="USDA Farm Production and Conservation, NAIP"
    ),
    "SKYSAT/GEN-A/PUBLIC/ORTHO/RGB": Collection(
        gsd=(0.8, 0.8), licence=CC_BY, attribution="© Planet Labs PBC", stretch=(11, 190), masked=True
    ),
    "SKYSAT/GEN-A/PUBLIC/ORTHO/MULTISPECTRAL": Collection(
        gsd=(2, 2), licence=CC_BY, attribution="© Planet Labs PBC", stretch=(200, 6000), masked=True
    ),
    "COPERNICUS/S2_SR_HARMONIZED": Collection(
        gsd=(10, 10),
        licence="Copernicus Sentinel data terms",
        attribution="contains modified Copernicus Sentinel data",
        bands=("B4", "B3", "B2"),
        stretch=(0, 3000),
        masked=True,
    ),
    "LANDSAT/LC08/C02/T1_TOA": LANDSAT,
    "LANDSAT/LC09/C02/T1_TOA": LANDSAT,
}
"""By id. SkyScript's code calls the Swiss one ORTHO/Switzerland/SWISSIMAGE/10cm."""
