"""Undoes the cheap disguises: zero-width characters, look-alikes, leetspeak, spaced-out letters, stretched words."""

from __future__ import annotations

import re
import unicodedata

LOOKALIKES = str.maketrans("абвгезкморстухіјѕԁһԛԝαβεικνορτυχѵ", "abbrezkmopctyxijsdhqwabeiknoptuxv")
LEET = str.maketrans("013457@$!|", "oieastasii")
INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
MIXED = re.compile(r"\w*(?:[a-z][\u0370-\u04ff\u0500-\u052f]|[\u0370-\u04ff\u0500-\u052f][a-z])\w*")
DISGUISED = re.compile(r"(?<![\w@$|])(?=[\w@$!|]*[a-z])(?=[\w@$!|]*[013457@$|])[a-z013457@$!|]{3,20}(?![\w@]|\.\w)")
SPACED = re.compile(r"(?<!\w)(?:[a-z][ .\-_*]{1,2}){3,30}[a-z](?!\w)")
STRETCHED = re.compile(r"(.)\1{2,}")
NOT_A_WORD = re.compile(r"[ .\-_*]+")
MEASURE = re.compile(r"\d+[a-z]{1,3}|[a-z]{1,2}\d+|[a-z]+\d{1,4}")


def _unleet(match: re.Match[str]) -> str:
    word = match[0]
    return word if MEASURE.fullmatch(word) else word.translate(LEET)


def fold(text: str) -> str:
    """The text as it reads: lower case, NFKC, without disguises. For judging only, never for showing."""
    text = INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).lower().replace("\u2019", "'")
    if not text.isascii():
        text = MIXED.sub(lambda match: match[0].translate(LOOKALIKES), text)
    text = DISGUISED.sub(_unleet, text)
    text = SPACED.sub(lambda match: NOT_A_WORD.sub("", match[0]), text)
    return STRETCHED.sub(r"\1\1", text)
