"""Measures in metres on the ground, whatever the raster's CRS: against geodesics on the ellipsoid."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from pyproj import Geod, Transformer

from annotation.measure import details
from annotation.tags import TagTable
from annotation.tasks import KINDS
from download.imagery.local import LocalImagery
from download.osm.extract import OsmExtract
from download.sample import SampleCounty
from pipeline.elements import ElementStore, write_elements
from pipeline.grid import PatchGrid, blocks, lay
from pipeline.samples import meet, patch_gsd, unit_elements

GEOD = Geod(ellps="WGS84")


@pytest.fixture(scope="module")
def store(county: SampleCounty, tmp_path_factory: pytest.TempPathFactory) -> ElementStore:
    target = tmp_path_factory.mktemp("map") / "elements.parquet"
    write_elements(OsmExtract(path=county.extract), TagTable.load(), target)
    return ElementStore(target)


def _raster(file: Path, crs: str, county: SampleCounty, pixel: tuple[float, float]) -> Path:
    """A picture of nothing over the middle of the county."""
    with rasterio.open(county.rasters[0]) as scene:
        middle = scene.transform @ (scene.width / 2, scene.height / 2)
        x, y = Transformer.from_crs(scene.crs, crs, always_xy=True).transform(*middle)
    place = rasterio.Affine(pixel[0], 0, x - 450 * pixel[0], 0, -pixel[1], y + 450 * pixel[1])
    profile = {"driver": "GTiff", "width": 900, "height": 900, "count": 3, "dtype": "uint8", "crs": crs}
    with rasterio.open(file, "w", **profile, transform=place) as target:
        target.write(np.full((3, 900, 900), 90, dtype=np.uint8))
    return file


@pytest.mark.parametrize(
    ("crs", "pixel"),
    [
        ("EPSG:26915", (1.0, 1.0)),
        ("EPSG:3857", (1.4, 1.4)),
        ("EPSG:4326", (1.2e-5, 9e-6)),
        ("EPSG:5070", (1.0, 1.0)),
        ("EPSG:3418", (3.0, 3.0)),  # Iowa South, US survey feet
        ("ESRI:102008", (1.0, 1.0)),
    ],
)
def test_lengths_and_areas_are_geodesic(
    crs: str, pixel: tuple[float, float], county: SampleCounty, store: ElementStore, tmp_path: Path
) -> None:
    (scene,) = LocalImagery(kind="local", path=_raster(tmp_path / "r.tif", crs, county, pixel)).scenes()
    (block,) = blocks([scene], PatchGrid(size=300))
    patches = lay(block, seed=0)
    elements = unit_elements(store, patches, block, None)
    met = meet(block, patches, elements)
    rows = np.arange(len(met.patch))
    facts = details(met.framed(rows), met.matrices[met.patch], np.array(KINDS)[elements.kinds[met.element]])
    back = Transformer.from_crs(scene.crs, "EPSG:4326", always_xy=True)
    compared = 0
    for row, told in zip(rows.tolist(), facts, strict=True):
        lonlat = shapely.transform(
            shapely.segmentize(met.clipped[row], 5 * pixel[0]), lambda xy: np.column_stack(back.transform(*xy.T))
        )
        if "area_m2" in told and lonlat.geom_type == "Polygon" and told["area_m2"] > 200:
            area, _ = GEOD.geometry_area_perimeter(shapely.orient_polygons(lonlat))
            assert told["area_m2"] == pytest.approx(abs(area), rel=1e-3)
            compared += 1
        if "length_m" in told and told["length_m"] > 100:
            assert told["length_m"] == pytest.approx(GEOD.geometry_length(lonlat), rel=1e-3)
            compared += 1
    assert compared > 60
    assert abs(patch_gsd(block) - np.sqrt(np.prod(scene.gsd))) < 1e-9
