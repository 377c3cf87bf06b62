"""Sentences: finished, balanced, said once, in English."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from operator import eq

from annotation.checks.tidiness.caption import RUN, Caption, runs_of, shown, words_of

LOOP = 3
"""How often a run of four words may not occur."""
LOOPED = 0.4
"""Share of the words that lie in such runs from which on it is a loop; scenes of several roads repeat themselves."""
STUTTER = 3
"""How often one or two words may not stand in a row."""
ENGLISH = frozenset(words_of("the of and is are with from its by which this that it to for at where across"))
"""Small words that hardly another language has."""
FEW = ENGLISH | frozenset(
    words_of(
        """
        a an in on as or into over through near between one two side sides top left right edge corner picture image
        road street path track building water field area park land used known located designated serving surface it's
        they about roughly nearly together metres meters feet cover covers lie lies wide long
        """
    )
)
"""Words without which hardly an English text of ten words is made, telegram style included."""
FOREIGN = frozenset(
    words_of(
        """
        der die das und ist mit auf ein eine einer den dem des im le la les est une un dans avec sur el los las del
        una con por il di che della nel het een van op en och på är med w i na jest się do z ze na oraz o os da em
        uma com
        """
    )
)  # fmt: skip
"""Small words of other languages."""

_PAIRS = {")": "(", "]": "[", "}": "{", "”": "“", "»": "«"}
_BRACKETS = re.compile(r"[()\[\]{}“”«»]")
_QUOTES = re.compile(r"[\"“”«»]")
_INCHES = re.compile(r"\d\"")
_CLOSERS = "\"'”)»]"
_HANGING = frozenset(words_of("a an the and or but nor its their whose because than into"))
_FAULT = re.compile(r"[,;:.](?:(?<!\.)\s*[.,;:!?](?!\d)|(?<=\.)(?:\.|\s+[.,;:!?](?!\d)))")
_LIKELY_GAP = re.compile(r" (?:[,.;]|a[,.;]|an[,.]|the[,.;]|and[.;]|or[.;])")
_GAP = re.compile(r"\s(?:an?|the)?[,.;](?!\d)(?!\w\.)|\s(?:and|or)[.;]")
_NO_START = frozenset(",.;:!?)]")
_SENTENCE = re.compile(r"(?<=[.!?])[\"”']?\s+(?=[\"“'(]?[A-ZÀ-Þ0-9])")
_LETTERS = tuple(letter * 4 for letter in "abcdefghjklmnopqrstuvwxyz")
_DOUBLED = frozenset(words_of("the a an and of with from to at is are its by"))


def unfinished(caption: Caption) -> Iterator[str]:
    """No full stop, or a word before it that cannot be the last."""
    text = caption.plain.rstrip()
    end = text.rstrip(_CLOSERS)
    if not end.endswith((".", "!", "?")):
        yield f"unfinished: ends in {shown(text[-20:])}"
    elif end.endswith(("..", "…")):
        yield f"unfinished: trails off in {shown(text[-20:])}"
    elif (last := end.rstrip(".!?").rpartition(" ")[2]) in _HANGING:
        yield f"unfinished: ends in {shown(last)}"
    elif text[0] in _NO_START:
        yield f"unfinished: begins with {shown(text[:20])}"
    elif found := _FAULT.search(text) or (_LIKELY_GAP.search(text) and _GAP.search(text)):
        yield f"unfinished: a gap at {shown(text[max(found.start() - 10, 0) : found.start() + 12])}"


def brackets(caption: Caption) -> Iterator[str]:
    """Brackets and quotation marks that do not match; a caption that stands in quotation marks as a whole."""
    text, odd = caption.plain, caption.odd
    if odd.isdisjoint('()[]{}"“”„«»'):
        return
    if "„" in odd:
        text = text.replace("“", "”").replace("„", "“")
    if fault := _unbalanced(text):
        yield f"brackets: {fault}"
    if '"' in odd and _INCHES.sub("", text).count('"') % 2:
        yield "quotes: one quotation mark is not closed"
    elif text[0] in '"“«' and text[-1] in '"”»' and len(_QUOTES.findall(text)) == 2:
        yield "quotes: the whole caption stands in quotation marks"


def _unbalanced(text: str) -> str:
    opened: list[str] = []
    for bracket in _BRACKETS.findall(text):
        if bracket not in _PAIRS:
            opened.append(bracket)
        elif not opened or opened.pop() != _PAIRS[bracket]:
            return f"{bracket} closes nothing"
    return f"{opened[-1]} is not closed" if opened else ""


def repetition(caption: Caption) -> Iterator[str]:
    """The same sentence twice, words that stutter, runs of words that come again and again."""
    words = caption.words
    if any(map(eq, words, words[1:])) and (stutter := _stutter(words)):
        yield f"repetition: {shown(stutter)}"
    text = caption.plain
    if any(map(_drawls, caption.vocabulary)) and any(map(text.__contains__, _LETTERS)):
        yield "repetition: one letter, again and again"
    if len(caption.distinct) < len(words) - RUN + 1:
        yield from _loops(words)
        yield from _sentences(text)


@lru_cache(maxsize=16384)
def _drawls(word: str) -> bool:
    return any(letters in word for letters in _LETTERS)


def _stutter(words: Sequence[str]) -> str:
    """A small word twice, or any word three times in a row."""
    for word, row in groupby(words):
        count = sum(1 for _ in row)
        if word != "name" and count >= (2 if word in _DOUBLED else STUTTER):
            return " ".join([word] * count)
    return ""


def _loops(words: Sequence[str]) -> Iterator[str]:
    for start in range(2):
        for pair, row in groupby(zip(words[start::2], words[start + 1 :: 2], strict=False)):
            if sum(1 for _ in row) >= STUTTER:
                yield f"repetition: {shown(' '.join(pair))}, {STUTTER} times in a row"
                return
    runs = list(runs_of(words, RUN))
    counts = Counter(runs)
    often = {run for run, count in counts.items() if count >= LOOP}
    covered = {start + step for start, run in enumerate(runs) if run in often for step in range(RUN)}
    if often and len(covered) >= LOOPED * len(words):
        run, count = counts.most_common(1)[0]
        yield f"repetition: {shown(' '.join(run))}, {count} times"


def _sentences(text: str) -> Iterator[str]:
    seen = set()
    for sentence in _SENTENCE.split(text):
        words = tuple(words_of(sentence))
        if len(words) > 2 and words in seen:
            yield f"repetition: the sentence {shown(sentence)}"
            return
        seen.add(words)


def language(caption: Caption) -> Iterator[str]:
    """A caption that is not English."""
    vocabulary = caption.vocabulary
    foreign = len(vocabulary & FOREIGN)
    other = foreign > 2 and foreign > len(vocabulary & ENGLISH)
    if other or (len(caption.words) >= 10 and vocabulary.isdisjoint(FEW)):
        yield f"language: English is wanted, this has {len(vocabulary & ENGLISH)} of its small words"
