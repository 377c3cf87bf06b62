"""Directions and places as seen from a thing: to its north, on the right side of the wood."""

from annotation.checks.claiming import verdicts
from annotation.checks.claiming.known import Known
from annotation.checks.claiming.listing import REACH
from annotation.checks.claiming.marks import DETERMINERS, Mark
from annotation.checks.claiming.mentions import ROLES, Mention
from annotation.checks.claiming.places import Place
from annotation.checks.claiming.reading import Reading
from annotation.checks.claiming.relating import relate, towards
from annotation.checks.claiming.subjects import subjects_of

_PARTING = frozenset((",", ";", ":", ".", "and", "while", "but"))
_SIDES = frozenset(("borders", "beside", "along", "touches"))
_ADJOINING = frozenset(("adjacent", "next", "close"))
_CLOSELY = ("closely", "directly", "immediately")
_SOME_WAY = frozenset(("some", "way", "a", "short", "little", "distance", "further", "farther", "close", "just"))
_NOT_OF = frozenset(("is", "are", "lies", "and", "that"))


def of_itself(reading: Reading, mark: Mark, before: int) -> None:
    """`To its north`: from what the pronoun means; `its northern half` claims nothing of where it lies."""
    here: Place = mark.content
    pronoun = reading.by_start.get(before)
    if pronoun is not None and reading.word(mark.stop - 1) in ("end", "ends", "tip"):
        line = [element for element in pronoun.elements[:1] if element.is_line]
        reading.settle("direction", (mark.start, mark.stop), line, lambda e: _has_end(e, here), "orientation")
        return
    if (
        pronoun is None
        or reading.word(before - 1) not in ("to", "on", "at", "in", "along", "off")
        or here.scope in ("half", "part")
    ):
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
    nearest = _just_told(reading, before)
    if nearest and reading.word(mark.stop) != "by":  # a road and a path 40 m to its north: the path, seen from the road
        named = {element.id for element in nearest}
        seen_from = [element for element in others if element.id not in named]
        targets, others = (nearest, seen_from) if seen_from else (targets, others)
    span = (mark.start, mark.stop)
    ahead = reading.binder.next_mention(mark.stop) if _stands_apart(reading, mark, before) else None
    if ahead and ahead.elements and ahead.kind != "pronoun":
        targets = list(ahead.elements)[:1]  # to its south, a street
        others = [each for each in pronoun.elements if each not in targets][:1]
    aside = here.scope == "side" and reading.word(before - 1) == "on"
    bordered = _bordered(reading, before) if aside and not ahead else None
    if bordered is not None and reading.word(mark.stop) != "by":
        targets, others = subjects_of(reading, *bordered), list(bordered[1].elements)
    towards(reading, span, targets, here, others)


def of_owner(reading: Reading, mark: Mark, before: int) -> bool:
    """`On the meadow's east side`: from the thing whose side it is. Adds the claim."""
    here: Place = mark.content
    owner = next((told for told in reading.mentions if told.mark.stop == before + 1 and told.kind != "pronoun"), None)
    owned = owner is not None and reading.text.written[before].endswith(("'s", "\u2019s", "s'"))
    if owner is None or not owned or not here.points or here.scope not in ("", "side"):
        return False
    own = {element.id for element in owner.elements}
    last = reading.binder.inverted(owner.mark.start, mark.stop)  # on the meadow's east side is a pond
    told = last.elements if last else reading.binder.subjects(owner.mark.start) or ()
    subjects = [element for element in told if element.id not in own]
    towards(reading, (owner.mark.start, mark.stop), subjects, here, owner.elements)
    return bool(subjects and own)


def at_side_of(reading: Reading, mark: Mark, before: int) -> bool:
    """`Borders it on the north`, `touches the wood on its south side`: as seen from what it borders. Adds the claim.

    `Borders the wood on the north` may be meant from either, and `to its north` is from what borders.
    """
    here: Place = mark.content
    own = reading.word(before) in ("its", "their")
    preposition = before - 1 if own else before
    if own and here.scope == "side" and (verb := _followed(reading, before)) is not None:
        pronoun = reading.by_start[before]
        subjects = subjects_of(reading, verb, pronoun) or (reading.binder.subjects(verb.start) or [])[:1]
        others = [element for element in pronoun.elements if element not in subjects]
        towards(reading, (mark.start, mark.stop), subjects, here, others)  # follows its western side
        return bool(subjects and others)
    bordered = _bordered(reading, preposition + 1) if _names_side(reading, mark, preposition, own=own) else None
    meaning = bordered[0].meaning("rel") if bordered else None
    if bordered is None or meaning is None or meaning.value not in _SIDES:
        return False
    verb, thing = bordered
    participle = reading.word(verb.start).endswith("ing")
    adverbial = participle or reading.word(verb.start) in ROLES | _ADJOINING
    following = _told_after(reading, mark, verb) if adverbial else None
    beside = next((told for told in reading.mentions if participle and told.mark.stop == verb.start), None)
    chosen = following or beside  # near it to the east, a street; a patch of grass bordering it on the east
    subjects = chosen.elements if chosen else subjects_of(reading, verb, thing)
    word = reading.word(preposition)
    clear = own or here.scope or thing.kind == "pronoun" or word == "from"
    if not subjects or not clear or (word in ("to", "in") and following is None):
        return False
    others = [element for element in thing.elements if element not in subjects]
    towards(reading, (mark.start, mark.stop), subjects, here, others)
    return True


def _followed(reading: Reading, before: int) -> Mark | None:
    """`Follows its western side`: the verb right before a possessive pronoun."""
    for verb in reading.marks:
        meaning = verb.meaning("rel") if verb.stop == before else None
        if meaning and meaning.value in _SIDES and before in reading.by_start:
            return verb
    return None


def _names_side(reading: Reading, mark: Mark, preposition: int, *, own: bool) -> bool:
    """Whether a place may be a side of what is bordered: `on the north`, `from the west`, `to the east,`."""
    here: Place = mark.content
    side = here.scope in ("", "side") and (here.compass or own or here.scope == "side")
    word, after = reading.word(preposition), reading.word(mark.stop)
    governed = word in ("on", "from") or (word in ("to", "in") and after == "," and not own)
    return bool(here.points) and side and governed and after not in ("by", "of")


def _told_after(reading: Reading, mark: Mark, verb: Mark) -> Mention | None:
    """What follows an opening phrase and its comma."""
    opens = reading.text.opens_sentence(verb.start) or reading.word(verb.start - 1) in _PARTING
    return reading.binder.next_mention(mark.stop) if opens and reading.word(mark.stop) == "," else None


def _has_end(element: Known, place: Place) -> bool | None:
    """Whether a line can have an end on that side: not where it runs square to it."""
    along = verdicts.along_axis(element, place.vector)
    return along if along or len(place.points) > 1 else None


def _stands_apart(reading: Reading, mark: Mark, before: int) -> bool:
    """`And, 85 m to its south, a street`: between commas, with no thing right before."""
    follows = reading.word(mark.stop) in ("a", "an") and reading.word(before - 2) in _SOME_WAY
    if reading.word(mark.stop) != "," and not follows:
        return False
    at = before - 2
    while reading.word(at) in _SOME_WAY:
        at -= 1
    for number in reading.marks:
        if number.kind == "quantity" and number.stop == before - 1:
            at = number.content.start - 1
    return at < 0 or reading.word(at) in _PARTING or reading.text.sentence[at] != reading.text.sentence[before]


def _bordered(reading: Reading, before: int) -> tuple[Mark, Mention] | None:
    """`Borders the wood on its southern side`: the wood's, with the mark of bordering."""
    at = before - 1 - (reading.word(before - 2) in (",", *_CLOSELY))
    for number, mark in enumerate(reading.marks[:-1]):
        thing = reading.by_start.get(reading.marks[number + 1].start)
        active = mark.kind == "rel" and reading.word(mark.stop - 1) != "by"
        active = active and reading.word(mark.start - 1) not in DETERMINERS  # the adjoining wood to its south
        if active and thing and thing.kind in ("class", "name", "pronoun") and thing.mark.stop == at:
            return mark, thing
    return None


def _just_told(reading: Reading, before: int) -> list[Known]:
    """The thing told last in the clause of a word; nothing where it is a pronoun."""
    clause = reading.binder.clause
    for mention in reversed(reading.mentions):
        if mention.mark.stop <= before and mention.kind != "pronoun":
            return list(mention.elements) if clause[mention.mark.start] == clause[before] else []
    return []


def of_something(reading: Reading, mark: Mark) -> bool:
    """`North of the road`, `on the right side of the wood`, `in the middle of the lake`; not `of the picture`."""
    mention = reading.binder.next_mention(mark.stop)
    if mention is None or mention.mark.start > mark.stop + REACH:
        return False
    between = reading.text.words[mark.stop + 1 : mention.mark.start]
    said = between[:-1] if between[-1:] == ["that"] else between  # to the west of that street
    if any(not word.isalnum() or word in _NOT_OF for word in said) or any(
        each.kind in ("picture", "place") for each in reading.marks if mark.stop < each.start < mention.mark.start
    ):
        return False
    vague = mention.kind in ("pronoun", "generic")
    own = {each.id for each in (mention.elements[:1] if vague else mention.elements)}
    fronted = not mark.start or reading.binder.is_fronted(mark.start, mention.mark.stop)
    targets = None if fronted else reading.binder.subjects(mark.start)
    mine = {each.id for each in targets or ()}
    if own < mine:
        targets = [each for each in targets or () if each.id not in own]
    elif targets is None or own <= mine or (not vague and own >= mine):
        after = reading.binder.next_mention(mention.mark.stop)
        while after and after.elements and own >= {each.id for each in after.elements}:  # and 95 m from it
            after = reading.binder.next_mention(after.mark.stop)
        targets = [each for each in (after.elements if after else ()) if each.id not in own]
    span = (mark.start, mention.mark.stop)
    others = [each for each in mention.elements if each not in targets][:1] if vague else []
    if mark.content.points:
        towards(reading, span, targets, mark.content, others or mention.elements)
    else:
        weak = mention.kind == "pronoun"  # the middle of it: perhaps of the picture
        relate(reading, span, targets, "inside", others or mention.elements, weak=weak)
    return True
