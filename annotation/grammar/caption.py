"""Captions from facts: which facts are told, in which order, in which sentences."""

from collections.abc import Sequence
from random import Random

from annotation.grammar.clause import Plan, say
from annotation.grammar.content import tellable
from annotation.grammar.english import sentence
from annotation.grammar.lexicon import Uses
from annotation.grammar.wording import VIEWS, Wording
from annotation.request import ElementFacts

SHORTEST, LONGEST = 15, 70
"""Words of a caption."""
TRIES = 16
_NEXT_SEED = 0x9E3779B9

FIRST: tuple[Plan, ...] = (
    ("np", "vp"), ("np", "vp", "and"), ("np", "vp", "ing"), ("np", "post", "vp"), ("np", "post", "vp", "ing"),
    ("np", "post", "vp", "and"), ("np", "aside", "vp"), ("np", "aside", "vp", "and"),
    ("front", "np", "vp"), ("front", "np", "vp", "and"), ("front", "np", "vp", "ing"), ("front", "np", "post", "vp"),
    ("shows", "np", "post"), ("shows", "np", "ing"), ("shows", "np", "post", "ing"), ("shows", "np", "rel"),
    ("inverted", "np", "post"), ("inverted", "np", "ing"), ("inverted", "np", "rel"),
    ("passive", "np", "post"), ("passive", "np", "rel"), ("there", "np", "post", "rel"),
)  # fmt: skip
NEXT: tuple[Plan, ...] = (
    ("it", "vp"), ("it", "vp", "and"), ("it", "vp", "ing"), ("opening", "it", "vp"), ("own",), ("own", "also"),
)  # fmt: skip
"""Plans of sentences: a thing (`np`, `it`), facts in the places of `lexicon.Uses`, and ways to open."""
SCENE_FIRST: tuple[Plan, ...] = (
    ("np", "vp"), ("np", "vp", "ing"), ("front", "np", "vp"), ("shows", "np", "rel"), ("inverted", "np", "rel"), ("passive", "np"),
    ("np", "post", "vp"), ("np", "vp", "and"),
)  # fmt: skip
SCENE_NEXT: tuple[Plan, ...] = (("np", "vp"), ("np", "post", "vp"), ("inverted", "np"), ("front", "np", "vp"))
JOINTS = (", while ", "; ", ", and ", ". ", ". ")


def caption(elements: Sequence[ElementFacts], seed: int, draft: str = "") -> str:
    """One to three sentences from the facts of one element or, as a scene, of several.

    Args:
        elements: what is told; the first carries a scene.
        seed: the same seed and facts give the same caption.
        draft: a caption that the result must differ from.

    Returns:
        Text of 15 to 70 words where the facts suffice for 15.
    """
    best = ""
    for attempt in range(TRIES):
        rng = Random((seed + attempt * _NEXT_SEED) & 0xFFFFFFFFFFFF)
        text = _scene(elements, rng) if len(elements) > 1 else _single(elements[0], rng, attempt)
        if text == draft:
            continue
        if SHORTEST <= (length := text.count(" ") + 1) <= LONGEST:
            return text
        if length <= LONGEST and len(text) > len(best):
            best = text
    return best


def _single(element: ElementFacts, rng: Random, attempt: int) -> str:
    told = Wording(element, rng, _views(rng))
    pool = tellable(told)
    kept = min(len(pool), 3 + int(rng.random() * 3) + attempt // 3)
    pool = pool[:kept]
    sentences = [sentence(_realise(FIRST, told, pool))]
    while pool and len(sentences) < 3:
        text = _realise(NEXT, told, pool)
        if not text:
            break
        sentences.append(sentence(text))
    return " ".join(sentences)


def _scene(elements: Sequence[ElementFacts], rng: Random) -> str:
    views = _views(rng)
    text = ""
    for number, element in enumerate(elements):
        told = Wording(element, rng, views)
        views = views[1:] + views[:1]
        pool = tellable(told)[: 3 if number == 0 else 2]
        clause = _realise(SCENE_NEXT if number else SCENE_FIRST, told, pool)
        joint = JOINTS[int(rng.random() * len(JOINTS))] if number else ""
        if joint.startswith(".") or not joint or _joined_already(text):
            text = f"{text} {sentence(clause)}"
        else:
            text = f"{text[:-1]}{joint}{clause}."
    return text.strip()


def _joined_already(text: str) -> bool:
    """Whether the last sentence has two clauses."""
    last = text.rstrip(".").rpartition(". ")[2]
    return any(joint in last for joint in (", while ", "; ", ", and ")) or len(last) > 160


def _views(rng: Random) -> list[str]:
    views = list(VIEWS)
    rng.shuffle(views)
    return views


def _realise(plans: Sequence[Plan], told: Wording, pool: list[Uses]) -> str:
    """A clause after one of the plans that the pool can fill; what is told leaves the pool. Nothing if none can."""
    for _ in range(TRIES):
        plan = plans[int(told.rng.random() * len(plans))]
        text = say(plan, told, pool)
        if text:
            return text
    return next((text for plan in plans if (text := say(plan, told, pool))), "")
