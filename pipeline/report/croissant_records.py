"""Files and records of each output, as Croissant describes them."""

from collections.abc import Iterator, Mapping
from hashlib import file_digest
from typing import Any, Final

from annotation.request import TASKS
from pipeline.report.look import Finished
from pipeline.report.outputs import FILES, MEDIA, split_files
from pipeline.writers.git10m import COLUMNS

TYPES: Final[Mapping[str, str]] = {"string": "sc:Text", "double": "sc:Float", "int64": "sc:Integer"}
"""By Arrow's names."""
IMAGES: Final[Mapping[str, str]] = {"jpg": "image/jpeg", "png": "image/png"}
NUMBERS = ", ".join(f"{number} {task.replace('_', '-')}" for task, number in TASKS.items())

METADATA = (
    ("patch_id", "sc:Integer", "unique in the dataset"),
    ("image_name", "sc:Text", "the scene that the picture was cut from, or the name of the published picture"),
    ("filepath", "sc:Text", "the picture's path as published"),
    ("title", "sc:Text", "the title as published, of the object in the middle"),
    ("bounds", "sc:Float", "west, south, east, north in degrees (EPSG:4326)"),
    ("crs", "sc:Text", "coordinate reference system of the scene"),
    ("gsd", "sc:Float", "metres per pixel"),
    ("acquired", "sc:Date", "when the picture was taken"),
    ("year", "sc:Text", "the first year that its text names"),
    ("source", "sc:Text", "who provides the picture"),
    ("split", "sc:Text", "train, validation or test; none: too near to another split"),
)
"""Name, type and meaning of what samples of some kinds say under `metadata`."""
ANNOTATIONS = (
    ("captions", "$.annotations[*].text", "sc:Text", "captions"),
    ("tasks", "$.annotations[*].task", "sc:Integer", NUMBERS),
    ("annotators", "$.annotations[*].annotator", "sc:Text", "who wrote each caption"),
)
CSV = {
    "filepath": "the picture's path as published", "title": "the published title", "caption": "the caption",
    "title_multi_objects": "the published title with surroundings", "task": "what kind of caption it is",
    "annotator": "who wrote it",
}  # fmt: skip
GAIA = (
    ("id", "sc:Text", "of the record"),
    ("image_src", "sc:URL", "where the picture is"),
    ("image_alt", "sc:Text", "its alternative text, as published"),
    ("captions", "sc:Text", "captions"),
    ("location", "sc:Text", "landmark, city, country"),
    ("lat", "sc:Float", "degrees north (EPSG:4326); null: unknown"),
    ("lon", "sc:Float", "degrees east; null: unknown"),
    ("resolution", "sc:Text", "class of the spatial resolution"),
    ("credits", "sc:Text", "who made the picture"),
    ("annotator", "sc:Text", "who wrote the captions"),
    ("split", "sc:Text", "train, validation or test"),
)


def distribution(run: Finished) -> list[dict[str, Any]]:
    """The files, with their checksums, and what lies in them."""
    files = list(_split_files(run) if run.output == "gaia_json" else _shards(run))
    if run.output == "webdataset":
        image = str(run.info["config"]["output"]["image"])
        held = {"containedIn": [{"@id": file["@id"]} for file in files]}
        return [*files, {**_set("pictures", f"*.{image}", IMAGES[image]), **held},
                {**_set("descriptions", "*.json", "application/json"), **held}]  # fmt: skip
    return [*files, _set("tables", FILES[run.output], MEDIA[run.output])]


def record_sets(run: Finished) -> list[dict[str, Any]]:
    """What a reader gets, record by record."""
    if run.output == "webdataset":
        image = str(run.info["config"]["output"]["image"])
        content = {"fileSet": {"@id": "pictures"}, "extract": {"fileProperty": "content"}}
        key = _field("picture/key", "sc:Text", "the patch id", _key("pictures", image))
        pictures = [key, _field("picture/content", "sc:ImageObject", "the picture", content)]
        return [_records("picture", pictures, "key"), _records("sample", list(_described(run)), "key")]
    if run.output == "git10m":
        return [_records("sample", list(_columns()), "img_name")]
    if run.output == "skyscript_csv":
        return [_records("caption", [_column("caption", name, "sc:Text", said) for name, said in CSV.items()])]
    return [_records("sample", [_json("tables", name, f"$[*].{name}", kind, said) for name, kind, said in GAIA], "id")]


def _shards(run: Finished) -> Iterator[dict[str, Any]]:
    for line in run.shards:
        yield _file(str(line["file"]), line["bytes"], line["sha256"], MEDIA[run.output])


def _split_files(run: Finished) -> Iterator[dict[str, Any]]:
    for name in split_files(run).values():
        path = run.folder.shards / name
        with path.open("rb") as stream:
            yield _file(name, path.stat().st_size, file_digest(stream, "sha256").hexdigest(), MEDIA[run.output])


def _file(name: str, size: int, checksum: str, media: str) -> dict[str, Any]:
    return {"@type": "cr:FileObject", "@id": name, "name": name, "contentUrl": f"shards/{name}",
            "contentSize": f"{size} B", "encodingFormat": media, "sha256": checksum}  # fmt: skip


def _set(name: str, pattern: str, media: str) -> dict[str, Any]:
    return {"@type": "cr:FileSet", "@id": name, "name": name, "encodingFormat": media, "includes": pattern}


def _described(run: Finished) -> Iterator[dict[str, Any]]:
    """Fields of a WebDataset's JSON, of those that the samples of this kind have."""
    key = _field("sample/key", "sc:Text", "the patch id, which leads to the picture", _key("descriptions", "json"))
    yield {**key, "references": {"field": {"@id": "picture/key"}}}
    known = {name for said in run.patches.metadata for name, value in said.items() if value}
    for name, kind, meaning in METADATA:
        if name in known or name == "patch_id":
            several = name == "bounds"
            yield _json(
                "descriptions", name, f"$.metadata.{name}{'[*]' if several else ''}", kind, meaning, several=several
            )
    things = "the record" if run.kind == "gaia" else "OpenStreetMap elements under the picture"
    yield _json("descriptions", "elements", "$.elements[*].id", "sc:Text", things, several=True)
    for name, place, kind, meaning in ANNOTATIONS:
        yield _json("descriptions", name, place, kind, meaning, several=True)


def _columns() -> Iterator[dict[str, Any]]:
    for name, of in COLUMNS.items():
        if name == "image":
            source = {"fileSet": {"@id": "tables"}, "extract": {"column": name}, "transform": {"jsonPath": "bytes"}}
            yield _field("sample/image", "sc:ImageObject", "the picture", source)
        elif name == "captions":
            yield _column("sample", name, "sc:Text", "all captions") | {"repeated": True}
        else:
            yield _column("sample", name, TYPES[str(of)], name.replace("_", " "))


def _column(records: str, name: str, kind: str, meaning: str) -> dict[str, Any]:
    return _field(f"{records}/{name}", kind, meaning, {"fileSet": {"@id": "tables"}, "extract": {"column": name}})


def _json(files: str, name: str, place: str, kind: str, meaning: str, *, several: bool = False) -> dict[str, Any]:
    said = _field(f"sample/{name}", kind, meaning, {"fileSet": {"@id": files}, "extract": {"jsonPath": place}})
    return {**said, "repeated": True} if several else said


def _key(files: str, ending: str) -> dict[str, Any]:
    return {
        "fileSet": {"@id": files},
        "extract": {"fileProperty": "filename"},
        "transform": {"regex": rf"^([0-9]+)\.{ending}$"},
    }


def _records(name: str, fields: list[dict[str, Any]], key: str = "") -> dict[str, Any]:
    said = {"@type": "cr:RecordSet", "@id": name, "name": name, "field": fields}
    return {**said, "key": {"@id": f"{name}/{key}"}} if key else said


def _field(name: str, kind: str, description: str, source: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": name,
        "name": name,
        "description": description,
        "dataType": kind,
        "source": source,
    }
