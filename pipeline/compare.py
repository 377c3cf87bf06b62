"""Runs compared on the samples they share: one table, paired differences, and the same patches side by side."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

from annotation.checks.diversity import mtld, tokens
from annotation.checks.interval import bootstrap_difference
from pipeline.errors import PipelineError
from pipeline.json_cells import from_json
from pipeline.measuring.claims import hallucination_rate
from pipeline.measuring.told import Telling, Text, read_telling, rows, together
from pipeline.measuring.variety import WORDED, drawn
from pipeline.store import RunFolder

SEED = 13
RESAMPLES = 2_000

Place = tuple[Any, ...]
"""What makes two samples the same: scene, place and size."""


@dataclass(frozen=True)
class Run:
    """A run that is compared.

    Attributes:
        label: how it is called; unique among those compared.
        folder: where it lies.
        info: its run.json.
    """

    label: str
    folder: RunFolder
    info: Mapping[str, Any]

    @cached_property
    def tellings(self) -> dict[str, Telling]:
        """What it told, by annotator."""
        return read_telling(self.folder)

    @cached_property
    def telling(self) -> Telling:
        """What it told."""
        return together(list(self.tellings.values()))

    @cached_property
    def samples(self) -> dict[int, Place]:
        """Patches that were to be captioned, whether they were or not."""
        asked = {caption.patch_id for caption in self.telling.captions}.union(self.telling.refused)
        found = {}
        for row in rows(self.folder, "patches", ("patch_id", "metadata")):
            if row["patch_id"] in asked:
                metadata = from_json(row["metadata"])
                found[row["patch_id"]] = (metadata["image_name"], *(metadata["bounds"] or ()))
        return found


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came out.

    Attributes:
        shared: patches that all runs were asked to caption.
        runs: a row for each run, keys as in `COLUMNS`.
        differences: for each pair of runs and each figure, first less second on the same patches.
    """

    shared: tuple[int, ...]
    runs: tuple[Mapping[str, Any], ...]
    differences: tuple[Mapping[str, Any], ...]

    def as_json(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {"shared": len(self.shared), "runs": list(self.runs), "differences": list(self.differences)}


def open_runs(paths: Sequence[Path]) -> list[Run]:
    """Opens runs, each under the shortest end of its path that tells it from the others.

    Raises:
        PipelineError: fewer than two, one twice, or a folder holds no run.
    """
    resolved = [path.resolve() for path in paths]
    if len(resolved) < 2:
        raise PipelineError("Comparing takes two runs or more: mapteller compare DIR DIR …")
    if len(set(resolved)) < len(resolved):
        raise PipelineError("The same folder is named twice; compare different runs.")
    runs = []
    for path, label in zip(resolved, _labels(resolved), strict=True):
        info = RunFolder(path).info()
        if info is None:
            raise PipelineError(f"{path} holds no run: there is no run.json.")
        runs.append(Run(label, RunFolder(path), info))
    return runs


def compare(runs: Sequence[Run]) -> Comparison:
    """Compares runs on the samples that they share.

    Hallucination is that of first answers, before anybody was asked again: it tells of the annotator. Its difference
    is the mean over patches of the share of wrong claims, where both runs made any; intervals are paired bootstraps
    over patches. Tokens a second and cost are those of the whole runs, as their run.json has them.

    Raises:
        PipelineError: they share no sample.
    """
    shared = shared_samples(runs)
    tellings = [_among(run.telling, set(shared)) for run in runs]
    figures = tuple(_row(run, telling) for run, telling in zip(runs, tellings, strict=True))
    differences = tuple(
        difference
        for one, other in combinations(range(len(runs)), 2)
        for difference in _differences(runs[one].label, runs[other].label, tellings[one], tellings[other])
    )
    return Comparison(shared, figures, differences)


def shared_samples(runs: Sequence[Run]) -> tuple[int, ...]:
    """Patches that all runs were asked to caption, ascending.

    Raises:
        PipelineError: there are none; the message says whether ids differ or the places under the same ids.
    """
    common = set.intersection(*(set(run.samples) for run in runs))
    shared = sorted(patch for patch in common if len({run.samples[patch] for run in runs}) == 1)
    if shared:
        return tuple(shared)
    told = ", ".join(f"{run.label} has {len(run.samples):,} samples" for run in runs)
    why = (
        f"{len(common):,} patch ids occur in all of them, but show different places: the runs were cut from other "
        "scenes or another grid"
        if common
        else "no patch id occurs in all of them"
    )
    raise PipelineError(
        f"These runs share no sample: {told}; {why}. Caption the same samples again with another engine: "
        "samples: {kind: run, path: DIR}."
    )


def _among(telling: Telling, patches: set[int]) -> Telling:
    """What was told of some patches."""
    return Telling(
        captions=[text for text in telling.captions if text.patch_id in patches],
        before=[text for text in telling.before if text.patch_id in patches],
        refused=[patch for patch in telling.refused if patch in patches],
    )


def _row(run: Run, telling: Telling) -> dict[str, Any]:
    texts = [caption.text for caption in telling.captions]
    words = [len(text.split()) for text in texts]
    engines = run.info.get("engines") or {}
    each = (engines.get("engines") or {}).values()
    answers = len(texts) + len(telling.refused)
    return {
        "run": run.label,
        "annotators": [name for name in run.tellings if name],
        "captions": len(texts),
        "hallucination": hallucination_rate(telling.before),
        "hallucination_after": hallucination_rate(telling.captions),
        "rejected": round(len(telling.refused) / answers, 6) if answers else None,
        "mtld": round(mtld([word for text in drawn(texts, WORDED) for word in tokens(text)]), 3),
        "words": round(sum(words) / len(words), 3) if words else None,
        "tokens_per_s": round(sum(engine["completion_tokens_per_s"] for engine in each), 1) if each else None,
        "cost_per_1000": engines.get("cost_per_1000_captions"),
    }


Figure = Callable[[Telling], Mapping[int, float]]


def _wrong_shares(telling: Telling) -> Mapping[int, float]:
    """Share of wrong claims in the first answers to each patch that made any."""
    sums: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0])
    for text in telling.before:
        if text.verdicts:
            sums[text.patch_id][0] += text.verdicts.wrong
            sums[text.patch_id][1] += text.verdicts.claims
    return {patch: wrong / claims for patch, (wrong, claims) in sums.items() if claims}


def _refusals(telling: Telling) -> Mapping[int, float]:
    """Share of refused answers of each patch."""
    sums: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0])
    for caption in telling.captions:
        sums[caption.patch_id][1] += 1
    for patch in telling.refused:
        sums[patch][0] += 1
        sums[patch][1] += 1
    return {patch: refused / answers for patch, (refused, answers) in sums.items()}


def _lengths(telling: Telling) -> Mapping[int, float]:
    return _means(telling.captions, lambda text: len(text.text.split()))


def _diversities(telling: Telling) -> Mapping[int, float]:
    """Share of distinct words in the captions of each patch."""
    words: defaultdict[int, list[str]] = defaultdict(list)
    for caption in telling.captions:
        words[caption.patch_id] += tokens(caption.text)
    return {patch: len(set(several)) / len(several) for patch, several in words.items() if several}


FIGURES: Mapping[str, Figure] = {
    "hallucination": _wrong_shares,
    "rejected": _refusals,
    "words": _lengths,
    "distinct_words": _diversities,
}
"""Figures that every patch has for itself, so that their differences can be paired."""


def _differences(one: str, other: str, first: Telling, second: Telling) -> list[dict[str, Any]]:
    found = []
    for name, figure in FIGURES.items():
        ours, theirs = figure(first), figure(second)
        both = sorted(set(ours).intersection(theirs))
        if both:
            interval = bootstrap_difference(
                [ours[patch] for patch in both], [theirs[patch] for patch in both], seed=SEED, resamples=RESAMPLES
            )
            rounded = {key: round(value, 6) for key, value in asdict(interval).items()}
            found.append({"first": one, "second": other, "figure": name, "patches": len(both), **rounded})
    return found


def _means(texts: Sequence[Text], figure: Callable[[Text], float]) -> Mapping[int, float]:
    found: defaultdict[int, list[float]] = defaultdict(list)
    for text in texts:
        found[text.patch_id].append(figure(text))
    return {patch: sum(several) / len(several) for patch, several in found.items()}


def _labels(paths: Sequence[Path]) -> list[str]:
    """The shortest ends of the paths that differ."""
    for length in range(1, max(len(path.parts) for path in paths) + 1):
        ends = ["/".join(path.parts[-length:]) for path in paths]
        if len(set(ends)) == len(ends):
            return ends
    return [str(path) for path in paths]
