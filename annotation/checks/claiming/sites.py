"""Places and directions held against facts: one by one, in lists, in pairs, and as seen from something else."""

from collections.abc import Sequence
from dataclasses import replace

from annotation.checks.claiming import standing, verdicts
from annotation.checks.claiming.edges import at_edges
from annotation.checks.claiming.known import Known
from annotation.checks.claiming.marks import FINITE, Mark
from annotation.checks.claiming.places import Place
from annotation.checks.claiming.reading import Reading
from annotation.checks.claiming.relating import relate, towards
from annotation.checks.claiming.vocabulary import WORDS

_FILLERS = WORDS["sites.fillers"]
_CONNECTORS = frozenset((",", "and", "plus"))
_LISTING = WORDS["sites.listing"]
_PREPOSITIONS = frozenset(("in", "on", "at", "to", "along", "across", "near", "down", "towards"))
_TO = frozenset(("to", "towards", "until", "into"))
_PAIRING = ("between", "link", "connect", "join")
_MOVING = (
    "run", "head", "trend", "lead", "flow", "continu", "extend", "stretch", "go", "pass", "bend", "curv", "turn",
    "wind", "proceed", "swing", "veer", "orient", "align", "point", "reach", "carr", "travel", "slop",
)  # fmt: skip
_NEARING = frozenset(("close", "next", "near", "adjacent", "parallel"))
_FURTHER = frozenset(("further", "farther"))
_ALIGNED = ("trend", "orient", "align", "point", "slant")
_THROUGH = frozenset(("through", "across", "along", "down", "over", "up", "via", "crossing", "crosses", "cross"))
_NO_PLACE_BEFORE = frozenset(("facing", "bound", "turn", "angle", "angles", "angled"))
_EXCEPT = frozenset(("except", "besides", "save", "barring"))
_NOWHERE = frozenset(("none", "nothing", "not", "never", "nowhere"))
_EXACTLY = frozenset(("due", "roughly", "almost", "nearly", "mostly", "generally", "straight", "directly"))
_FADING = ("thin", "fad", "taper", "narrow", "dwindl", "giv", "open", "shrink", "loosen", "sparse", "dens", "widen")
_ENDING = ("end", "start", "begin", "finish", "terminat", "emerg", "stop")
_POSSESSIVE = frozenset(("its", "their"))
_BEYOND = frozenset(("beyond", "past", "over"))
_NOT_OF = frozenset(("is", "are", "lies", "and", "that"))
_REACH = 7
"""Words between two places of one list or pair."""


def place(reading: Reading, number: int) -> None:
    """The claim that a place or direction makes, together with those that it is listed or paired with."""
    mark = reading.marks[number]
    here: Place = mark.content
    words, before = reading.text.words, _before(reading, mark.start)
    while reading.word(before) in _EXACTLY:
        before -= 1
    word = reading.word(before)
    if _is_left_out(reading, here, before):
        _left_free(reading, mark, _listed(reading, number))
        return
    if word.startswith("toward") and any(each.startswith(_FADING) for each in words[max(0, before - 3) : before]):
        _listed(reading, number)
        return
    if reading.word(mark.stop) in _NO_PLACE_BEFORE or _pair(reading, number, word) or _leads_on(reading, number):
        return
    own = word in _POSSESSIVE and reading.word(before - 1) not in _BEYOND and not _cut_off(words, before)
    if own and not _follows_picture(reading, number):
        _of_itself(reading, mark, before)
        return
    if reading.word(mark.stop) == "of" and _of_something(reading, mark):
        return
    listed = _listed(reading, number)
    if at_edges(reading, number, listed):
        return
    span = (mark.start, listed[-1].stop)
    moving = word.startswith(_MOVING) and not here.scope and _EXACTLY.issuperset(words[before + 1 : mark.start])
    if word == "from" and all(each.scope == "edge" and each.points for each in listed):
        targets = reading.binder.targets(*span, lambda element: element.edges is not None, place=True)
        reading.settle("edge", span, targets, lambda e: verdicts.cut_at(e, listed), "edges")
    elif here.heading or moving or word in ("to", "towards"):
        _heading(reading, span, listed, relative=word == "to", aligned=word.startswith(_ALIGNED))
    else:
        _position(reading, span, listed, word)


def _position(reading: Reading, span: tuple[int, int], listed: Sequence[Place], word: str) -> None:
    """`In the upper left`; what passes through the middle may lie elsewhere as well."""
    through = word in _THROUGH and any(each.middle and not each.points for each in listed)
    before = _before(reading, span[0])
    ends = any(each.startswith(_ENDING) for each in reading.text.words[max(0, before - 2) : max(0, before)])

    further = word in _FURTHER and len(listed) == 1
    others = [other for told in reading.mentions if told.mark.start < span[0] for other in told.elements]
    bare = before == span[0] - 1 and len(listed) == 1 and listed[0].compass and word.isalpha()
    bare = bare and not listed[0].scope and word not in _PREPOSITIONS

    def holds(element: Known) -> bool | None:
        if bare and element.is_line and verdicts.heads_for(element, listed[0]):
            return True  # carries a motorway northeast
        seen = [standing.lies_towards(element, listed[0], each) for each in others if further and each is not element]
        if seen and (True in seen or {False}.issuperset(seen)):
            return True in seen
        if ends and element.is_line and not any(each.needs.isdisjoint(element.cells) for each in listed):
            return True
        return verdicts.at_places(element, listed, through=through, forgiving=word == "near")

    targets = reading.binder.targets(*span, lambda element: element.cells, place=True)
    quality = "" if reading.word(span[1] + 1).isalnum() else reading.word(span[1])
    of_quality = [element for element in reading.known if quality in element.loose]  # the left residential
    targets = of_quality or targets
    reading.settle("position", span, targets, holds, "position")


def _is_left_out(reading: Reading, place: Place, before: int) -> bool:
    """`Leaves only the lower right bare`, `except the north`: where something is not."""
    word = reading.word(before)
    if word in _EXCEPT or (word == "but" and reading.word(before - 1) in ("everything", "all", "anywhere")):
        return True
    if word == "only" and reading.word(before - 1).startswith("leav"):
        return True
    if word in _PREPOSITIONS and reading.word(before - 1) in _NOWHERE:
        return True
    return word.startswith("leav") and place.scope != "edge"


def _left_free(reading: Reading, mark: Mark, listed: Sequence[Place]) -> None:
    """Where a thing is said not to be: false if all of that place is its own; whether it is free is not known."""
    targets = reading.binder.targets(mark.start, listed[-1].stop, lambda element: element.cells)
    if targets and any(place.points and place.needs <= targets[0].cells for place in listed):
        reading.add("position", mark.start, listed[-1].stop, "contradicted", targets[0].id, "position")


def _cut_off(words: Sequence[str], before: int) -> bool:
    """`Cut off by its southern edge`, `running off its left side`: a side of the picture, not of the thing."""
    return "off" in words[max(0, before - 2) : before]


def _before(reading: Reading, start: int) -> int:
    """The last word of the sentence before a place that is more than an article; -1 if there is none."""
    at = start - 1
    while at >= 0 and reading.text.words[at] in _FILLERS:
        at -= 1
    return at if at >= 0 and reading.text.sentence[at] == reading.text.sentence[start] else -1


def _leads_on(reading: Reading, number: int) -> bool:
    """`The middle of` the northern side: what follows is the place."""
    mark = reading.marks[number]
    after = reading.marks[number + 1] if number + 1 < len(reading.marks) else None
    if mark.content.points or after is None or after.kind != "place" or after.start != mark.stop + 2:
        return False
    return reading.text.words[mark.stop : after.start] == ["of", "the"]


def _follows_picture(reading: Reading, number: int) -> bool:
    """`A fifth of the picture on its left side`: the picture's."""
    for mark in reversed(reading.marks[max(0, number - 3) : number]):
        if mark.kind not in ("pronoun", "rel"):
            place = reading.marks[number]
            between = set(reading.text.words[mark.stop : place.start])
            apart = ";" in between or ("," in between and ("to" in between or not place.content.scope))
            return mark.kind == "picture" and not apart and reading.same_sentence(mark, place)
    return False


def _next_place(reading: Reading, number: int, passing: Sequence[str]) -> int | None:
    """Number of the next place in the same sentence, if it is near and only marks of some kinds stand between."""
    mark = reading.marks[number]
    for at in range(number + 1, len(reading.marks)):
        other = reading.marks[at]
        if other.kind == "place":
            near = other.start - mark.stop <= _REACH
            return at if near and reading.same_sentence(mark, other) else None
        if other.kind not in passing:
            return None
    return None


def _pair(reading: Reading, number: int, word: str) -> bool:
    """`From the north to the south`, `between the upper left and the lower right`, `north-south`."""
    following = _next_place(reading, number, ("picture", "pronoun", "rel"))
    if following is None:
        return False
    mark, other = reading.marks[number], reading.marks[following]
    between = reading.text.words[mark.stop : other.start]
    if word in _POSSESSIVE:  # from its western to its eastern edge
        word = reading.word(_before(reading, mark.start) - 1)
    pairing = word.startswith(_PAIRING) and "and" in between
    started = pairing or (word == "from" and not _TO.isdisjoint(between))
    bare = between in (["to"], ["/"]) or (not between and reading.text.joined[other.start])
    if not (started or bare):
        return False
    one, last = mark.content, other.content
    span = (mark.start, other.stop)
    reading.done.add(following)
    targets = reading.binder.targets(*span, lambda each: each.axis is not None or each.ends is not None, place=True)
    if not (started or one.scope or last.scope):
        vector = last.vector[0] - one.vector[0], last.vector[1] - one.vector[1]
        reading.settle("direction", span, targets, lambda e: verdicts.along_axis(e, vector), "orientation")
        return True
    if pairing and between == ["and"] and last.scope == "edge":  # the northern and southern edges
        one = replace(one, scope="edge")
    reading.settle("direction", span, targets, lambda e: verdicts.from_to(e, one, last), "from")
    return True


def _listed(reading: Reading, number: int) -> list[Place]:
    """Places in one enumeration; those that follow are spoken for, and lend their scope to those before."""
    mark = reading.marks[number]
    places: list[Place] = [mark.content]
    fronted = reading.binder.is_fronted(mark.start, mark.stop)
    at: int | None = number
    while at is not None:
        last, at = at, _next_place(reading, at, ("picture", "rel"))
        if at is None or not _joins(reading, last, at, fronted=fronted):
            break
        places.append(reading.marks[at].content)
        reading.done.add(at)
    scope = places[-1].scope  # the northern and western edges
    return [replace(each, scope=each.scope or scope) for each in places] if len(places) > 1 else places


def _joins(reading: Reading, last: int, following: int, *, fronted: bool) -> bool:
    """Whether a place goes on the list: not half of a pair (N-S), and not before a thing of its own."""
    mark = reading.marks[following]
    between = reading.text.words[reading.marks[last].stop : mark.start]
    if _CONNECTORS.isdisjoint(between) or not _LISTING.issuperset(between):
        return False
    scopes = reading.marks[last].content.scope, mark.content.scope
    if between == [","] and scopes == ("edge", "half"):
        return False  # leaves at the bottom edge, right of the centre
    after = reading.marks[following + 1] if following + 1 < len(reading.marks) else None
    if after is not None and after.kind == "place" and reading.text.joined[after.start]:
        return False
    if reading.binder.is_passive(mark.stop) or (not fronted and reading.word(mark.stop) in FINITE):
        return False  # the left is covered by, the left belongs to
    own = not fronted and not _PREPOSITIONS.isdisjoint(between)
    return not (own and reading.binder.is_fronted(mark.start, mark.stop))


def _heading(
    reading: Reading, span: tuple[int, int], listed: Sequence[Place], *, relative: bool, aligned: bool
) -> None:
    """`Runs north`, `towards the left`; `to the east` may also be seen from something told before."""
    others = [other for told in reading.mentions if told.mark.start < span[0] for other in told.elements]

    before = reading.word(_before(reading, span[0]) - 1)
    reaching = relative and before not in _NEARING and all(each.scope == "edge" and each.points for each in listed)

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
        lies = len(listed) > 1 and verdicts.at_places(element, listed, forgiving=True)
        return True if seen or lies or all(found) else False if False in found else None

    targets = reading.binder.targets(*span, bool, place=True)
    reading.settle("direction", span, targets, holds, "orientation")


def _of_itself(reading: Reading, mark: Mark, before: int) -> None:
    """`To its north`: from what the pronoun means; `its northern half` claims nothing of where it lies."""
    here: Place = mark.content
    pronoun = reading.by_start.get(before)
    if pronoun is None or reading.word(before - 1) not in ("to", "on", "at", "in") or here.scope in ("half", "part"):
        return
    targets = reading.binder.targets(before - 1, mark.stop, bool, place=True) or []
    own = {element.id for element in pronoun.elements}
    if own.issuperset(element.id for element in targets):  # to its north the wood is bordered by a lake
        after = reading.binder.next_mention(mark.stop)
        agent = reading.binder.next_mention(after.mark.stop) if after else None
        by = after and agent and "by" in reading.text.words[after.mark.stop : agent.mark.start]
        if reading.word(mark.stop) == "by":  # bordered on its eastern side by a road
            agent, by = after, True
        targets = agent.elements if agent and by else targets
    others = list(pronoun.elements)
    if nearest := _just_told(reading, before):  # a road and a path 40 m to its north: the path, seen from the road
        named = {element.id for element in nearest}
        seen_from = [element for element in others if element.id not in named]
        targets, others = (nearest, seen_from) if seen_from else (targets, others)
    towards(reading, (mark.start, mark.stop), targets, here, others)


def _just_told(reading: Reading, before: int) -> list[Known]:
    """The thing told last in the clause of a word; nothing where it is a pronoun."""
    clause = reading.binder.clause
    for mention in reversed(reading.mentions):
        if mention.mark.stop <= before and mention.kind != "pronoun":
            return list(mention.elements) if clause[mention.mark.start] == clause[before] else []
    return []


def _of_something(reading: Reading, mark: Mark) -> bool:
    """`North of the road`, `on the right side of the wood`, `in the middle of the lake`; not `of the picture`."""
    mention = reading.binder.next_mention(mark.stop)
    if mention is None or mention.mark.start > mark.stop + _REACH - 2:
        return False
    between = reading.text.words[mark.stop + 1 : mention.mark.start]
    if any(not word.isalnum() or word in _NOT_OF for word in between) or any(
        each.kind in ("picture", "place") for each in reading.marks if mark.stop < each.start < mention.mark.start
    ):
        return False
    own = {each.id for each in mention.elements}
    fronted = not mark.start or reading.binder.is_fronted(mark.start, mention.mark.stop)
    targets = None if fronted else reading.binder.subjects(mark.start)
    mine = {each.id for each in targets or ()}
    if targets is None or own <= mine or (mention.kind != "pronoun" and own >= mine):
        after = reading.binder.next_mention(mention.mark.stop)
        targets = [each for each in (after.elements if after else ()) if each.id not in own]
    span = (mark.start, mention.mark.stop)
    others = [each for each in mention.elements if each not in targets] if mention.kind == "pronoun" else []
    if mark.content.points:
        towards(reading, span, targets, mark.content, others or mention.elements)
    else:
        relate(reading, span, targets, "inside", others or mention.elements)
    return True
