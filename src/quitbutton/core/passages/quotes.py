"""Material of a task: what stands in quotation marks near it, after its colon, or above it."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from operator import attrgetter

from quitbutton.core.passages.page import FILLER, Kind, Page, Span, paragraphs
from quitbutton.core.passages.persons import is_first_person, is_second_person
from quitbutton.core.passages.tasks import MINE, THING, TOWARDS, Ask, Task, asks_in

QUOTE = re.compile(
    r"(?<!\w)\"(?=\S)[^\"]+\"(?!\w)|“[^“”\"]+[”\"]|„[^„“”\"]+[“”\"]|«[^«»]+»|»[^«»]+«|‹[^‹›]+›|「[^「」]+」|"
    r"『[^『』]+』|"
    r"《[^《》]+》"
    r"|(?<!\w)'(?=\w)(?:[^'\n]|(?<=\w)'(?=\w)){2,500}'(?!\w)|(?<!\w)‘(?:[^‘’\n]|(?<=\w)’(?=\w)){2,500}’(?!\w)|`[^`\n]+`"
)
BEFORE, AFTER, CHAIN = 140, 110, 40
"""Characters of one's own between a task and the quotation after it, the one before it, and between two of a list."""
SAID = 45
"""The same between "he said" and what he said."""
STOP = re.compile(r"[.!?。！？…][\s\"]")
BREAK = re.compile(r"[.!?。！？…][\s\"]|\n")
LEAD = 80
"""Characters before the task on its line: "could you please"."""
HOW = re.compile(
    r"\W*(?:(?:how (?:to|do|does|can|could|would|i)|"
    r"(?:the )?(?:steps|ways?|method|recipe|instructions) (?:to|for|of)|"
    r"wie (?:man|kann|baue|mache|stelle)|comment (?:faire|fabriquer|puis|on)|cómo|"
    r"come (?:fare|si|posso)|como (?:fazer|posso|eu)|"
    r"hoe (?:maak|kan|je)|jak (?:zrobić|mogę|się)|nasıl|как|як)(?!\w)|如何|怎么|怎麼|どうやって|어떻게|كيف)"
)
HANDED = re.compile(r"[:：\n]")
"""Without one of these, or a quotation, a message hands over nothing."""
COLON = re.compile(r"[^\n:：;.!?。]{0,140}(?:[:：]|(?=\n))")
ABOVE = re.compile(
    r"(?<!\w)(?:above|(?:das|den text|die nachricht|der text) (?:oben|da oben)|obige\w*|ci-dessus|de arriba|"
    r"anterior|qui sopra|acima|hierboven|"
    r"powyższ\w*|yukarıdaki\w*|выше|вище)(?!\w)|上の|上記|위의|위 글|上面|以上|أعلاه"
)
start_of = attrgetter("start")


def take_material(page: Page) -> None:
    """Take quotations and what else a task is about."""
    quoted = [found.span() for found in QUOTE.finditer(page.left) if found.end() - found.start() > 3]
    if not quoted and not page.apart and not HANDED.search(page.left):
        return
    around = _without(page.left, quoted)
    asks = asks_in(around)
    if not asks:
        return
    for start, end in page.apart:
        if (kind := _kind_near(page.left, around, asks, start, end)) is not None:
            page.recast(start, end, kind)
    page.take(_quotations(page.left, around, asks, quoted))
    page.take(_after_colon(page.left, asks))
    page.take(_above(page.left, asks))


def _without(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """The text with filler for the spans: words in a quotation ask for nothing."""
    parts: list[str] = []
    done = 0
    for start, end in spans:
        parts += (text[done:start], FILLER * (end - start))
        done = end
    return "".join((*parts, text[done:]))


def _quotations(text: str, around: str, asks: Sequence[Ask], quoted: Sequence[tuple[int, int]]) -> Iterator[Span]:
    last, kind = -1, Kind.OWN
    for start, end in quoted:
        found = _kind_near(text, around, asks, start, end)
        if found is None and kind != Kind.OWN and start - last <= CHAIN and not STOP.search(around, last, start):
            found = _of_text(text[start:end], Task.TURN if kind == Kind.FOREIGN else Task.REWORK)
        kind, last = found or Kind.OWN, end
        if found is not None:
            yield start, start + 1, Kind.MARKUP
            yield start + 1, end - 1, found
            yield end - 1, end, Kind.MARKUP


def _kind_near(text: str, around: str, asks: Sequence[Ask], start: int, end: int) -> Kind | None:
    """Whose words a quotation holds, by the tasks that stand near it; None where none does."""
    inside = text[start:end]
    place = bisect_left(asks, start, key=start_of)
    for ask in reversed(asks[max(0, place - 3) : place]):
        if start - ask.end <= (SAID if ask.task is Task.SPEECH else BEFORE):
            if ask.task is Task.SPEECH and STOP.search(around, ask.end, start):
                continue
            return _of_quote(around[max(0, ask.start - 60) : start], inside, ask.task)
    for ask in asks[place : place + 3]:
        if 0 <= ask.start - end <= (SAID // 2 if ask.task is Task.SPEECH else AFTER):
            return _of_quote(around[end : ask.end + 60], inside, ask.task)
    return None


def _of_quote(near: str, inside: str, task: Task) -> Kind | None:
    if task is Task.JUDGE and HOW.match(inside):
        return None  # "Explain 'how to ...'" is a request, not a word to be explained.
    if task is not Task.SPEECH and MINE.search(near):
        return Kind.MARKED
    return _of_text(inside, task)


def _of_text(inside: str, task: Task) -> Kind:
    """Whose words quoted material holds: could somebody in danger hand this over about themselves?"""
    if task in (Task.LABEL, Task.TURN):
        return Kind.FOREIGN
    own = is_second_person(inside) if task is Task.SPEECH else is_first_person(inside)
    return Kind.MARKED if own else Kind.FOREIGN


def _after_colon(text: str, asks: Sequence[Ask]) -> Iterator[Span]:
    """What follows "translate to German:", to the end of the message, a paragraph at a time."""
    for ask in asks:
        floor = max(0, ask.start - LEAD)
        begin = max((stop.end() for stop in BREAK.finditer(text, floor, ask.start)), default=floor)
        if ask.task is Task.SPEECH or (begin and begin == floor):
            continue
        colon = COLON.match(text, ask.end)
        if colon is None or not _hands_over(text[begin : colon.end()], ask, colon[0]):
            continue
        mine = bool(MINE.search(text, begin, colon.end()))
        for number, (start, end) in enumerate(paragraphs(text, colon.end(), len(text))):
            is_label = ask.task is Task.LABEL and not number
            own = mine or (not is_label and is_first_person(text[start:end]))
            yield start, end, Kind.MARKED if own else Kind.FOREIGN
        return


def _hands_over(sentence: str, ask: Ask, rest: str) -> bool:
    """True where the words up to the colon, or to the end of their line, hand over what follows."""
    if rest.lstrip().startswith(("it ", "it:", "it,")) or FILLER in rest:
        return False
    if ask.task is Task.JUDGE:
        return bool(THING.search(sentence))
    if rest.endswith((":", "：")):
        return True
    return bool(THING.search(sentence) or TOWARDS.search(rest)) and not sentence.rstrip().endswith("?")


def _above(text: str, asks: Sequence[Ask]) -> Iterator[Span]:
    """What stands above "translate the text above", the last paragraph's task."""
    parts = list(paragraphs(text, 0, len(text)))
    if len(parts) < 2:
        return
    last = parts[-1][0]
    place = bisect_left(asks, last, key=start_of)
    if any(ask.task is not Task.SPEECH for ask in asks[place:]) and ABOVE.search(text, last):
        for start, end in parts[:-1]:
            yield start, end, Kind.MARKED if is_first_person(text[start:end]) else Kind.FOREIGN
