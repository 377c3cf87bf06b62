"""Captions of pictures of which only tags are known: what is there and how it looks, never where."""

from collections.abc import Sequence
from random import Random

from annotation.grammar.clause import SHOWS, say
from annotation.grammar.content import tellable
from annotation.grammar.english import is_mass, listed, sentence, words_of
from annotation.grammar.tables import counts
from annotation.grammar.wording import PERCENT, VIEWS, Wording
from annotation.request import ElementFacts

OPENINGS = (
    "{view} {shows} {thing}", "{view} {shows} {thing}", "{thing} can be seen in {view}", "{thing} {appear} in {view}",
    "visible in {view} {be} {thing}", "seen from above, {view} {shows} {thing}", "in {view} there {be} {thing}",
    "{view} gives a view of {thing} from above", "{view}, taken from above, {shows} {thing}",
)  # fmt: skip
"""Ways to say what the picture was taken for."""
TOGETHER = (", together with {others}", ", along with {others}", " as well as {others}")
"""Ways to go on in the same sentence."""
FURTHER = (
    "also in view {be} {others}", "{others} can be seen as well", "{others} {appear} as well",
    "{view} also {captures} {others}", "{view} {captures} {others} too", "it shares {view} with {others}",
    "other things in view {be} {others}",
)  # fmt: skip
"""Ways to go on in a sentence of its own."""
CAPTURES = ("shows", "takes in", "features", "captures")
"""Verbs for the picture that, after a sentence about a thing, cannot be taken for that thing's."""
QUALIFIED = 0.7
"""How often what is known of the look of a surrounding thing is told."""
MOST_TOGETHER = 2
"""More surroundings than these take a sentence of their own."""

_TRIES = 8
_NEXT_SEED = 0x9E3779B9


def tell(elements: Sequence[ElementFacts], seed: int, draft: str = "") -> str:
    """One or two sentences about the focus object and its surroundings.

    Args:
        elements: facts of `annotation.tag_facts`, the focus first.
        seed: the same seed and facts give the same caption.
        draft: a caption that the result must differ from, and whose words it rather leaves.
    """
    text = ""
    for attempt in range(_TRIES):
        text = _told(elements, Random(seed + attempt * _NEXT_SEED), set(words_of(draft)))
        if text != draft:
            break
    return text


def _told(elements: Sequence[ElementFacts], rng: Random, used: set[str]) -> str:
    views = list(VIEWS)
    rng.shuffle(views)
    focus = Wording(elements[0], rng, views, used, percent=rng.random() < PERCENT)
    first = _put(OPENINGS, focus, thing=_thing(focus, 1.0))
    if len(elements) == 1:
        return sentence(first)
    others = [Wording(element, rng, focus.views, used, percent=focus.percent) for element in elements[1:]]
    said = listed([_other(other, focus) for other in others])
    if len(others) <= MOST_TOGETHER and focus.chance(0.5) and first.endswith((focus.noun, focus.plural)):
        return sentence(first + focus.pick(TOGETHER).format(others=said))
    many = len(others) > 1 or others[0].many
    further = [each for each in FURTHER if "it shares" not in each or not focus.many]
    further = [each for each in further if many or not each.startswith("other things")]
    return f"{sentence(first)} {sentence(_put(further, focus, others=said, many=many))}"


def _put(options: Sequence[str], told: Wording, *, many: bool | None = None, **said: str) -> str:
    """One of several ways to say it, with a word for the picture that was not the last."""
    many = told.many if many is None else many
    verbs = {"be": "are" if many else "is", "appear": "appear" if many else "appears"}
    chosen = told.pick(options)
    view = told.view() if "{view}" in chosen else ""
    return chosen.format(view=view, shows=told.pick(SHOWS), captures=told.pick(CAPTURES), **verbs, **said)


def _thing(told: Wording, odds: float) -> str:
    """Noun phrase, and how it looks where the lot falls on it."""
    pool = tellable(told) if told.chance(odds) else []
    return (pool and say(("np", "post"), told, pool)) or say(("np",), told, pool)


def _other(told: Wording, focus: Wording) -> str:
    """A surrounding thing; of the kind of the focus it is another one."""
    if told.name or not f" {focus.noun}".endswith(f" {told.noun}"):
        return _thing(told, QUALIFIED)
    if told.group:
        said = counts(told.facts["count"])
        spelled = [each for each in said if not each.endswith(" of") and not any(map(str.isdigit, each))]
        return f"{told.pick(spelled or ('many',))} more {told.plural}"
    plain = is_mass(told.noun, told.plural) or told.many
    return f"{'more' if plain else 'another'} {told.noun}"
