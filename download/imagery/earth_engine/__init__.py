"""Scenes from Google Earth Engine."""

from download.imagery.earth_engine.collections import COLLECTIONS, Collection
from download.imagery.earth_engine.credentials import credentials_found
from download.imagery.earth_engine.imagery import EarthEngineImagery

__all__ = ["COLLECTIONS", "Collection", "EarthEngineImagery", "credentials_found"]
