"""Undoes cheap disguises: zero-width characters, look-alikes, leetspeak, spaced-out and starred letters, base64, emoji."""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata

LOOKALIKES = str.maketrans(
    "абвгезкмнорстухіјѕԁһԛԝґєіӏёαβγεηικνορτυχωѵօսոհցզք", "abbrezkmhopctyxijsdhqwreileabyenikvoptuxwvounhgqp"
)
SMALL = str.maketrans("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘǫʀꜱᴛᴜᴠᴡʏᴢɑɡɩ", "abcdefghijklmnopqrstuvwyzagi")
"""Small capitals and other letters that no language writes its words with."""
BOXED = str.maketrans(
    {first + place: chr(ord("a") + place) for first in (0x1F150, 0x1F170) for place in range(26)}
    | {0x1F1E6 + place: chr(ord("a") + place) for place in range(26)}
    | {0xE0000 + code: chr(code) for code in range(0x20, 0x7F)}
)
"""Letters in circles and boxes that NFKC leaves, and tag characters, which only a machine reads."""
FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007f]+|[\U0001f1e6-\U0001f1ff]{2}")
REVERSED = re.compile("\u202e([^\u202c\u202e\n]{1,2000})\u202c?")
"""Written backwards, so that it looks right on a screen."""
MARK = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
HEAPED = re.compile(f"([^{MARK}])([{MARK}]+)")
"""A letter and the marks that no letter of any language was made from, such as strokes or heaps of accents."""
TONES = frozenset("\u0300\u0301\u0302\u0303\u0304\u0308\u030c")
"""Marks that some languages put on letters which have no form of their own with them."""
LEET = str.maketrans("013457@$!|", "oieastasii")
INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e001f\U000e007f-\U000e01ef]"
)
MIXED = re.compile(r"[a-z][\u0370-\u058f]|[\u0370-\u058f][a-z]")
"""Letters of two alphabets side by side: no word has them."""
WORD = re.compile(r"\w+")
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


def _bare(match: re.Match[str]) -> str:
    """The letter without its marks; of one that has a tone beside an accent, the letter with its accent."""
    letter, marks = match.groups()
    base = unicodedata.normalize("NFD", letter)[0]
    return letter if (len(marks) == 1 and marks in TONES) or not "a" <= base.lower() <= "z" else base


def _unmasked(text: str) -> str:
    """The text in NFKC and lower case, its invisible characters and its heaps of marks gone, look-alikes replaced."""
    text = REVERSED.sub(lambda match: match[1][::-1], text)
    if max(text) > "\U0001f000":
        text = FLAG.sub(" ", text).translate(BOXED)
    text = unicodedata.normalize("NFKC", INVISIBLE.sub("", text))
    text = HEAPED.sub(_bare, INVISIBLE.sub("", text).lower()).replace("\u2019", "'").translate(SMALL)
    if MIXED.search(text):
        text = WORD.sub(lambda match: match[0].translate(LOOKALIKES) if MIXED.search(match[0]) else match[0], text)
    return PICTURED.sub(lambda match: f" {EMOJI[match[0]]} ", text)


def fold(text: str) -> str:
    """The text as it reads: lower case, NFKC, without disguises. For judging only, never for showing.

    Letters with the accents of a language stay whole; only marks that make no letter fall.
    """
    text = revealed(text)
    text = text.lower() if text.isascii() else _unmasked(text)
    if "*" in text or "#" in text or "_" in text or "-" in text:
        for pattern, word in STARRED:
            text = pattern.sub(word, text)
    if SWAPPED.search(text):
        text = DISGUISED.sub(_unleet, text)
    text = SPACED.sub(lambda match: NOT_A_WORD.sub("", match[0]), text)
    return STRETCHED.sub(r"\1\1", text)
