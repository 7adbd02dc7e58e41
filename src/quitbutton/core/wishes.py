"""When a user's own words ask for the end of the conversation, and when they plainly say yes to it. Doubt means no.

A wish is a clause in which every word is known: one that ends, one that names the conversation, and none beside them but
fillers such as "please". A sentence about an end ("when does the session end?") has a word too many.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from quitbutton.core.provenance import own_words
from quitbutton.core.wish_words import SPEECHES, UNSPACED_WISH, UNSPACED_YES, Speech

LONGEST_WISH, LONGEST_YES = 600, 100
"""Characters of one's own words: a longer text says something else as well."""


TAKEN_BACK = re.compile(
    r"(?<!\w)(?:no|nope|not|\w+n't|dont|never|wait|cancel|instead|rather|kidding|joking|nein|nicht|kein\w*|nie|warte|"
    r"ne|pas|jamais|"
    r"attends|nunca|espera|non|mai|aspetta|não|nao|niet|nooit|hayır|değil|не|нет|ні|لا|ليس)(?!\w)|しない|ないで|지 마|"
    r"不|别|別"
)
"""What takes a wish or a yes back where it follows."""
REPORTED = re.compile(
    r"(?<!\w)(?:but|if|unless|when|until|after|before|first|says?|said|tells?|told|writes?|wrote|translat\w*|means?|"
    r"called|titled|"
    r"example|story|character|pretend|aber|wenn|falls|erst|bevor|sag\w*|schreib\w*|mais|quand|avant|d'abord|dis|dit|"
    r"écri\w*|pero|cuando|"
    r"antes|primero|dice|di|escrib\w*|ma|se|quando|prima|scrivi|mas|primeiro|maar|als|eerst|ale|jeśli|najpierw|ama|"
    r"önce|но|если|сначала|"
    r"але|якщо|спочатку|لكن|إذا)(?!\w)|でも|もし|하지만|만약|但|如果|先"
)
"""What puts a wish off, or shows that it is only told of, wherever it stands."""
CLAUSE = re.compile(r"[.!;,:\n…。！、，；]+|(?<=\?)|(?<=？)| [-–—] ")
QUOTING = re.compile(r"[\"“”„«»「」`<>]")
QUESTION = re.compile("[?？؟]")
ABOUT_ONESELF = frozenset(("i", "we", "ich", "wir", "je", "on", "yo", "io", "eu", "ik"))
"""Who asks whether they may end it asks for nothing yet."""
WORD = re.compile(r"[\w'-]+")
PHRASE = re.compile(
    r"(?:please )?(?:yes )?(?:please )?(?:go ahead|do it|do so|please do|i do|i am|i'm sure|i am sure|that's right|"
    r"that is right|"
    r"of course|end it|close it)(?: please| now)?|d'accord|bien sûr|de acuerdo|por supuesto|va bene|com certeza|"
    r"mach das|so ist es"
)
"""Yes in more than one word."""


def _normal(text: str) -> str:
    folded = unicodedata.normalize("NFKC", own_words(text)).lower()
    return folded.replace("\u0307", "").replace("’", "'").strip()


def _clauses(text: str) -> Iterator[str]:
    yield from (part.strip() for part in CLAUSE.split(text) if part.strip())


def _is_wish(clause: str) -> bool:
    """True where the clause asks for the end of the conversation and says nothing else."""
    if UNSPACED_WISH.fullmatch(re.sub(r"[\s?？]", "", clause)):
        return True
    words = WORD.findall(clause)
    return not QUOTING.search(clause) and any(_asks(words, one, clause[-1] in "?？؟") for one in SPEECHES)


def _asks(words: list[str], speech: Speech, is_question: bool) -> bool:
    said = set(words)
    if (
        not said & speech.ends
        or not said & speech.this
        or not said <= speech.ends | speech.this | speech.fills | speech.asks
    ):
        return False
    return not is_question or (words[0] in speech.asks and not said & ABOUT_ONESELF)


def _wishes(text: str) -> bool:
    wished = False
    for clause in _clauses(text):
        if _is_wish(clause):
            wished = True
        elif REPORTED.search(clause) or (wished and TAKEN_BACK.search(clause)):
            return False
    return wished


def _agrees(text: str) -> bool:
    """True where every clause says yes or asks for the end, and none says anything else."""
    if UNSPACED_YES.fullmatch(re.sub(r"[\W_]", "", text)):
        return True
    agreed = False
    for clause in _clauses(text):
        said = set(WORD.findall(clause))
        if not said or (agreed and any(said <= one.polite for one in SPEECHES)):
            continue
        if not (PHRASE.fullmatch(clause) or _is_wish(clause) or any(_says_yes(said, one, agreed) for one in SPEECHES)):
            return False
        agreed = True
    return agreed


def _says_yes(said: set[str], speech: Speech, agreed: bool) -> bool:
    if said & speech.yes and said <= speech.yes | speech.polite:
        return True
    is_yes = agreed or said & speech.yes
    return bool(is_yes and said & speech.ends and said <= speech.yes | speech.fills | speech.ends | speech.this)


def wishes_to_end(text: str) -> bool:
    """True when the user's own words ask for the end of the conversation. Doubt means no."""
    words = _normal(text)
    return len(words) <= LONGEST_WISH and _wishes(words)


def confirms(text: str) -> bool:
    """True when the user's own words plainly say yes, or ask for the end once more. Doubt means no."""
    words = _normal(text)
    return len(words) <= LONGEST_YES and not QUESTION.search(words) and (_agrees(words) or _wishes(words))
