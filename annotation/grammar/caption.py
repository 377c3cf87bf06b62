"""Captions from facts: which facts are told, in which order, in which sentences."""

from collections.abc import Mapping, Sequence
from random import Random

from annotation.grammar import tables, tagged
from annotation.grammar.clause import Plan, say
from annotation.grammar.content import essentials, tellable
from annotation.grammar.english import sentence, words_of
from annotation.grammar.lexicon import Uses
from annotation.grammar.wording import PERCENT, VIEWS, Wording
from annotation.request import ElementFacts

SHORTEST, LONGEST = 15, 70
"""Words of a caption."""
LEAST_FACTS, MOST_FACTS = 3, 5
MOST_SENTENCES = 3

FIRST: tuple[Plan, ...] = (
    ("np", "vp"), ("np", "vp", "and"), ("np", "vp", "ing"), ("np", "post", "vp"), ("np", "post", "vp", "ing"),
    ("np", "post", "vp", "and"), ("np", "aside", "vp"), ("np", "aside", "vp", "and"),
    ("front", "np", "vp"), ("front", "np", "vp", "and"), ("front", "np", "vp", "ing"), ("front", "np", "post", "vp"),
    ("shows", "np", "post"), ("shows", "np", "ing"), ("shows", "np", "post", "ing"), ("shows", "np", "rel"),
    ("inverted", "np", "post"), ("inverted", "np", "ing"), ("inverted", "np", "rel"),
    ("passive", "np", "post"), ("passive", "np", "rel"), ("passive", "np", "aside"),
)  # fmt: skip
NEXT: tuple[Plan, ...] = (
    ("it", "vp"), ("it", "vp", "and"), ("it", "vp", "ing"), ("opening", "it", "vp"), ("own",), ("own", "also"),
)  # fmt: skip
SCENE_FIRST: tuple[Plan, ...] = (
    ("np", "vp"), ("np", "vp", "ing"), ("np", "vp", "and"), ("np", "post", "vp"), ("front", "np", "vp"),
    ("shows", "np", "post"), ("shows", "np", "rel"), ("inverted", "np", "rel"), ("inverted", "np"), ("passive", "np"),
)  # fmt: skip
SCENE_NEXT: tuple[Plan, ...] = (("np", "vp"), ("np", "vp"), ("np", "post", "vp"), ("inverted", "np"))
"""Plans of sentences: a thing (`np`, `it`), facts in the places of `lexicon.Uses`, and ways to open."""
JOINTS = (", while ", "; ", ", and ", "", "")
"""What stands between two clauses of a scene; nothing: a full stop."""

_TRIES = 16
_NEXT_SEED = 0x9E3779B9


def caption(elements: Sequence[ElementFacts], seed: int, draft: str = "") -> str:
    """One to three sentences from the facts of one element or, as a scene, of several.

    Args:
        elements: what is told; the first carries a scene.
        seed: the same seed and facts give the same caption.
        draft: a caption that the result must differ from, and whose words it rather leaves.

    Returns:
        Text of 15 to 70 words where the facts suffice for 15; a crowded scene may take a few more. What only tags tell
        (`annotation.tag_facts`) may be shorter.
    """
    if "role" in elements[0].facts:
        return tagged.tell(elements, seed, draft)
    best = longer = ""
    for attempt in range(_TRIES):
        rng = Random(seed + attempt * _NEXT_SEED)
        used = set(words_of(draft))
        text = _scene(elements, rng, used, attempt) if len(elements) > 1 else _single(elements[0], rng, used, attempt)
        if text == draft:
            continue
        if SHORTEST <= (length := text.count(" ") + 1) <= LONGEST:
            return text
        if length <= LONGEST and len(text) > len(best):
            best = text
        if length > LONGEST and (not longer or len(text) < len(longer)):
            longer = text
    return best or longer


def _single(element: ElementFacts, rng: Random, used: set[str], attempt: int) -> str:
    """A caption of one element; the more attempts have failed, the more facts it takes."""
    told = Wording(element, rng, _views(rng), used, percent=rng.random() < PERCENT)
    number = LEAST_FACTS + int(rng.random() * (MOST_FACTS - LEAST_FACTS + 1)) + attempt // 2
    pool = tellable(told)[:number]
    sentences = [sentence(_realise(FIRST, told, pool))]
    while pool and len(sentences) < MOST_SENTENCES and (text := _realise(NEXT, told, pool)):
        sentences.append(sentence(text))
    return " ".join(sentences)


def _scene(elements: Sequence[ElementFacts], rng: Random, used: set[str], attempt: int) -> str:
    """A clause for each element, one or two to a sentence; the more attempts have failed, the fewer facts it takes."""
    views, percent = _views(rng), rng.random() < PERCENT
    sentences: list[str] = []
    nouns: dict[str, str] = {}
    joinable = False
    for number, element in enumerate(elements):
        turn = number % len(views)
        told = Wording(element, rng, views[turn:] + views[:turn], used, percent=percent)
        most = max(1, (2 if number else 3) - attempt // 4)
        plans = SCENE_NEXT if number else SCENE_FIRST
        clause = _realise(plans, told, essentials(told, most)) or _realise(plans, told, tellable(told))
        clause += _relation(told, nouns)
        nouns.setdefault(element.id, told.plural if told.group else told.noun)
        joint = JOINTS[int(rng.random() * len(JOINTS))] if joinable else ""
        if joint:
            sentences[-1] += joint + clause
        else:
            sentences.append(clause)
        joinable = not joint
    return " ".join(map(sentence, sentences))


def _relation(told: Wording, nouns: Mapping[str, str]) -> str:
    """How the thing stands to one that was told before it, as an appendix: `, crossing the forest`."""
    for relation in told.facts.get("relations") or ():
        others = [nouns.get(relation[end]) for end in ("to", "and") if end in relation]
        phrases = tables.relations(relation.get("relation", ""))
        if phrases and all(others) and len(set(others)) == len(others):
            return f", {told.pick(phrases)} {' and '.join(f'the {noun}' for noun in others)}"
    return ""


def _views(rng: Random) -> list[str]:
    views = list(VIEWS)
    rng.shuffle(views)
    return views


def _realise(plans: Sequence[Plan], told: Wording, pool: list[Uses]) -> str:
    """A clause after one of the plans that the pool can fill; what is told leaves the pool. Nothing if none can."""
    for _ in range(_TRIES):
        text = say(told.any(plans), told, pool)
        if text:
            return text
    return next((text for plan in plans if (text := say(plan, told, pool))), "")
