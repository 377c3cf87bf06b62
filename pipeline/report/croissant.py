"""Croissant metadata: the shards and their fields, for machines (MLCommons Croissant 1.0)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pipeline.atomic import write_json
from pipeline.report.card import licences_of
from pipeline.report.look import Finished

CONTEXT: Final[Mapping[str, Any]] = {
    "@language": "en", "@vocab": "https://schema.org/", "citeAs": "cr:citeAs", "column": "cr:column",
    "conformsTo": "dct:conformsTo", "cr": "http://mlcommons.org/croissant/", "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"}, "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/", "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract", "field": "cr:field", "fileProperty": "cr:fileProperty", "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet", "format": "cr:format", "includes": "cr:includes", "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath", "key": "cr:key", "md5": "cr:md5", "parentField": "cr:parentField", "path": "cr:path",
    "recordSet": "cr:recordSet", "references": "cr:references", "regex": "cr:regex", "repeated": "cr:repeated",
    "replace": "cr:replace", "sc": "https://schema.org/", "separator": "cr:separator", "source": "cr:source",
    "subField": "cr:subField", "transform": "cr:transform",
}  # fmt: skip
"""The JSON-LD context that the specification prescribes."""

FIELDS = (
    ("patch_id", "$.metadata.patch_id", "sc:Integer", False, "unique in the dataset"),
    ("image_name", "$.metadata.image_name", "sc:Text", False, "the scene that the picture was cut from"),
    ("bounds", "$.metadata.bounds[*]", "sc:Float", True, "west, south, east, north in degrees (EPSG:4326)"),
    ("crs", "$.metadata.crs", "sc:Text", False, "coordinate reference system of the scene"),
    ("gsd", "$.metadata.gsd", "sc:Float", False, "metres per pixel"),
    ("acquired", "$.metadata.acquired", "sc:Date", False, "when the picture was taken"),
    ("split", "$.metadata.split", "sc:Text", False, "train, validation or test"),
    ("elements", "$.elements[*].id", "sc:Text", True, "OpenStreetMap elements under the picture"),
    ("captions", "$.annotations[*].text", "sc:Text", True, "captions"),
    ("tasks", "$.annotations[*].task", "sc:Integer", True, "1 area, 2 non-area, 3 revision, 4 scene"),
    ("annotators", "$.annotations[*].annotator", "sc:Text", True, "who wrote each caption"),
)
"""Name, place in a sample's JSON, type, whether there are several, and meaning."""

MEDIA = {"jpg": "image/jpeg", "png": "image/png"}


def write_croissant(run: Finished) -> Path:
    """Writes croissant.json of a run."""
    image = str(run.info["config"]["output"]["image"])
    imagery, osm = run.origin["imagery"], run.origin["osm"]
    file = run.folder.path / "croissant.json"
    description = (
        f"Pictures taken from above with captions that MapTeller told from OpenStreetMap elements. "
        f"Imagery: {imagery.get('source') or 'unnamed'}. Map: {osm['attribution']}."
    )
    write_json(
        file,
        {
            "@context": CONTEXT,
            "@type": "sc:Dataset",
            "conformsTo": "http://mlcommons.org/croissant/1.0",
            "name": run.info["name"],
            "description": description,
            "license": licences_of(run),
            "creditText": f"{imagery.get('attribution') or ''} {osm['attribution']}".strip(),
            "version": "1.0.0",
            "datePublished": run.info["started"][:10],
            "keywords": ["remote sensing", "OpenStreetMap", "image captions"],
            "distribution": [*_shards(run), _files("pictures", f"*.{image}", MEDIA[image], run),
                             _files("descriptions", "*.json", "application/json", run)],
            "recordSet": [_pictures(image), _samples()],
        },
    )  # fmt: skip
    return file


def _shards(run: Finished) -> list[dict[str, Any]]:
    return [
        {"@type": "cr:FileObject", "@id": line["file"], "name": line["file"], "contentUrl": f"shards/{line['file']}",
         "contentSize": f"{line['bytes']} B", "encodingFormat": "application/x-tar", "sha256": line["sha256"]}
        for line in run.shards
    ]  # fmt: skip


def _files(name: str, pattern: str, media: str, run: Finished) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet", "@id": name, "name": name, "encodingFormat": media, "includes": pattern,
        "containedIn": [{"@id": line["file"]} for line in run.shards],
    }  # fmt: skip


def _key(files: str, ending: str) -> dict[str, Any]:
    return {
        "fileSet": {"@id": files},
        "extract": {"fileProperty": "filename"},
        "transform": {"regex": rf"^([0-9]+)\.{ending}$"},
    }


def _pictures(image: str) -> dict[str, Any]:
    content = {"fileSet": {"@id": "pictures"}, "extract": {"fileProperty": "content"}}
    return {
        "@type": "cr:RecordSet", "@id": "picture", "name": "picture", "key": {"@id": "picture/key"},
        "field": [_field("picture/key", "sc:Text", "the patch id", _key("pictures", image)),
                  _field("picture/content", "sc:ImageObject", "the picture, north up", content)],
    }  # fmt: skip


def _samples() -> dict[str, Any]:
    key = _field("sample/key", "sc:Text", "the patch id, which leads to the picture", _key("descriptions", "json"))
    fields = []
    for name, place, kind, repeated, meaning in FIELDS:
        field = _field(
            f"sample/{name}", kind, meaning, {"fileSet": {"@id": "descriptions"}, "extract": {"jsonPath": place}}
        )
        fields.append({**field, "repeated": True} if repeated else field)
    return {
        "@type": "cr:RecordSet", "@id": "sample", "name": "sample", "key": {"@id": "sample/key"},
        "field": [{**key, "references": {"field": {"@id": "picture/key"}}}, *fields],
    }  # fmt: skip


def _field(name: str, kind: str, description: str, source: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": name,
        "name": name,
        "description": description,
        "dataType": kind,
        "source": source,
    }
