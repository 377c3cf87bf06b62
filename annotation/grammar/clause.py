"""Clauses about one element: its noun phrase, and facts in the places that a plan gives them."""

from collections.abc import Callable, Mapping, Sequence

from annotation.grammar import lexicon
from annotation.grammar.english import an, is_mass, piece
from annotation.grammar.lexicon import MANY, ONE, PARTICIPLE, Pattern, Uses
from annotation.grammar.wording import Wording, counts, words_of

Plan = tuple[str, ...]

SHOWS = ("shows", "holds", "takes in", "contains", "includes", "presents", "captures")
NAMED = ("named", "called", "by the name of", "known as")
ADJECTIVES = 0.5
"""How often a shape or course stands before the noun."""
PRONOUNS = 0.7

_DRAWS = 4
_OBJECT_AFTER = frozenset(("shows", "inverted", "passive", "there"))


def say(plan: Plan, told: Wording, pool: list[Uses]) -> str:
    """A clause without full stop, or nothing where the facts do not suffice for the plan.

    Facts that are told leave the pool.
    """
    left = list(pool)
    verbs = set(told.verbs)
    said = []
    for place, slot in enumerate(plan):
        text = _SLOTS[slot](told, left, plan[place + 1 :])
        if not text:
            told.verbs = verbs
            return ""
        said.append(text)
    pool[:] = left
    return "".join(said)


def _fact(told: Wording, pool: list[Uses], use: str, form: int) -> str:
    """The first fact of the pool that can be put this way."""
    for number, uses in enumerate(pool):
        chosen = _fresh(told, uses[use], form) if uses[use] else None
        if chosen is None:
            continue
        told.verbs.add(chosen.verb)
        told.used |= words_of(chosen.forms[form])
        del pool[number]
        return chosen.forms[form].format_map(told)
    return ""


def _fresh(told: Wording, options: Sequence[Pattern], form: int) -> Pattern | None:
    """A pattern whose verb has not been said of the thing, and whose words have been used little."""
    drawn = [chosen for _ in range(_DRAWS) if (chosen := told.any(options)).verb not in told.verbs]
    return min(drawn, key=lambda chosen: told.staleness(chosen.forms[form])) if drawn else None


def _number(told: Wording) -> int:
    return MANY if told.many else ONE


def _verb_phrase(told: Wording, pool: list[Uses], after: Plan) -> str:
    text = _fact(told, pool, "vp", _number(told))
    return text and f" {text}"


def _and(told: Wording, pool: list[Uses], after: Plan) -> str:
    text = _fact(told, pool, "vp", _number(told))
    return text and f" and {text}"


def _also(told: Wording, pool: list[Uses], after: Plan) -> str:
    text = _fact(told, pool, "vp", _number(told))
    joint = told.pick((", and", ";", ", where", ", while")[:2])
    return text and f"{joint} {told['it']} {text}"


def _participle(told: Wording, pool: list[Uses], after: Plan) -> str:
    text = _fact(told, pool, "ing", PARTICIPLE)
    return text and f", {text}"


def _relative(told: Wording, pool: list[Uses], after: Plan) -> str:
    text = _fact(told, pool, "vp", _number(told))
    return text and f"{told.pick((' that', ', which'))} {text}"


def _post(told: Wording, pool: list[Uses], after: Plan) -> str:
    text = _fact(told, pool, "post", ONE)
    return text and f" {text}"


def _aside(told: Wording, pool: list[Uses], after: Plan) -> str:
    text = _fact(told, pool, "post", ONE)
    return text and f", {text},"


def _front(told: Wording, pool: list[Uses], after: Plan) -> str:
    text = _fact(told, pool, "front", PARTICIPLE)
    return text and f"{text}, "


def _opening(told: Wording, pool: list[Uses], after: Plan) -> str:
    text = _fact(told, pool, "opening", PARTICIPLE)
    return text and f"{text}, "


def _own(told: Wording, pool: list[Uses], after: Plan) -> str:
    return _fact(told, pool, "own", _number(told))


def _shows(told: Wording, pool: list[Uses], after: Plan) -> str:
    return f"{told.view()} {told.pick(SHOWS)} "


def _there(told: Wording, pool: list[Uses], after: Plan) -> str:
    return "there are " if told.many else "there is "


def _inverted(told: Wording, pool: list[Uses], after: Plan) -> str:
    """`In the upper left lies `; verbs of place only."""
    for number, uses in enumerate(pool):
        if uses in _PLACES:
            del pool[number]
            verb = told.any(_PLACES_VERBS[_PLACES.index(uses)])
            told.verbs.add(verb)
            return f"{told['span' if uses in _SPANS else 'place']} {lexicon.conjugate(verb)[_number(told)]} "
    return ""


def _passive(told: Wording, pool: list[Uses], after: Plan) -> str:
    if lexicon.SHARE not in pool:
        return ""
    pool.remove(lexicon.SHARE)
    return f"{told['share']} of {told['whole']} is {told.pick(lexicon.PASSIVES)} "


def _it(told: Wording, pool: list[Uses], after: Plan) -> str:
    """The thing again: by pronoun, noun or name."""
    if told.chance(PRONOUNS) or told.group:
        return told["it"]
    if told.name and told.chance(0.5):
        return told.name
    return f"{'these' if told.many else 'this'} {told.noun}" if told.chance(0.5) else f"the {told.noun}"


def _noun_phrase(told: Wording, pool: list[Uses], after: Plan) -> str:
    """The thing for the first time."""
    if told.group:
        return f"{told.pick(counts(told.facts['count']))} {told.plural}"
    adjective = _adjective(told, pool)
    if is_mass(told.noun, told.plural) or (told.many and adjective):
        unit = piece(told.noun, told.plural)
        if unit and (adjective or told.chance(0.3)):
            told.many = False
            phrase = an(f"{adjective} {unit} of {told.noun}".strip())
        else:
            phrase = f"{adjective} {told.noun}".strip()
    else:
        phrase = f"{adjective} {told.noun}".strip()
        phrase = phrase if told.many else an(phrase)
    return _named(told, phrase, after) if told.name else phrase


def _adjective(told: Wording, pool: list[Uses]) -> str:
    """Shape, course or a quality, if it is still untold and the lot falls on it."""
    said = ""
    for uses, slot in ((lexicon.SHAPE, "shape"), (lexicon.COURSE, "bent")):
        if uses in pool and len(pool) > 2 and told.chance(ADJECTIVES):
            pool.remove(uses)
            said = told[slot]
    if lexicon.QUALITY in pool and told.adjectives and told.chance(ADJECTIVES):
        pool.remove(lexicon.QUALITY)
        said = f"{said} {told.adjectives[0]}"
    return said.strip()


def _named(told: Wording, phrase: str, after: Plan) -> str:
    if after and after[0] == "vp" and told.chance(0.5):
        return f"{told.name}, {phrase}," if told.chance(0.6) else f"{phrase}, {told.name},"
    if told.chance(0.25) and phrase.endswith(told.noun) and phrase[:2] in ("a ", "an"):
        return f"the {phrase.split(' ', 1)[1]} {told.name}"
    return f"{phrase} {told.pick(NAMED)} {told.name}"


_PLACES = (lexicon.PLACE, lexicon.SPREAD, lexicon.PASSING, lexicon.LINE_PLACE)
_PLACES_VERBS = (("lie", "be"), ("stretch", "extend", "lie", "spread"), ("run", "lie", "pass"), ("lie", "run"))
_SPANS = (lexicon.SPREAD, lexicon.PASSING)
_SLOTS: Mapping[str, Callable[[Wording, list[Uses], Plan], str]] = {
    "np": _noun_phrase,
    "it": _it,
    "vp": _verb_phrase,
    "and": _and,
    "also": _also,
    "ing": _participle,
    "rel": _relative,
    "post": _post,
    "aside": _aside,
    "front": _front,
    "opening": _opening,
    "own": _own,
    "shows": _shows,
    "there": _there,
    "inverted": _inverted,
    "passive": _passive,
}
