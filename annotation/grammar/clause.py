"""Clauses about one element: its noun phrase, and facts in the places that a plan gives them."""

from collections.abc import Callable, Mapping, Sequence

from annotation.grammar import lexicon
from annotation.grammar.english import an, is_mass, piece
from annotation.grammar.lexicon import MANY, ONE, PARTICIPLE, Pattern, Uses
from annotation.grammar.tables import counts
from annotation.grammar.wording import Wording

Plan = tuple[str, ...]
"""Slots of a clause: `np` or `it` for the thing, ways to open (`shows`, `inverted`, `passive`), places of facts."""

SHOWS = ("shows", "takes in", "contains", "includes", "features", "captures")
NAMED = ("named", "called", "by the name of", "known as")
ADJECTIVES = 0.5
"""How often a shape, course or quality stands before the noun."""
PRONOUNS = 0.85
"""How often a thing that was named is `it`."""

_DRAWS = 10
_FINITE = -1
_FACTS: Mapping[str, tuple[str, int, str]] = {
    "vp": ("vp", _FINITE, " {}"),
    "and": ("vp", _FINITE, " and {}"),
    "ing": ("ing", PARTICIPLE, ", {}"),
    "post": ("post", PARTICIPLE, " {}"),
    "aside": ("post", PARTICIPLE, ", {},"),
    "front": ("front", PARTICIPLE, "{}, "),
    "opening": ("opening", PARTICIPLE, "{}, "),
    "own": ("own", _FINITE, "{}"),
}
"""Slot of a plan -> use in the lexicon, form of the verb, what stands around it."""


def say(plan: Plan, told: Wording, pool: list[Uses]) -> str:
    """A clause without full stop, or nothing where the facts do not suffice for the plan.

    Facts that are told leave the pool.
    """
    left, verbs = list(pool), set(told.verbs)
    said = []
    for place, slot in enumerate(plan):
        if slot in _FACTS:
            text = _fact(told, left, *_FACTS[slot])
        elif slot == "np":
            text = _noun_phrase(told, left, before_verb=plan[place + 1 : place + 2] == ("vp",))
        else:
            text = _OTHERS[slot](told, left)
        if not text:
            told.verbs = verbs
            return ""
        said.append(text)
    pool[:] = left
    return "".join(said)


def _fact(told: Wording, pool: list[Uses], use: str, form: int, around: str) -> str:
    """The first fact of the pool that can be put this way."""
    if form == _FINITE:
        form = MANY if told.many else ONE
    for number, uses in enumerate(pool):
        chosen = _fresh(told, uses.at(use), form) if uses.at(use) else None
        if chosen is None:
            continue
        told.verbs.add(chosen.verb)
        told.used |= chosen.words[form]
        del pool[number]
        return around.format(chosen.forms[form].format_map(told))
    return ""


def _fresh(told: Wording, options: Sequence[Pattern], form: int) -> Pattern | None:
    """A pattern whose verb has not been said of the thing, and whose words have been used little."""
    drawn = [each for each in told.rng.choices(options, k=_DRAWS) if each.verb not in told.verbs]
    return min(drawn, key=lambda each: len(each.words[form] & told.used)) if drawn else None


def _also(told: Wording, pool: list[Uses]) -> str:
    text = _fact(told, pool, "vp", _FINITE, "{}")
    return text and f"{told.any((', and', ';'))} {told['it']} {text}"


def _relative(told: Wording, pool: list[Uses]) -> str:
    return _fact(told, pool, "vp", _FINITE, ", which {}" if told.name else told.any((" that {}", ", which {}")))


def _shows(told: Wording, _: list[Uses]) -> str:
    return f"{told.view()} {told.pick(SHOWS)} "


def _inverted(told: Wording, pool: list[Uses]) -> str:
    """`In the upper left lies `: verbs of place only."""
    for number, uses in enumerate(pool):
        for place, slot, verbs in _PLACES:
            if uses is place:
                del pool[number]
                verb = told.any(verbs)
                told.verbs.add(verb)
                return f"{told[slot]} {lexicon.conjugate(verb)[MANY if told.many else ONE]} "
    return ""


def _passive(told: Wording, pool: list[Uses]) -> str:
    """`A third of the picture is covered by `."""
    if lexicon.SHARE not in pool:
        return ""
    pool.remove(lexicon.SHARE)
    return f"{told['share']} of {told['whole']} is {told.pick(lexicon.PASSIVES)} "


def _it(told: Wording, _: list[Uses]) -> str:
    """The thing again: by pronoun, noun or name."""
    if told.group or told.chance(PRONOUNS):
        return told["it"]
    if told.name and told.chance(0.5):
        return told.proper
    return f"{told.any(('these' if told.many else 'this', 'the'))} {told.noun}"


def _noun_phrase(told: Wording, pool: list[Uses], *, before_verb: bool) -> str:
    """The thing for the first time."""
    if told.group:
        return f"{told.pick(counts(told.facts['count']))} {told.plural}"
    if told.says_itself:
        return told.proper
    adjective = _adjective(told, pool)
    unit = piece(told.noun, told.plural)
    mass = is_mass(told.noun, told.plural)
    if unit and (adjective or (mass and told.chance(0.3))):
        told.many = False
        phrase = an(f"{adjective} {unit} of {told.noun}".strip())
    else:
        phrase = f"{adjective} {told.noun}".strip()
        phrase = phrase if mass or told.many else an(phrase)
    return _named(told, phrase, before_verb=before_verb) if told.name else phrase


def _adjective(told: Wording, pool: list[Uses]) -> str:
    """Shape, course and quality, if they are still untold and the lot falls on them."""
    said = []
    for uses, slot in ((lexicon.SHAPE, "shape_before"), (lexicon.COURSE, "bent")):
        if uses in pool and len(pool) > 2 and told.chance(ADJECTIVES):
            pool.remove(uses)
            said.append(told[slot])
    if lexicon.QUALITY in pool and told.adjectives and told.chance(ADJECTIVES):
        pool.remove(lexicon.QUALITY)
        said.append(told.adjectives[0])
    return " ".join(said)


def _named(told: Wording, phrase: str, *, before_verb: bool) -> str:
    if before_verb and told.chance(0.5):
        return f"{told.proper}, {phrase}," if told.chance(0.6) else f"{phrase}, {told.name},"
    if phrase.startswith(("a ", "an ")) and phrase.endswith(told.noun) and not told.echoes and told.chance(0.25):
        return f"the {phrase.split(' ', 1)[1]} {told.name}"
    return f"{phrase} {told.pick(NAMED)} {told.name}"


_PLACES = (
    (lexicon.PLACE, "place", ("lie", "be")),
    (lexicon.LINE_PLACE, "place", ("lie", "run")),
    (lexicon.SPREAD, "span", ("stretch", "extend", "spread")),
    (lexicon.PASSING, "span", ("run", "pass")),
)
_OTHERS: Mapping[str, Callable[[Wording, list[Uses]], str]] = {
    "it": _it,
    "also": _also,
    "rel": _relative,
    "shows": _shows,
    "inverted": _inverted,
    "passive": _passive,
}
