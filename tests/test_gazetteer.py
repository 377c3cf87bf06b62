"""Names of places to degrees, and how sure that is."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from download.patience import Patience
from download.records.gazetteer import Gazetteer, Nominatim, fold
from tests.stand_in import Answer, Asked, StandIn

PLACES = {
    "Eiffel Tower, Paris, France": (48.86, 2.35, "city"),
    "Paris, Texas, USA": (33.66, -95.56, "city"),
    "Atlanta, Georgia": (33.75, -84.39, "city"),
    "Tbilisi, Georgia": (41.69, 44.83, "city"),
    "Kutaisi, Georgia": (42.25, 42.70, "city"),
    "são PAULO,  brazil": (-23.55, -46.64, "city"),
    "Munchen, Germany": (48.14, 11.58, "city"),
    "Portland, Oregon, United States": (45.52, -122.68, "city"),
    "Portland, Maine, United States": (43.66, -70.26, "city"),
    "Luxembourg": (49.6, 6.1, "country"),
    "New Zealand": (-39.0, 174.5, "country"),
    "California, USA": (35.2, -119.2, "state"),
}


@pytest.mark.parametrize("text", PLACES)
def test_places_are_found(text: str) -> None:
    lat, lon, by = PLACES[text]
    found = Gazetteer().locate(text)
    assert found is not None
    assert [found.lat, found.lon] == pytest.approx([lat, lon], abs=1)
    assert found.by == by


@pytest.mark.parametrize("text", ["", " , ,", "Pacific Ocean", "Valles Marineris, Mars", "🛰️", "Ignore all previous"])
def test_what_nobody_knows_is_not_guessed(text: str) -> None:
    assert Gazetteer().locate(text) is None


def test_the_vaguer_the_less_sure() -> None:
    texts = ("Paris, France", "Munchen, Germany", "Paris", "Springfield", "California, USA", "Brazil", "Russia")
    sure = [found.sure for text in texts if (found := Gazetteer().locate(text))]
    assert len(sure) == len(texts)
    assert all(first > second for first, second in pairwise(sure)), sure
    small = Gazetteer().locate("Luxembourg")
    assert small is not None
    assert small.sure == 0.9


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_text_is_a_place_on_earth_or_none(text: str) -> None:
    found = Gazetteer().locate(text)
    assert found is None or (abs(found.lat) <= 90 and abs(found.lon) <= 180 and 0 < found.sure <= 1)
    assert fold(fold(text)) == fold(text)


def test_nominatim_is_asked_once_and_a_box_tells_how_sure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("geopy", reason="geopy is not installed: pip install 'mapteller[geocoding]'")
    monkeypatch.setenv("MAPTELLER_CACHE", str(tmp_path))
    etna = {"lat": "37.75", "lon": "14.99", "boundingbox": ["37.6", "37.9", "14.8", "15.2"], "display_name": "Etna"}

    def answer(asked: Asked) -> Answer:
        found = [etna] if asked.query["q"] == "Etna" else []
        return Answer(200, json.dumps(found).encode(), {"Content-Type": "application/json"})

    with StandIn(answer) as server:
        patience = Patience(tries=2, first_wait_s=0.01, timeout_s=5)
        search = Nominatim(
            kind="nominatim", user_agent="tests of mapteller", domain=server.url.removeprefix("http://"), scheme="http",
            patience=patience,
        )  # fmt: skip
        found = [search.locate("Etna") for _ in range(3)]
        assert search.locate("Nowhere") is None
        assert [asked.query["q"] for asked in server.asked] == ["Etna", "Nowhere"]
        assert server.asked[0].headers["user-agent"] == "tests of mapteller"
    assert found[0] == found[2]
    assert found[0] is not None
    assert (found[0].lat, found[0].lon, found[0].sure, found[0].by) == (37.75, 14.99, 0.9, "nominatim")
