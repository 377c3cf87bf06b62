"""What a run told: its captions and refused answers, read part by part."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from annotation.checks.hygiene import label
from annotation.request import TASKS
from pipeline.json_cells import from_json
from pipeline.parts import PART_KINDS
from pipeline.source import Row
from pipeline.store import RunFolder

VERDICTS = ("supported", "contradicted", "unsupported")
COMMITTING = PART_KINDS[-1]
TASK_NAMES: Mapping[int, str] = {number: name for name, number in TASKS.items()}


class Verdicts(NamedTuple):
    """Claims of one text by verdict, and its hedges, which are speculation and no claims.

    Attributes:
        supported: borne out by a fact.
        contradicted: denied by one.
        unsupported: of which no fact tells.
        hedges: words such as "likely".
    """

    supported: int = 0
    contradicted: int = 0
    unsupported: int = 0
    hedges: int = 0

    @property
    def claims(self) -> int:
        """All but hedges."""
        return self.supported + self.contradicted + self.unsupported

    @property
    def wrong(self) -> int:
        """Claims that no fact bears out."""
        return self.contradicted + self.unsupported


class Text(NamedTuple):
    """A caption, or a refused answer.

    Attributes:
        patch_id: of its sample.
        task: a key of `TASKS`.
        text: as it was told.
        verdicts: of its claims; None where its part holds no claims, as those of older runs.
    """

    patch_id: int
    task: str
    text: str
    verdicts: Verdicts | None


@dataclass(slots=True)
class Telling:
    """What one annotator told, or several.

    Attributes:
        captions: accepted.
        before: answers to the first time of asking, accepted or not; engines that failed gave none.
        refused: answers refused, or requests that no engine answered.
        given_up: those of them after which nobody was asked again.
        reasons: why answers were refused, by label; an answer may have several.
        repeats: captions that were accepted only after asking again.
    """

    captions: list[Text] = field(default_factory=list)
    before: list[Text] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    given_up: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    repeats: int = 0


def read_telling(folder: RunFolder) -> dict[str, Telling]:
    """Captions and refused answers of a run, by annotator, all in memory.

    Answers of engines that failed have no annotator; they go by the name `""`.
    """
    told: defaultdict[str, list[Telling]] = defaultdict(list)
    for unit in units(folder):
        for name, telling in telling_of(folder, unit).items():
            told[name].append(telling)
    return {name: together(tellings) for name, tellings in sorted(told.items())}


def telling_of(folder: RunFolder, unit: str) -> dict[str, Telling]:
    """Captions and refused answers of one unit, by annotator; a patch is in no other unit."""
    told: defaultdict[str, Telling] = defaultdict(Telling)
    for row in unit_rows(folder, unit, "captions", ("patch_id", "task", "text", "annotator", "attempts", "claims")):
        telling, text = told[row["annotator"]], _text(row)
        telling.captions.append(text)
        if row["attempts"] == 1:
            telling.before.append(text)
        else:
            telling.repeats += 1
    for row in unit_rows(folder, unit, "rejected", ("patch_id", "key", "task", "text", "annotator", "reasons", "final",
                                                    "attempt", "claims")):  # fmt: skip
        telling = told[row["annotator"]]
        telling.refused.append(row["patch_id"])
        telling.given_up += row["final"]
        telling.reasons.update({label(reason) for reason in row["reasons"]})
        if row["text"] and _attempt(row) == 0:
            telling.before.append(_refused(row))
    return dict(told)


def together(tellings: Sequence[Telling]) -> Telling:
    """What several annotators told."""
    whole = Telling()
    for telling in tellings:
        whole.captions += telling.captions
        whole.before += telling.before
        whole.refused += telling.refused
        whole.given_up += telling.given_up
        whole.reasons += telling.reasons
        whole.repeats += telling.repeats
    return whole


def rows(folder: RunFolder, kind: str, columns: Sequence[str], filters: Any = None) -> Iterator[Row]:
    """Rows of all committed parts of a kind, one part in memory at a time; a column that older parts lack is None."""
    for unit in units(folder):
        yield from unit_rows(folder, unit, kind, columns, filters)


def unit_rows(folder: RunFolder, unit: str, kind: str, columns: Sequence[str], filters: Any = None) -> Iterator[Row]:
    """Rows of one unit's part, the same way."""
    yield from part(folder, unit, kind, columns, filters).to_pylist()


def part(folder: RunFolder, unit: str, kind: str, columns: Sequence[str], filters: Any = None) -> pa.Table:
    """Columns of one unit's part, those that it lacks empty; of the rows that a filter, an expression, lets through."""
    file = folder.part(kind, unit)
    with pq.ParquetFile(file) as opened:
        known = [name for name in columns if name in opened.schema_arrow.names]
        found = opened.read(columns=known) if filters is None else None
    if found is None:
        found = pq.read_table(file, columns=known, filters=filters, partitioning=None)
    for name in columns:
        if name not in known:
            found = found.append_column(name, pa.nulls(len(found)))
    return found


def units(folder: RunFolder) -> list[str]:
    """Names of the units that are committed, in order."""
    files = sorted((folder.path / COMMITTING).glob("*.parquet"))
    return [file.stem for file in files if folder.committed(file.stem)]


def verdicts_of(claims: str | None) -> Verdicts | None:
    """Verdicts of the `claims` column."""
    if claims is None:
        return None
    said = from_json(claims)
    counts = Counter(claim["verdict"] for claim in said if claim["kind"] != "hedge")
    hedges = sum(claim["kind"] == "hedge" for claim in said)
    return Verdicts(counts["supported"], counts["contradicted"], counts["unsupported"], hedges)


def _text(row: Row) -> Text:
    return Text(row["patch_id"], TASK_NAMES[row["task"]], row["text"], verdicts_of(row["claims"]))


def _refused(row: Row) -> Text:
    """A refused answer; one without claims may have been refused unread, such as one cut off."""
    text = _text(row)
    return text if text.verdicts and any(text.verdicts) else text._replace(verdicts=None)


def _attempt(row: Row) -> int:
    """Which time of asking; of older parts the end of the request's key."""
    return int(row["key"].rsplit("/", 1)[-1]) if row["attempt"] is None else int(row["attempt"])
