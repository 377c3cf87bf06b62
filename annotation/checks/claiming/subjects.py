"""What stands in a relation to something: the subject of its clause, what comes last, what `with` brings."""

from annotation.checks.claiming.known import Known
from annotation.checks.claiming.marks import FINITE, Mark
from annotation.checks.claiming.mentions import ROLES, Mention
from annotation.checks.claiming.reading import Reading

REACH = 6
"""Words between a relation and what it governs."""
STANDING = frozenset(("stand", "stands", "lie", "lies", "sit", "sits", "grow", "runs", "run", "goes", "passes"))
_ASIDE_WITH = 30
"""Words from `with` to the participle of what it brings."""


def subjects_of(reading: Reading, mark: Mark, mention: Mention) -> list[Known]:
    """Things that may stand in a relation to a mention: the subject of the clause, or what follows a fronted phrase."""
    own = {element.id for element in mention.elements}
    if (beside := _lying(reading, mark)) is not None and not own & {element.id for element in beside.elements}:
        return list(beside.elements)
    if (inverted := _inverted(reading, mark, mention)) is not None:
        return inverted
    targets = reading.binder.subjects(mark.start)
    found = [element for element in targets or () if element.id not in own]
    if found or targets is None or mention.kind == "pronoun":
        return found
    return _around(reading, mark, mention, own)


def _around(reading: Reading, mark: Mark, mention: Mention, own: set[str]) -> list[Known]:
    """The thing told before a relation, or the one told after what it governs where the relation stands in front."""
    earlier = [told for told in reversed(reading.mentions) if told.mark.start < mark.start]
    before = [element for told in earlier for element in told.elements if element.id not in own][:1]
    same = any(reading.clause[told.mark.start] == reading.clause[mark.start] for told in earlier)
    verb = reading.word(mark.start) not in ROLES and reading.word(mark.start).endswith("s")
    if same or (before and verb):  # ; crosses grass and forest
        return before
    after = reading.binder.next_mention(mention.mark.stop)
    return [element for element in (after.elements if after else ()) if element.id not in own] or before


def _inverted(reading: Reading, mark: Mark, mention: Mention) -> list[Known] | None:
    """`Touching it on the north-west is Whitehall Terrace`, `inside both stand trees`: the subject comes last."""
    after = reading.binder.next_mention(mention.mark.stop)
    word = reading.word(mark.start)
    stands = word in ("inside", "within", "in", "through") and reading.word(mention.mark.stop) in STANDING
    named = word == "through" and after is not None and after.kind == "name" and after.mark.start == mention.mark.stop
    if stands or named:  # through it 233rd Street goes
        return list(after.elements) if after is not None else None
    if word in ROLES and (last := reading.binder.inverted(mark.start, mention.mark.stop)):
        return list(last.elements)  # next to the canal, on its western side, is an industrial area
    opens = reading.text.opens_sentence(mark.start) and reading.word(mark.start).endswith("ing")
    stop = mention.mark.stop
    verb = next((at for at in range(stop, stop + REACH) if reading.word(at) in ("is", "are", "runs", "lies")), None)
    if not opens or verb is None or "," in reading.text.words[stop:verb]:
        return None
    after = reading.binder.next_mention(verb)
    return list(after.elements) if after is not None else None


def _lying(reading: Reading, mark: Mark) -> Mention | None:
    """`The pitch lying within it`: the noun right before a participle."""
    if not reading.word(mark.start - 1).endswith("ing"):
        return None
    return next((told for told in reading.mentions if told.mark.stop == mark.start - 1 and told.elements), None)


def attached(reading: Reading, mark: Mark) -> Mention | None:
    """`A park, with a straight street, a primary road, crossing it`: the street."""
    words = reading.text.words
    if not words[mark.start].endswith("ing") or words[mark.start - 1] != ",":
        return None
    opening = [at for at in range(max(0, mark.start - _ASIDE_WITH), mark.start) if words[at] == "with"]
    following = reading.binder.next_mention(opening[-1] + 1) if opening else None
    if following is None or following.mark.start > mark.start or not following.elements:
        return None
    own = reading.same_sentence(following.mark, mark) and not any(
        word in FINITE for word in words[following.mark.stop : mark.start]
    )
    return following if own else None
