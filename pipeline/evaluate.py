"""Zero-shot classification and cross-modal retrieval, over folders laid out as SkyScript's benchmarks are."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.embed.embedder import Embedder, Vectors, unit
from pipeline.embed.pictures import NoPictureError, read_picture
from pipeline.embed.ranking import best_ranks, share_within
from pipeline.errors import PipelineError

TEMPLATES = ("a satellite photo of {}.", "a satellite image of {}")
"""Of the published evaluation (Wang et al., SkyScript, AAAI 2024), so that figures can be laid beside it."""

SUBJECTS = {"roof_shape": "building, {}", "smoothness": "road, {}", "surface": "road, {}"}
"""What a class of a fine-grained benchmark is a property of, in the same evaluation."""

OPENINGS = dict.fromkeys(("RSICD", "RSITMD", "ucmcaptions"), "a satellite image. ")
"""What stands before each text of a retrieval benchmark, in the same evaluation."""

SPLITS = ("test", "val", "train")
"""Which CSV is taken where there are several; NWPU, PatternNet, MillionAID and RSI-CB256 name theirs `train`."""

CHUNK = 512


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A folder with `*img_txt_pairs_SPLIT.csv`; one with `classnames.txt` is for classification.

    Attributes:
        folder: its name is the benchmark's.
        table: the CSV, of `filepath` and `label`, or of `filepath` and `title`.
    """

    folder: Path
    table: Path

    @property
    def name(self) -> str:
        """As the field calls it."""
        return self.folder.name

    @property
    def classes(self) -> list[str] | None:
        """One a line in `classnames.txt`; None for retrieval."""
        file = self.folder / "classnames.txt"
        if not file.is_file():
            return None
        return [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def benchmarks(root: Path) -> list[Benchmark]:
    """The benchmarks in the folders of `root`, or `root` itself, by name.

    Raises:
        PipelineError: there is none.
    """
    found = []
    for folder in sorted(path for path in (root, *root.glob("*")) if path.is_dir()):
        tables = [next(iter(sorted(folder.glob(f"*img_txt_pairs_{split}.csv"))), None) for split in SPLITS]
        table = next((table for table in tables if table), None)
        if table:
            found.append(Benchmark(folder, table))
    if not found:
        raise PipelineError(
            f"{root} holds no benchmark: wanted is NAME/*img_txt_pairs_test.csv (or val, train), and for "
            "classification NAME/classnames.txt, as in SkyScript's zips."
        )
    return found


def run(
    root: Path,
    embedder: Embedder,
    *,
    names: Sequence[str] | None = None,
    templates: Sequence[str] = TEMPLATES,
) -> dict[str, Any]:
    """Evaluates a model on all benchmarks in a folder.

    Args:
        root: holds a folder for each benchmark; paths in CSVs start here or in the benchmark's folder.
        embedder: the loaded model.
        names: only these benchmarks; None: all.
        templates: sentences with one `{}`, whose embeddings are averaged for each class.

    Returns:
        `classification` and `retrieval`: by benchmark, figures from 0 to 1, `n` and what was `skipped`; and the means
        `top1` and `mean_recall_img2text`, `mean_recall_text2img` over benchmarks.

    Raises:
        PipelineError: a benchmark is not there or cannot be read.
    """
    there = benchmarks(root)
    missing = set(names or ()) - {benchmark.name for benchmark in there}
    if missing:
        raise PipelineError(f"{root} holds no benchmark {min(missing)!r}; there are: "
                            + ", ".join(benchmark.name for benchmark in there) + ".")  # fmt: skip
    told: dict[str, Any] = {"classification": {}, "retrieval": {}}
    for benchmark in there:
        if names and benchmark.name not in names:
            continue
        classes = benchmark.classes
        if classes is None:
            told["retrieval"][benchmark.name] = _retrieve(benchmark, root, embedder)
        else:
            told["classification"][benchmark.name] = _classify(benchmark, root, embedder, classes, templates)
    return told | _means(told)


def class_vectors(embedder: Embedder, classes: Sequence[str], templates: Sequence[str]) -> Vectors:
    """(classes, d): of each class the mean over its sentences, scaled to length 1 (Radford et al. 2021, section 3.1.4).

    Raises:
        PipelineError: a template has no place for the class.
    """
    for template in templates:
        if "{}" not in template:
            raise PipelineError(f"templates: {template!r} has no {{}} for the class.")
    texts = [template.replace("{}", name) for name in classes for template in templates]
    vectors = embedder.texts(texts)
    return unit(vectors.reshape(len(classes), len(templates), -1).mean(axis=1))


def classification(images: Vectors, classes: Vectors, labels: NDArray[np.int64]) -> dict[str, float]:
    """Top-1 and top-5 accuracy.

    Args:
        images: (n, d).
        classes: (c, d).
        labels: (n,) row of `classes` that is right for each image.
    """
    ranks = best_ranks(images, classes, np.column_stack([np.arange(len(labels)), labels]))
    return {f"top{k}": share_within(ranks, k) for k in (1, 5)}


def retrieval(images: Vectors, texts: Vectors, pairs: NDArray[np.int64]) -> dict[str, float]:
    """Recall at 1, 5 and 10 both ways, and its mean each way; a query is answered if any of its partners is found.

    Args:
        images: (n, d), each image once.
        texts: (m, d), each text once.
        pairs: (p, 2) rows of images and texts that belong together.
    """
    ways = {
        "img2text": best_ranks(images, texts, pairs),
        "text2img": best_ranks(texts, images, pairs[:, ::-1]),
    }
    told = {f"{way}_R@{k}": share_within(ranks, k) for way, ranks in ways.items() for k in (1, 5, 10)}
    return told | {f"mean_recall_{way}": float(np.mean([told[f"{way}_R@{k}"] for k in (1, 5, 10)])) for way in ways}


def _classify(
    benchmark: Benchmark, root: Path, embedder: Embedder, classes: Sequence[str], templates: Sequence[str]
) -> dict[str, Any]:
    table = _table(benchmark, "label")
    labels = _labels(benchmark, table["label"], classes)
    images, read, skipped = _images(benchmark, root, embedder, table["filepath"].tolist())
    pattern = SUBJECTS.get(benchmark.name, "{}")
    vectors = class_vectors(embedder, [pattern.format(name) for name in classes], templates)
    return {**classification(images, vectors, labels[read]), "n": len(images), "skipped": skipped}


def _retrieve(benchmark: Benchmark, root: Path, embedder: Embedder) -> dict[str, Any]:
    column = "title_multi_objects" if benchmark.name == "SkyScript" else "title"
    table = _table(benchmark, column)
    files, file_numbers = np.unique(table["filepath"].to_numpy(str), return_inverse=True)
    images, read, skipped = _images(benchmark, root, embedder, files.tolist())
    place = np.full(len(files), -1, np.int64)
    place[read] = np.arange(len(read))
    kept = table[place[file_numbers] >= 0]
    texts, text_numbers = np.unique(kept[column].to_numpy(str), return_inverse=True)
    pairs = np.column_stack([place[file_numbers][place[file_numbers] >= 0], text_numbers])
    opening = OPENINGS.get(benchmark.name, "")
    vectors = embedder.texts([opening + text for text in texts.tolist()])
    return {**retrieval(images, vectors, pairs), "images": len(images), "texts": len(texts), "skipped": skipped}


def _table(benchmark: Benchmark, column: str) -> pd.DataFrame:
    try:
        table = pd.read_csv(benchmark.table, keep_default_na=False, na_values={column: [""]})
    except (OSError, ValueError) as error:
        raise PipelineError(f"{benchmark.table} cannot be read: {error}") from error
    for wanted in ("filepath", column):
        if wanted not in table:
            raise PipelineError(f"{benchmark.table} has no column {wanted!r}; it has {', '.join(map(str, table))}.")
    table = table[table[column].notna()].reset_index(drop=True)
    if table.empty:
        raise PipelineError(f"{benchmark.table} has no rows with a {column}.")
    return table


def _labels(benchmark: Benchmark, labels: "pd.Series[Any]", classes: Sequence[str]) -> NDArray[np.int64]:
    """Labels are class names, or numbers of lines in `classnames.txt` from 0."""
    if pd.api.types.is_numeric_dtype(labels):
        numbers = labels.to_numpy(np.int64)
    else:
        known = {name: number for number, name in enumerate(classes)}
        strange = sorted({str(label).strip() for label in labels} - set(known))
        if strange:
            raise PipelineError(f"{benchmark.table}: {strange[0]!r} is not in {benchmark.folder / 'classnames.txt'}.")
        numbers = np.array([known[str(label).strip()] for label in labels], np.int64)
    if numbers.min() < 0 or numbers.max() >= len(classes):
        raise PipelineError(f"{benchmark.table}: label {numbers.max()}, but there are {len(classes)} classes.")
    return numbers


def _images(
    benchmark: Benchmark, root: Path, embedder: Embedder, files: Sequence[str]
) -> tuple[Vectors, NDArray[np.int64], dict[str, str]]:
    """Vectors, which files they are of, and why the others could not be read."""
    vectors, read, skipped = [], [], {}
    for start in range(0, len(files), CHUNK):
        pictures = []
        for number, file in enumerate(files[start : start + CHUNK], start):
            try:
                base = root if (root / file).is_file() else benchmark.folder
                pictures.append(read_picture(base, file))
                read.append(number)
            except NoPictureError as error:
                skipped[file] = str(error)
        if pictures:
            vectors.append(embedder.images(pictures))
    if not vectors:
        raise PipelineError(f"{benchmark.table}: none of its {len(files)} pictures can be read: {next(iter(skipped))}: "
                            f"{next(iter(skipped.values()))}. Paths start in {root}.")  # fmt: skip
    return np.concatenate(vectors), np.array(read, np.int64), skipped


def _means(told: dict[str, Any]) -> dict[str, float]:
    wanted = {"top1": "classification", "mean_recall_img2text": "retrieval", "mean_recall_text2img": "retrieval"}
    return {
        key: float(np.mean([figures[key] for figures in told[kind].values()]))
        for key, kind in wanted.items()
        if told[kind]
    }
