"""Undoes cheap disguises: zero-width characters, look-alikes, leetspeak, spaced-out and starred letters, base64, emoji."""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata

LOOKALIKES = str.maketrans("абвгезкморстухіјѕԁһԛԝαβεικνορτυχѵ", "abbrezkmopctyxijsdhqwabeiknoptuxv")
LEET = str.maketrans("013457@$!|", "oieastasii")
INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
MIXED = re.compile(r"\w*(?:[a-z][\u0370-\u04ff\u0500-\u052f]|[\u0370-\u04ff\u0500-\u052f][a-z])\w*")
SWAPPED = re.compile(r"[013457@$|]")
"""What stands for a letter in every disguised word: looked for first, since most texts have none."""
DISGUISED = re.compile(r"(?<![\w@$|])(?=[\w@$!|]*[a-z])(?=[\w@$!|]*[013457@$|])[a-z013457@$!|]{3,20}(?![\w@]|\.\w)")
SPACED = re.compile(r"(?<!\w)(?:[a-z][ .\-_*]{1,2}){3,30}[a-z](?!\w)")
STRETCHED = re.compile(r"(.)\1{2,}")
NOT_A_WORD = re.compile(r"[ .\-_*]+")
MEASURE = re.compile(r"\d+[a-z]{1,3}|[a-z]{1,2}\d+|[a-z]+\d{1,4}")
STARRED = tuple(
    (re.compile(rf"(?<![a-z]){pattern}"), word)
    for pattern, word in (
        (r"f[*#_\-.]{1,3}c?k(?=ing|er|ed|s|in|\b)|f[*#]{3}(?!\w)", "fuck"),
        (r"sh[*#_\-.]{1,2}t|s[*#]{2,3}t", "shit"),
        (r"b[*#_\-.]{1,2}t?ch|b[*#]{3}h", "bitch"),
        (r"a[*#]{2}(?=hole|\b)|a[*#_]s(?=hole|\b)", "ass"),
        (r"c[*#_]nt|c[*#]{2}t", "cunt"),
        (r"id[*#_]ot", "idiot"),
        (r"k[*#_\-.]ll", "kill"),
        (r"r[*#_\-.]pe", "rape"),
        (r"su[*#_\-.]c[i*#]de|s[*#]{2}cide", "suicide"),
    )
)
EMOJI = {
    "🖕": "fuck you", "🤬": "fucking", "💩": "shit", "🤡": "clown", "🐷": "pig", "🐖": "pig", "🐒": "monkey",
    "🐵": "monkey", "🤮": "disgusting", "🔪": "knife", "🗡": "knife", "🔫": "gun", "💣": "bomb", "🧨": "explosives",
    "☠": "dead", "💀": "dead", "⚰": "coffin", "🩸": "blood", "💊": "pills", "🖤": "dark heart", "💔": "heartbroken",
    "🍆": "penis", "🍑": "ass", "🪢": "rope", "🚬": "smoke", "🧪": "chemicals",
}  # fmt: skip
"""What an emoji says where it stands for a word; the others say little and are left as they are."""
PICTURED = re.compile("|".join(EMOJI))
ENCODED = re.compile(r"(?<![\w+/=-])[A-Za-z0-9+/_-]{12,4000}={0,2}(?![\w+/=-])")
READABLE = 0.9
"""Share of letters and blanks from which on decoded bytes are a text."""


def _unleet(match: re.Match[str]) -> str:
    word = match[0]
    return word if MEASURE.fullmatch(word) else word.translate(LEET)


def _decoded(match: re.Match[str]) -> str:
    """The text that a run of base64 stands for; the run itself where it is none, such as a path or a hash."""
    given = match[0]
    try:
        raw = base64.b64decode(
            given.rstrip("=") + "=" * (-len(given.rstrip("=")) % 4), altchars=b"-_" if set(given) & set("-_") else None
        )
        text = raw.decode("utf-8")
    except (binascii.Error, ValueError):
        return given
    plain = sum(char.isalpha() or char in " ,.!?'\n" for char in text)
    return text if " " in text and plain >= READABLE * len(text) else given


def revealed(text: str) -> str:
    """The text with runs of base64 that hold words replaced by those words."""
    return ENCODED.sub(_decoded, text)


def fold(text: str) -> str:
    """The text as it reads: lower case, NFKC, without disguises. For judging only, never for showing."""
    text = revealed(text)
    if text.isascii():
        text = text.lower()
    else:
        text = INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).lower().replace("\u2019", "'")
        text = MIXED.sub(lambda match: match[0].translate(LOOKALIKES), text)
        text = PICTURED.sub(lambda match: f" {EMOJI[match[0]]} ", text)
    if "*" in text or "#" in text or "_" in text or "-" in text:
        for pattern, word in STARRED:
            text = pattern.sub(word, text)
    if SWAPPED.search(text):
        text = DISGUISED.sub(_unleet, text)
    text = SPACED.sub(lambda match: NOT_A_WORD.sub("", match[0]), text)
    return STRETCHED.sub(r"\1\1", text)
