"""Croissant metadata: the files and their fields, for machines (MLCommons Croissant 1.0)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pipeline.atomic import write_json
from pipeline.report.croissant_records import distribution, record_sets
from pipeline.report.look import Finished
from pipeline.report.origins import ingredients, licences_of

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


TOLD_FROM: Final[Mapping[str, str]] = {
    "grid": "OpenStreetMap elements measured under each picture",
    "objects": "OpenStreetMap elements measured under each picture, which was taken for the sake of one of them",
    "tiles": "OpenStreetMap elements measured under each picture",
    "skyscript": "the OpenStreetMap tags that are published with each picture",
    "gaia": "the texts and metadata that were published with each picture",
}


def write_croissant(run: Finished) -> Path:
    """Writes croissant.json of a run."""
    made_of = ingredients(run)
    named = ". ".join(f"{each.what}: {each.source or each.attribution or 'unnamed'}" for each in made_of)
    file = run.folder.path / "croissant.json"
    write_json(
        file,
        {
            "@context": CONTEXT,
            "@type": "sc:Dataset",
            "conformsTo": "http://mlcommons.org/croissant/1.0",
            "name": run.info["name"],
            "description": f"Captions of pictures taken from above, told by MapTeller from {TOLD_FROM[run.kind]}. "
                           f"{named}.",
            "license": licences_of(run),
            "creditText": " ".join(each.attribution for each in made_of if each.attribution),
            "version": "1.0.0",
            "datePublished": run.info["started"][:10],
            "keywords": ["remote sensing", *(["OpenStreetMap"] if "osm" in run.origin else []), "image captions"],
            "distribution": distribution(run),
            "recordSet": record_sets(run),
        },
    )  # fmt: skip
    return file
