"""What can be said of each fact: as predicate, after the noun, as an opening, as a sentence of its own.

`cover~` is a verb that follows its subject: covers, cover, and covering after a comma. `{slots}` are filled by
`wording.Wording`, from the tables that checks read backwards; no other word of measure may stand here.
"""

import re
from dataclasses import dataclass

from annotation.grammar.english import words_of

_IRREGULAR = {
    "be": ("is", "are", "being"),
    "have": ("has", "have", "having"),
    "go": ("goes", "go", "going"),
    "do": ("does", "do", "doing"),
    "lie": ("lies", "lie", "lying"),
}
_DOUBLED = frozenset(("run", "cut", "span", "set"))
_STATIVE = frozenset(("be", "have"))
_VERB = re.compile(r"(\w+)~")


ONE, MANY, PARTICIPLE = range(3)
"""Forms of a verb."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A phrase with slots in three forms; they are the same where it has no verb.

    Attributes:
        forms: for one subject, for several, as a participle.
        verb: the verb, or the first word of a phrase without; no caption uses one twice.
        words: of each form.
    """

    forms: tuple[str, str, str]
    verb: str
    words: tuple[frozenset[str], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Uses:
    """Patterns of one fact by their place in a sentence.

    Attributes:
        vp: after the subject.
        ing: after a comma.
        post: after the noun.
        opening: before any subject.
        front: before the first mention only.
        own: as a whole clause.
    """

    vp: tuple[Pattern, ...]
    ing: tuple[Pattern, ...]
    post: tuple[Pattern, ...]
    opening: tuple[Pattern, ...]
    front: tuple[Pattern, ...]
    own: tuple[Pattern, ...]

    def at(self, place: str) -> tuple[Pattern, ...]:
        """Patterns for a place, by its name."""
        patterns: tuple[Pattern, ...] = getattr(self, place)
        return patterns


def conjugate(verb: str) -> tuple[str, str, str]:
    """Third person, plural and participle of a verb: covers, cover, covering."""
    if verb in _IRREGULAR:
        return _IRREGULAR[verb]
    if verb.endswith("y") and verb[-2] not in "aeiou":
        third = f"{verb[:-1]}ies"
    else:
        third = f"{verb}es" if verb.endswith(("s", "sh", "ch", "x", "z")) else f"{verb}s"
    if verb in _DOUBLED:
        return third, verb, f"{verb}{verb[-1]}ing"
    return third, verb, f"{verb.removesuffix('e')}ing"


def pattern(text: str) -> Pattern:
    """Reads a phrase of the lexicon."""
    found = _VERB.search(text)
    one, many, participle = (
        _VERB.sub(lambda verb, form=form: conjugate(verb[1])[form], text)  # type: ignore[misc]
        for form in range(3)
    )
    forms = (one, many, participle)
    return Pattern(forms, found[1] if found else text.split(" ", 1)[0], tuple(map(words_of, forms)))


def patterns(text: str) -> tuple[Pattern, ...]:
    """Alternatives, divided by `|`."""
    return tuple(pattern(" ".join(each.split())) for each in text.split("|") if each.strip())


def _uses(*, vp: str = "", post: str = "", front: str = "", opening: str = "", own: str = "") -> Uses:
    verbs = patterns(vp)
    participles = tuple(
        each for each in verbs if each.forms[ONE] != each.forms[PARTICIPLE] and each.verb not in _STATIVE
    )
    openings = participles if opening == "ing" else patterns(opening)
    return Uses(verbs, participles, patterns(post), openings, patterns(front) + openings, patterns(own))


SHARE = _uses(
    vp="""cover~ {share} of {whole} | take~ up {share} of {whole} | fill~ {share} of {whole}
        | occupy~ {share} of {whole} | spread~ over {share} of {whole} | extend~ over {share} of {whole}
        | make~ up {share} of {whole} | account~ for {share} of {whole} | stretch~ over {share} of {whole}""",
    opening="ing",
    own="{share} of {whole} is taken up by {it_object} | in all, {it} cover~ {share} of {whole}",
)
PASSIVES = ("covered by", "taken up by", "occupied by", "filled by")

PLACE = _uses(
    vp="lie~ {place} | be~ located {place} | be~ situated {place} | be~ set {place} | be~ found {place}",
    post="{place}",
    front="{place}",
)
LISTED_PLACE = _uses(
    vp="lie~ {place} | be~ found {place} | be~ situated {place} | be~ located {place}",
)
SPREAD = _uses(
    vp="stretch~ {span} | extend~ {span} | spread~ {span} | be~ spread {span}", post="{span}", front="{span}"
)
PASSING = _uses(vp="run~ {span} | pass~ {span} | make~ {its} way {span}", post="{span}", front="{span}")
LINE_PLACE = _uses(vp="lie~ {place} | be~ located {place} | be~ found {place}", post="{place}", front="{place}")

SIZE = _uses(
    vp="""measure~ {area} | span~ {area} | cover~ {area} of ground | have~ an area of {area} | extend~ over {area}
        | occupy~ {area} of ground | spread~ over {area}""",
    post="of {area} | measure~ {area} | with an area of {area}",
    opening="ing",
    own="{its} extent is {area} | {it} be~ {area} in size | on the ground {it} measure~ {area}",
)
CUT_SIZE = _uses(
    vp="""measure~ {area} {here} | span~ {area} {here} | cover~ {area} of ground {here}
        | have~ a visible area of {area} | spread~ over {area} {here} | occupy~ {area} of ground {here}""",
    post="with {area} in view | with {area} visible | with a visible area of {area}",
    opening="measure~ {area} {here} | with {area} in view | with {area} visible",
    own="""{its} visible part measures {area} | altogether {area} of {it_object} can be seen
        | {view} shows {area} of {it_object} | {its} visible portion has an area of {area}
        | the part in view covers {area}""",
)

SHAPE = _uses(
    vp="""form~ {form} | have~ the shape of {form} | take~ the form of {form} | be~ {shape} in outline
        | have~ {a_shape} outline | show~ {a_shape} outline""",
    post="with {a_shape} outline | in the shape of {form} | of {shape} shape",
    opening="{shape} in outline | {shape} in shape",
    own="{its} outline is {shape} | {its} shape is that of {form} | seen from above, {it} be~ {shape}",
)
CUT_SHAPE = _uses(
    own="""{its} visible part is {shape} | the part that can be seen is {shape} in outline
        | {its} visible outline is {shape} | {its} visible part has the shape of {form}
        | the portion in view has {a_shape} outline""",
)

EDGES = _uses(
    vp="""be~ cut off by {edges} | run~ out of {view} at {edges} | continue~ beyond {edges} | reach~ {edges}
        | continue~ {headings} | extend~ beyond {edges} | pass~ out of view at {edges} | meet~ {edges}
        | leave~ {view} at {edges} | go~ on past {edges} | touch~ {edges}""",
    post="cut off by {edges} | reach~ {edges}",
    opening="cut off by {edges} | continue~ {headings} | reach~ {edges}",
    own="{it} continue~ {headings} | only part of {it_object} is visible, cut off by {edges}",
)
LINE_EDGES = _uses(
    vp="continue~ beyond {edges} | reach~ {edges} | run~ out of {view} at {edges} | leave~ {view} at {edges}",
    post="reach~ {edges}",
    opening="run~ on beyond {edges} | reach~ {edges}",
)

AXIS = _uses(
    vp="extend~ {axis} | be~ aligned {axis} | stretch~ {axis} | be~ oriented {axis}",
    post="stretch~ {axis}",
    opening="aligned {axis} | stretch~ {axis} | oriented {axis}",
    own="{its} long axis runs {axis} | lengthwise {it} run~ {axis}",
)
LINE_AXIS = _uses(
    vp="run~ {axis} | be~ aligned {axis} | trend~ {axis} | extend~ {axis} | be~ oriented {axis}",
    post="run~ {axis}",
    opening="run~ {axis} | aligned {axis} | trending {axis}",
    own="on the whole {it} trend~ {axis}",
)

QUALITY = _uses(vp="have~ {qualities} | feature~ {qualities}", post="with {qualities}")
EACH_QUALITY = _uses(vp="each have~ {qualities}", post="each with {qualities}", own="every one has {qualities}")
STATE = _uses(vp="be~ {state}", post="{state}", opening="{state}")

PARTS = _uses(
    vp="""be~ split into {parts} parts | fall~ into {parts} pieces | consist~ of {parts} separate parts
        | come~ in {parts} pieces | be~ visible in {parts} places""",
    post="in {parts} separate parts | in {parts} pieces",
    opening="split into {parts} parts | divided into {parts} pieces",
    own="{parts} separate pieces of {it_object} can be seen",
)

LINE_PARTS = _uses(
    vp="be~ visible in {parts} places | be~ visible as {parts} separate stretches",
    post="in {parts} pieces",
)

COURSE = _uses(
    vp="run~ {way} | follow~ {a_bent} course | take~ {a_bent} route | have~ {a_bent} course | keep~ to {a_bent} course",
    post="with {a_bent} course",
    opening="{bent} throughout | {bent} all the way | run~ {way}",
    own="{its} course is {bent} | {its} route is {bent}",
)
LOOP = _uses(
    vp="run~ {way} | make~ a closed loop | form~ a closed ring | return~ to {its} own beginning",
    post="{way}",
    own="{its} ends meet",
)
_ENDS = """run~ {from_to} | pass~ {from_to} | reach~ {from_to} | extend~ {from_to} | stretch~ {from_to}
    | extend~ between {both_ends}"""
_THROUGH = """cross~ {view} {from_to} | traverse~ {view} {from_to} | cut~ through {view} {from_to}
    | pass~ through {view} {from_to} | run~ {from_to} | extend~ between {both_ends}"""
_ROAD = " | lead~ {from_to} | connect~ {both_ends} | link~ {both_ends}"
_ENDS_AFTER = "run~ {from_to} | stretch~ {from_to} | between {both_ends}"
_ENDS_BEFORE = "run~ {from_to} | stretch~ {from_to}"
_ROAD_BEFORE = " | lead~ {from_to} | link~ {both_ends} | connect~ {both_ends}"
_FOLLOWED = "{it} can be followed {from_to}"
RUN = _uses(vp=_ENDS, post=_ENDS_AFTER, opening=_ENDS_BEFORE, own=_FOLLOWED)
THROUGH = _uses(vp=_THROUGH, post=_ENDS_AFTER, opening=_ENDS_BEFORE, own=_FOLLOWED)
ROAD_RUN = _uses(vp=_ENDS + _ROAD, post=_ENDS_AFTER, opening=_ENDS_BEFORE + _ROAD_BEFORE, own=_FOLLOWED)
ROAD_THROUGH = _uses(vp=_THROUGH + _ROAD, post=_ENDS_AFTER, opening=_ENDS_BEFORE + _ROAD_BEFORE, own=_FOLLOWED)
LENGTH = _uses(
    vp="""measure~ {length} | extend~ for {length} | be~ {length} long | run~ for {length} | have~ a length of {length}
        | stretch~ over {length} | continue~ for {length} | go~ on for {length}""",
    post="of {length} | measure~ {length} | with a length of {length}",
    own="{its} length is {length} | from end to end {it} measure~ {length}",
)
CUT_LENGTH = _uses(
    vp="""measure~ {length} {here} | can be followed for {length} | extend~ for {length} {here}
        | run~ for {length} {here} | stretch~ over {length} {here} | have~ a visible length of {length}
        | be~ visible for {length} | remain~ in view for {length}""",
    post="with {length} in view | with a visible length of {length}",
    opening="visible for {length} | with {length} in view",
    own="""{its} visible stretch is {length} long | altogether {length} of {it_object} can be seen
        | {view} shows {length} of {it_object} | the part in view is {length} long""",
)

SPREADING = _uses(
    vp="stand~ {arranged} | lie~ {arranged} | be~ {arranged}",
    opening="{arranged}",
)
SPACING = _uses(
    vp="""be~ spaced {spacing} apart | stand~ {spacing} apart | lie~ {spacing} apart""",
    post="{spacing} apart",
    opening="spaced {spacing} apart | {spacing} apart",
    own="from one to the next it is {spacing} | the usual distance to the next one is {spacing}",
)
TOGETHER = _uses(
    vp="add~ up to {area} | together cover~ {area} | jointly occupy~ {area} of ground",
    own="together they cover {area} | in total they occupy {area} | their combined area is {area}",
)

EDGE_NAMES = frozenset(("north", "east", "south", "west"))
