"""Seeded errors by rule: one thing of a true caption is made wrong.

Each function gives versions of a caption with one error each, and leaves out by a stated rule what might still be
true. The rules look at facts and words only, never at what the checker says.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from annotation.request import ElementFacts

Elements = Sequence[ElementFacts]

_ACROSS = {"west": "east", "left": "right"}
_UP = {"north": "south", "top": "bottom", "upper": "lower"}
_ENDINGS = r"(ern|erly|wards?|most|ernmost)?"
_SIDES: Mapping[str, tuple[re.Pattern[str], dict[str, str]]] = {
    axis: (
        re.compile(rf"(?i)(?<![a-z])((?:north|south)?-?)({'|'.join(both)}){_ENDINGS}(?![a-z])" if axis == "across"
                   else rf"(?i)(?<![a-z])()({'|'.join(both)})(?:(?=-?(?:east|west))()|{_ENDINGS}(?![a-z]))"),
        both,
    )
    for axis, pairs in (("across", _ACROSS), ("up", _UP))
    for both in [{**pairs, **{value: key for key, value in pairs.items()}}]
}  # fmt: skip
_CELL = {"across": {"left": "right", "right": "left"}, "up": {"top": "bottom", "bottom": "top"}}
_EDGE = {"across": {"west": "east", "east": "west"}, "up": {"north": "south", "south": "north"}}
_NEAR = 45
"""Characters within which a word and its opposite make a pair: from the west to the east."""


def swapped_sides(text: str, elements: Elements) -> Iterator[str]:
    """One word of direction turned into its opposite: left for right, north for south.

    Left out: a word within `_NEAR` characters of its own opposite (`from west to east` may be said of either end),
    `right` that is no side, where a line heads (it may be followed either way), words within names, and all words of
    an axis along which some element of the sheet lies the same in both senses: its cells are their own mirror image,
    or both edges cut it.
    """
    named = _names(text, elements)
    for axis, (pattern, opposite) in _SIDES.items():
        if any(_mirrors(element.facts, axis) for element in elements):
            continue
        for match in pattern.finditer(text):
            word, other = match[2], opposite[match[2].lower()]
            around = text[max(0, match.start() - _NEAR) : match.end() + _NEAR].lower()
            if any(start <= match.start() < stop for start, stop in named):
                continue
            twins = [key for key in opposite if (key in _POINTS) != (word.lower() in _POINTS)]
            if other in around or any(twin in around for twin in twins if opposite[twin] in around):
                continue
            wards = (match.groups()[-1] or "").startswith("ward") or re.search(
                r"(?i)\b(?:lead|run|head|branch)\w*(?: off)? to the $", text[: match.start()]
            )
            if wards and any("length_m" in element.facts for element in elements):
                continue
            if re.match(r"(?i)right (?:against|next|through|beside|across)", text[match.start() :]):
                continue
            new = other.capitalize() if word[0].isupper() else other
            yield text[: match.start(2)] + new + text[match.end(2) :]


_POINTS = frozenset(("north", "south", "east", "west"))


def _mirrors(facts: Mapping[str, Any], axis: str) -> bool:
    """Whether an element looks the same mirrored: cells, or edges on both sides."""
    swap = _CELL[axis]
    cells = set(facts.get("position") or ())
    mirrored = {"-".join(swap.get(part, part) for part in cell.split("-")) for cell in cells}
    one, other = _EDGE[axis]
    edges = facts.get("edges") or ()
    return cells == mirrored or "whole" in cells or (one in edges and other in edges)


_UNITS = r"%|per ?cent|metres?|meters?|m|feet|ft|yards|hectares?|ha|acres?|square (?:metres?|meters?|feet)|kilomet\w+"
_NUMERAL = re.compile(rf"(?<![\w.,])(\d[\d,]*(?:\.\d+)?) ?-?({_UNITS})(?![\w²])")
_LESS = re.compile(r"(?:less than|under|fewer than|up to|at most|below|nearly|almost)\W*$")
_GROWN, _SHRUNK = 1.7, 0.5


def changed_numbers(text: str, elements: Elements) -> Iterator[str]:
    """A number with a unit made 1.7 times as large; half as large after `less than`, and percentages above 55.

    Left out: `less than` and `more than` keep their sense by the direction of the change; numbers below one and
    percentages below two, which rounding may hide.
    """
    named = _names(text, elements)
    for match in _NUMERAL.finditer(text):
        if any(start <= match.start() < stop for start, stop in named):
            continue
        value = float(match[1].replace(",", ""))
        percent = match[2] in ("%", "percent", "per cent")
        less = _LESS.search(text[: match.start()])
        changed = value * (_SHRUNK if less or (percent and value > 55) else _GROWN)
        if value < (2 if percent else 1) or (
            less and re.search(r"(?:nearly|almost)\W*$", text[: match.start()]) is None and changed < 1
        ):
            continue
        digits = f"{changed:,.0f}" if changed >= 10 else f"{changed:.1f}"
        yield text[: match.start(1)] + digits + text[match.end(1) :]
    for old, new in _SPELLED.items():
        for match in re.finditer(rf"(?i)\b{old}\b", text):
            before = text[max(0, match.start() - 16) : match.start()].lower()
            if (_OVER.search(before) and _size(new) < _size(old)) or (
                _UNDER.search(before) and _size(new) > _size(old)
            ):
                continue
            if not (
                old == "half"
                and not re.match(
                    r" (?:of )?(?:the |this )?(?:image|picture|scene|view|frame|photo)", text[match.end() :]
                )
            ):
                yield text[: match.start()] + (new.capitalize() if match[0][0].isupper() else new) + text[match.end() :]


_SPELLED: dict[str, str] = {
    "a third": "two thirds", "two thirds": "a quarter", "a quarter": "three quarters", "three quarters": "a third",
    "a fifth": "three fifths", "a tenth": "a third", "an eighth": "a half", "a sixth": "a half", "a seventh": "a half",
    "half": "a fifth", "two fifths": "four fifths", "three fifths": "one fifth", "nine tenths": "two fifths",
    "a twentieth": "a quarter", "four fifths": "two fifths", "three hundred metres": "seven hundred metres",
    "a hundred metres": "three hundred metres", "seven hectares": "three hectares", "seven percent": "twenty percent",
    "five percent": "nineteen percent", "eight percent": "thirty percent", "three percent": "twelve percent",
    "thirty metres": "eighty metres", "nine metres": "thirty metres", "six metres": "twenty metres",
    "nine meters": "thirty meters", "fifteen percent": "fifty percent", "two acres": "six acres",
}  # fmt: skip

_SIZES = {"a third": 33, "two thirds": 67, "a quarter": 25, "three quarters": 75, "a fifth": 20, "three fifths": 60,
          "a tenth": 10, "an eighth": 12, "a half": 50, "a sixth": 17, "a seventh": 14, "half": 50, "two fifths": 40,
          "four fifths": 80, "one fifth": 20, "nine tenths": 90, "a twentieth": 5}  # fmt: skip
_OVER, _UNDER = re.compile(r"(?:more than|over|at least) $"), re.compile(r"(?:less than|under|at most) $")


def _size(text: str) -> float:
    """Size of a fraction, or of the number that a measure begins with."""
    numbers = {"three": 3, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "fifteen": 15, "nineteen": 19,
               "twenty": 20, "thirty": 30, "fifty": 50, "eighty": 80, "twelve": 12, "two": 2, "a": 1}  # fmt: skip
    return _SIZES.get(text) or numbers[text.split(" ", maxsplit=1)[0]]


EXCHANGES = {
    "residential street": "canal", "motorway ramp": "footpath", "residential area": "golf course",
    "residential neighborhood": "golf course", "parking lot": "cemetery", "car park": "cemetery",
    "parking area": "cemetery", "parking aisle": "river", "service road": "railway", "tertiary road": "railway",
    "secondary road": "railway", "primary road": "railway", "cycle path": "motorway", "railway track": "canal",
    "railroad track": "canal", "rail track": "canal", "railway line": "canal", "power line": "hedge",
    "school building": "church", "school grounds": "quarry", "baseball field": "pond", "scree slope": "vineyard",
    "bare rock": "orchard", "commercial area": "forest", "retail area": "meadow", "ski area": "golf course",
    "farmyard": "cemetery", "farmland": "quarry", "scrubland": "farmland", "cemetery": "vineyard", "vineyard": "lake",
    "motorway": "footpath", "forest": "lake", "wood": "lake", "woodland": "quarry", "meadow": "school",
    "lake": "parking lot", "pond": "playground", "river": "railway", "stream": "motorway", "path": "canal",
    "track": "river", "street": "stream", "building": "lake", "garage": "pond", "greenhouse": "pond", "grass": "quarry",
    "grassland": "car park", "park": "quarry", "stadium": "lake", "alley": "river", "wetland": "warehouse",
    "water": "farmland", "lawn": "quarry", "scrub": "vineyard", "row of trees": "wall", "tree row": "fence",
    "orchard": "airport", "house": "pond", "farm": "lake", "church": "quarry", "quarry": "church", "hedge": "railway",
    "canal": "hedge", "footpath": "river", "bridge": "lake",
}  # fmt: skip
"""Noun -> another that is neither its kind nor its part."""
_NOUNS = re.compile(rf"(?i)(?<![\w-])({'|'.join(sorted(EXCHANGES, key=len, reverse=True))})(s?)(?![\w-])")


def exchanged_classes(text: str, elements: Elements) -> Iterator[str]:
    """A noun exchanged for one of another class.

    Left out: nouns within names, nouns before another noun (`forest edge`), a path that is a course (`follows a
    winding path`), and what some element of the sheet really is.
    """
    named = _names(text, elements)
    told = " ".join(f"{element.facts.get('noun')} {element.facts.get('plural')}" for element in elements).lower()
    for match in _NOUNS.finditer(text):
        new = EXCHANGES[match[1].lower()]
        course = match[1].lower() in ("path", "track") and re.search(
            r"(?i)\b(?:follow|tak|trac)\w* \S+ \S+ $", text[: match.start()]
        )
        if course or new in told or any(start <= match.start() < stop for start, stop in named):
            continue
        plural = f"{new}s" if match[2] and not new.endswith(("s", "h")) else new
        plural = f"{new}es" if match[2] and new.endswith("ch") else plural
        yield text[: match.start()] + plural + text[match.end() :]


INVENTED = (
    "Zelkova Rise",
    "Brackwater",
    "Oberfinstertal",
    "Quensland Green",
    "Kv\u00edslarh\u00f3ll",
    "Ruelle du Pr\u00e9vert",
)


def invented_names(text: str, elements: Elements) -> Iterator[str]:
    """A name replaced by one that nobody has told, or one given to the first thing where no name stands."""
    named = _names(text, elements)
    new = INVENTED[len(text) % len(INVENTED)]
    for start, stop in named:
        yield text[:start] + new + text[stop:]
    if not named:
        match = _NOUNS.search(text)
        if match:
            yield f"{text[: match.end()]} called {new}{text[match.end() :]}"
            yield f"{text} It is known as {new}."


_COUNTS = {
    "four": "nine", "three": "seven", "eleven": "twenty", "fourteen": "eight", "twenty-one": "thirty-four",
    "57": "24", "307": "120", "11": "19", "about twenty": "about fifty", "a dozen or so": "about fifty",
    "three hundred": "nine hundred", "fifteen": "forty", "five": "twelve", "six": "fourteen", "seven": "sixteen",
    "eight": "three", "nine": "four", "ten": "twenty-five", "twelve": "thirty", "a dozen": "about forty",
    "several": "hundreds of", "a handful of": "dozens of", "a pair of": "seven", "thirty": "sixty", "forty": "ninety",
    "twenty": "fifty", "fifty": "twenty",
}  # fmt: skip


def changed_counts(text: str, elements: Elements) -> Iterator[str]:
    """A number of things changed.

    Only where an element of the sheet is a group; left out are numbers before units, percent, parts and fractions.
    """
    plurals = [str(element.facts["plural"]) for element in elements if "count" in element.facts]
    last = "|".join(re.escape(plural.split(" ")[-1]) for plural in plurals)
    units = "percent|metres|meters|square|parts|pieces|separate"
    for old, new in _COUNTS.items() if plurals else ():
        pattern = rf"(?i)(?<![\w-]){old}(?= (?:[a-z-]+ ){{0,3}}(?:{last})\b)(?! (?:{units}))"
        for match in re.finditer(pattern, text):
            yield text[: match.start()] + (new.capitalize() if match[0][0].isupper() else new) + text[match.end() :]


MUTATIONS: Mapping[str, Callable[[str, Elements], Iterator[str]]] = {
    "direction": swapped_sides,
    "number": changed_numbers,
    "class": exchanged_classes,
    "name": invented_names,
    "count": changed_counts,
}


def _names(text: str, elements: Elements) -> list[tuple[int, int]]:
    """Where names stand in a caption."""
    names = {str(element.facts["name"]) for element in elements if element.facts.get("name")}
    names |= {part.strip() for name in names for part in name.split(";")}
    found = [
        (match.start(), match.end())
        for name in sorted(names, key=len, reverse=True)
        for match in re.finditer(re.escape(name), text)
    ]
    return [span for span in found if not any(a <= span[0] < b and (a, b) != span for a, b in found)]
