"""Tells a user's own words from what they quote, paste or hand over as material."""

from __future__ import annotations

import re

LONGEST = 6_000
"""Characters read of one message: a longer one keeps its head and its tail."""

MARK = re.compile('[<>`~\\[:"\u201c\u00ab\u201e]')
"""What every pattern below needs one of: looked for first, since most messages have none."""

FENCED = re.compile(r"^[ \t]*(```|~~~).*?(?:^[ \t]*\1[`~]*[ \t]*$|\Z)", re.DOTALL | re.MULTILINE)
QUOTED_LINE = re.compile(r"^[ \t]*>.*$", re.MULTILINE)
WRAPPER = re.compile(
    r"<(document|documents|context|quote|transcript|email|article|source|file|data|text|content|search_results?|tool_result|system|log)\b[^>]{0,200}>"
    r".*?(?:</\1\s*>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
TEMPLATE = re.compile(
    r"<\|(?:im_start|start_header_id)\|>\s*(?:system|assistant|tool).*?(?:<\|(?:im_end|eot_id)\|>|(?=<\|im_start)|\Z)|"
    r"<<SYS>>.*?(?:<</SYS>>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
SYSTEM_LINE = re.compile(
    r"^[ \t]*(?:#+[ \t]*)?(?:\[system[^\]\n]{0,40}\]|system(?: message| prompt| note)?[ \t]*:)[^\n]*$",
    re.IGNORECASE | re.MULTILINE,
)
SPEAKER_LINE = re.compile(
    r"^[ \t]*(?:\[?\d{1,2}:\d\d(?::\d\d)?(?: ?[ap]m)?\]?[ \t]*)?\**(?:system|assistant|user|human|ai|bot|chatbot|customer|"
    r"agent|client|caller|operator|patient|therapist|speaker \w|person \w|him|her|them|he|she)\**[ \t]*:[^\n]*$",
    re.IGNORECASE | re.MULTILINE,
)
TRANSCRIPT = 2
"""Lines with a speaker from which on they are a transcript."""
TASK = (
    r"translat\w*|summari[sz]\w*|proof-?read\w*|correct|paraphras\w*|rephras\w*|classif\w*|analy[sz]\w*|explain|moderate|label|"
    r"what does|what is meant by|is it (?:rude|offensive|okay|ok) to say|he said|she said|they said|he wrote|she wrote|"
    r"[uü]bersetz\w*|tradui\w*|traduc\w*|tradur\w*|vertaal\w*|przet[lł]umacz\w*"
)
MATERIAL = re.compile(
    rf"\b(?:{TASK})\b[^\"\u201c\u00ab\u201e\n]{{0,80}}[\"\u201c\u00ab\u201e]([^\"\u201d\u00bb]{{3,}})[\"\u201d\u00bb\u201c]",
    re.IGNORECASE,
)
PASTED = re.compile(
    rf"^(?P<ask>[^\n]{{0,40}}\b(?:{TASK})\b[^\n:]{{0,80}}\b(?:following|this|these|folgende\w*|suivant\w*|siguiente\w*|seguente|seguinte)\b"
    r"[^\n:]{0,60}:)\s*\S.*",
    re.DOTALL | re.IGNORECASE,
)


def bounded(text: str, longest: int = LONGEST) -> str:
    """The text, or of a very long one its first third and its end."""
    if len(text) <= longest:
        return text
    head = longest // 3
    return f"{text[:head]}\n{text[len(text) - (longest - head) :]}"


def own_words(text: str) -> str:
    """The part of a message that its author says themselves.

    Cautious on purpose: what is not plainly marked as somebody else's stays. Marked are quoted lines, fenced blocks,
    wrapped documents, what looks like a system message, the lines of a transcript with its speakers, quotation marks
    after a word such as "translate", and all that follows "translate this:".
    """
    text = bounded(text)
    if not MARK.search(text):
        return text.strip()
    text = WRAPPER.sub(" ", text)
    text = FENCED.sub(" ", text)
    text = QUOTED_LINE.sub(" ", SYSTEM_LINE.sub(" ", TEMPLATE.sub(" ", text)))
    if len(SPEAKER_LINE.findall(text)) >= TRANSCRIPT:
        text = SPEAKER_LINE.sub(" ", text)
    if pasted := PASTED.match(text.strip()):
        return pasted["ask"]
    return MATERIAL.sub(" ", text).strip()
