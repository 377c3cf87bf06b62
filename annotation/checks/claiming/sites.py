"""Places and directions held against facts: one by one, in lists, in pairs, and as seen from something else."""

from collections.abc import Sequence

from annotation.checks.claiming import listing, standing, verdicts
from annotation.checks.claiming.denied import is_left_out, left_free
from annotation.checks.claiming.edges import at_edges
from annotation.checks.claiming.known import Known
from annotation.checks.claiming.listing import POSSESSIVE
from annotation.checks.claiming.marks import FINITE, Mark
from annotation.checks.claiming.places import Place
from annotation.checks.claiming.position import position
from annotation.checks.claiming.reading import Reading
from annotation.checks.claiming.relating import towards
from annotation.checks.claiming.seen_from import at_side_of, of_itself, of_owner, of_something

_MOVING = (
    "run", "head", "trend", "lead", "flow", "continu", "extend", "stretch", "go", "pass", "bend", "curv", "turn",
    "wind", "proceed", "swing", "veer", "orient", "align", "point", "reach", "carr", "travel", "slop",
)  # fmt: skip
_AXES = frozenset(("direction", "course", "axis", "alignment", "line"))
_LYING = frozenset(("lying", "lies", "lie", "situated", "located", "standing", "sits"))
_NEARING = frozenset(("close", "next", "near", "adjacent", "parallel"))
_ALIGNED = ("trend", "orient", "align", "point", "slant")
_NO_PLACE_BEFORE = frozenset(("facing", "bound", "turn", "angle", "angles", "angled"))
_EXACTLY = frozenset(("due", "roughly", "almost", "nearly", "mostly", "generally", "straight", "directly"))
_FADING = ("thin", "fad", "taper", "narrow", "dwindl", "giv", "open", "shrink", "loosen", "sparse", "dens", "widen")
_MEETING = ("touch", "meet", "met", "join", "reach", "approach")
_BEYOND = frozenset(("beyond", "past", "over"))


def place(reading: Reading, number: int) -> None:
    """The claim that a place or direction makes, together with those that it is listed or paired with."""
    mark = reading.marks[number]
    words, before = reading.text.words, listing.before(reading, mark.start)
    while reading.word(before) in _EXACTLY:
        before -= 1
    word = reading.word(before)
    if _is_approach(words, word, before) and not mark.content.scope:
        if not listing.pair(reading, number, word):  # reaches from the north to the south
            at_side_of(reading, mark, before)
        return
    spoken_for = reading.word(mark.stop) in _NO_PLACE_BEFORE or listing.pair(reading, number, word)
    if spoken_for or _tells_nothing(reading, mark, word) or _leads_on(reading, number):
        return
    own = _is_own(reading, mark, before)
    told = listing.listed(reading, number)
    if is_left_out(reading, told, before):
        left_free(reading, mark, told, before)
    elif len(told) == 1 and (of_owner(reading, mark, before) or at_side_of(reading, mark, before)):
        return
    elif own and not _follows_picture(reading, number):
        of_itself(reading, mark, before)
    elif not (word.startswith("toward") and _fades(words, before)) and not (
        reading.word(mark.stop) == "of" and of_something(reading, mark)
    ):
        _told(reading, number, told, before)


def _is_own(reading: Reading, mark: Mark, before: int) -> bool:
    """`Its northern half`: of a thing, and not of the picture."""
    if reading.word(before) not in POSSESSIVE or reading.word(before - 1) in _BEYOND:
        return False
    if _cut_off(reading.text.words, before):
        return False
    pronoun = reading.by_start.get(before) if mark.content.scope == "edge" else None
    return not (pronoun and pronoun.elements and pronoun.elements[0].is_line)  # runs straight to its right-hand edge


def _is_approach(words: Sequence[str], word: str, before: int) -> bool:
    """`Touching it from the north`."""
    return word == "from" and any(each.startswith(_MEETING) for each in words[max(0, before - 3) : before])


def _tells_nothing(reading: Reading, mark: Mark, word: str) -> bool:
    """`A little to the right`, `the westernmost of them`, `without getting beyond the left part`."""
    words = reading.text.words
    return (
        _is_little(words, mark.start)
        or (words[mark.start].endswith("most") and reading.word(mark.stop) == "of")
        or (word in ("beyond", "past") and mark.content.scope in ("part", "half"))
    )


def _fades(words: Sequence[str], before: int) -> bool:
    """`Thinning out towards the top`."""
    return any(each.startswith(_FADING) for each in words[max(0, before - 3) : before])


def _is_little(words: Sequence[str], start: int) -> bool:
    """`A little to the right`: a nuance that no fact tells."""
    before = words[max(0, start - 4) : start]
    return "little" in before or (before[-1:] == ["slightly"])


def _told(reading: Reading, number: int, listed: Sequence[Place], before: int) -> None:
    """The claim of places that are the picture's: edges that cut, where a thing heads for, where it lies."""
    if at_edges(reading, number, listed):
        return
    here, word = listed[0], reading.word(before)
    span = (reading.marks[number].start, listed[-1].stop)
    bound = word == "for" and reading.word(before - 1).startswith(("mak", "head", "bound", "aim"))
    between = _EXACTLY | {"the"} if bound else _EXACTLY
    moving = (bound or word.startswith(_MOVING)) and not here.scope
    moving = moving and between.issuperset(reading.text.words[before + 1 : span[0]])
    if word == "from" and all(each.scope == "edge" and each.points for each in listed):
        targets = reading.binder.targets(*span, lambda element: element.edges is not None, place=True)
        reading.settle("edge", span, targets, lambda e: verdicts.cut_at(e, listed), "edges")
    elif here.heading or moving or word in ("to", "towards") or reading.word(span[1]) in _AXES:
        _heading(reading, span, listed, relative=word == "to", aligned=word.startswith(_ALIGNED))
    else:
        position(reading, span, listed, word)


def _cut_off(words: Sequence[str], before: int) -> bool:
    """`Cut off by its southern edge`, `running off its left side`: a side of the picture, not of the thing."""
    return "off" in words[max(0, before - 2) : before]


def _leads_on(reading: Reading, number: int) -> bool:
    """`The middle of` the northern side: what follows is the place."""
    mark = reading.marks[number]
    after = reading.marks[number + 1] if number + 1 < len(reading.marks) else None
    if mark.content.points or after is None or after.kind != "place" or after.start != mark.stop + 2:
        return False
    if reading.text.words[mark.stop : after.start] not in (["of", "the"], ["of", "its"], ["of", "their"]):
        return False
    if is_left_out(reading, [mark.content], listing.before(reading, mark.start)):
        reading.done.add(number + 1)  # everywhere except the middle of its left side
    return True


def _follows_picture(reading: Reading, number: int) -> bool:
    """`A fifth of the picture on its left side`, `the picture shows a meadow in its upper left`: the picture's."""
    if _opens_with_picture(reading, number):
        return True
    if reading.word(reading.marks[number].stop) == "by":
        return False  # accompanied on its southern side by a meadow
    for mark in reversed(reading.marks[max(0, number - 3) : number]):
        if mark.kind not in ("pronoun", "rel"):
            place = reading.marks[number]
            between = set(reading.text.words[mark.stop : place.start])
            scope = place.content.scope or listing.lent_scope(reading, number)
            apart = ";" in between or ("," in between and ("to" in between or not scope))
            return mark.kind == "picture" and not apart and reading.same_sentence(mark, place)
    return False


def _is_aside(reading: Reading, span: tuple[int, int]) -> bool:
    """`Well apart from it, to the south-east, lies a street`."""
    words, before = reading.text.words, listing.before(reading, span[0])
    lies = words[span[1] : span[1] + 1] == [","] and reading.word(span[1] + 1) in FINITE | {"there"}
    noun = any(told.mark.stop == before - 1 and told.kind in ("class", "name") for told in reading.mentions)
    return (
        lies
        and not noun
        and (
            before < 1 or words[before - 1] == "," or reading.text.sentence[before - 1] != reading.text.sentence[before]
        )
    )


def _opens_with_picture(reading: Reading, number: int) -> bool:
    """Whether the picture is the subject of the sentence, and one thing only is told before the place."""
    at = reading.marks[number].start
    here = [mark for mark in reading.marks[:number] if reading.same_sentence(mark, reading.marks[number])]
    told = [each for each in reading.mentions if each.mark in here and each.kind != "pronoun"]
    return (
        bool(here)
        and here[0].kind == "picture"
        and len(told) == 1
        and "," not in reading.text.words[told[0].mark.stop : at]
    )


def _heading(
    reading: Reading, span: tuple[int, int], listed: Sequence[Place], *, relative: bool, aligned: bool
) -> None:
    """`Runs north`, `towards the left`; `to the east` may also be seen from something told before."""
    others = [other for told in reading.mentions if told.mark.start < span[0] for other in told.elements]

    before = reading.word(listing.before(reading, span[0]) - 1)
    reaching = relative and before not in _NEARING and all(each.scope == "edge" and each.points for each in listed)

    if relative and len(listed) == 1 and others and before in _LYING:
        towards(reading, span, (reading.binder.subjects(span[0]) or [])[:1], listed[0], others)
        return
    ahead = reading.binder.next_mention(span[1]) if relative and len(listed) == 1 else None
    if ahead and ahead.elements and others and _is_aside(reading, span):
        towards(reading, span, list(ahead.elements), listed[0], others[-1:])
        return
    following = ahead.elements if ahead and reading.word(span[1]) == "," else ()  # 28 m to the north-east, a footpath

    def holds(element: Known) -> bool | None:
        if reaching and element.is_line and element.edges is not None:
            return verdicts.cut_at(element, listed)
        found = [
            (aligned and verdicts.along_axis(element, each.vector)) or verdicts.heads_for(element, each)
            for each in listed
        ]
        seen = (
            relative
            and len(listed) == 1
            and any(standing.lies_towards(element, listed[0], other) for other in others if other.id != element.id)
        )
        seen = seen or any(standing.lies_towards(each, listed[0], element) for each in following if each is not element)
        lies = len(listed) > 1 and verdicts.at_places(element, listed, forgiving=True)
        return True if seen or lies or all(found) else False if False in found else None

    targets = reading.binder.targets(*span, bool, place=True)
    reading.settle("direction", span, targets, holds, "orientation")
