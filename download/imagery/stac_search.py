"""Asking STAC APIs for items: with pystac-client, but over `Web`, and each question once.

pystac-client gives `urllib3` a number of tries, which repeats neither a POST (that is what a search is) nor an answer
of status 502, 503 or 504, nor one that breaks off (https://github.com/stac-utils/pystac-client/issues/791). So its
input and output are replaced: `Web` repeats, waits as it is told, counts bytes, and keeps secrets out of messages.
"""

import json
import warnings
from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from download.cache import Cache
from download.errors import DownloadError, PassingError
from download.web import Web, shown

Item = dict[str, Any]
"""What is kept of an item: `id`, `geometry`, `properties`, and the wanted one of its `assets`."""

PAGE = 100
KEPT = ("id", "geometry", "bbox", "properties")


def search(
    web: Web,
    url: str,
    collection: str,
    dates: tuple[date, date],
    area: BaseGeometry,
    query: Mapping[str, Any],
    asset: str,
) -> list[Item]:
    """All items of a collection that touch an area and lie in a span of days, as they were when first asked for.

    Args:
        web: the way there.
        url: of the API's landing page.
        collection: its id.
        dates: first and last day.
        area: in degrees.
        query: conditions on properties (STAC API query extension), such as `{"eo:cloud_cover": {"lt": 10}}`.
        asset: key of the one that is kept; items without it are left out.

    Raises:
        DownloadError: pystac-client is missing, the API cannot be had, or is none.
    """
    asked = {
        "collections": [collection],
        "datetime": "/".join(day.isoformat() for day in dates),
        "intersects": mapping(area),
        "query": dict(query),
    }
    key = ("stac", shown(url), asset, json.dumps(asked, sort_keys=True))
    found = Cache.usual().content(
        key, ".json", shown(url), lambda: json.dumps([_reduced(item, asset) for item in _ask(web, url, asked)]).encode()
    )
    items: list[Item] = json.loads(found)
    return [item for item in items if asset in item["assets"]]


def _ask(web: Web, url: str, asked: dict[str, Any]) -> list[Item]:
    try:
        from pystac.errors import STACError, STACTypeError
        from pystac_client import Client
        from pystac_client.errors import ClientTypeError
        from pystac_client.exceptions import APIError, ParametersError
    except ImportError:
        raise DownloadError("kind: stac needs pystac-client. Install it: pip install 'mapteller[stac]'") from None
    wanted = {name: value for name, value in asked.items() if value}
    wrong = (STACError, STACTypeError, ClientTypeError, APIError, ParametersError)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about conformance that an API does not declare; a search tells
            client = Client.open(url, stac_io=_over(web))
            return list(client.search(method="POST", limit=PAGE, **wanted).items_as_dicts())
    except (*wrong, NotImplementedError, KeyError, TypeError, ValueError) as error:
        raise DownloadError(
            f"{shown(url)} is no STAC API that can be searched ({type(error).__name__}). samples.imagery.url must be "
            "the address of its landing page, such as https://earth-search.aws.element84.com/v1."
        ) from error


def _over(web: Web) -> Any:
    """The input and output of pystac-client, done by `Web`."""
    from pystac_client.stac_api_io import StacApiIO

    class WebIO(StacApiIO):
        def request(
            self,
            href: str,
            method: str | None = None,
            headers: dict[str, str] | None = None,
            parameters: dict[str, Any] | None = None,
        ) -> str:
            def check(body: bytes, _: Mapping[str, str]) -> None:
                if not _is_object(body):
                    raise PassingError(f"{shown(href)} answered with something else than JSON")

            if (method or "GET").upper() == "POST":
                sent = {**(headers or {}), "Content-Type": "application/json"}
                return web.post(href, json.dumps(parameters).encode(), check, sent).decode()
            joint = "&" if urlsplit(href).query else "?"
            return web.get(f"{href}{joint}{urlencode(parameters)}" if parameters else href, check, headers).decode()

    return WebIO(max_retries=None)


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except ValueError:
        return False


def _reduced(item: Item, asset: str) -> Item:
    """Without the hundred other things that items carry, and without what may be a token behind the address."""
    kept = {name: item.get(name) for name in KEPT}
    if asset not in item["assets"]:
        return {**kept, "assets": {}}
    wanted = dict(item["assets"][asset])
    parts = urlsplit(wanted["href"])
    wanted["href"] = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    wanted["had_query"] = bool(parts.query)
    return {**kept, "assets": {asset: wanted}}
