"""Whose words a message holds. `MEAN` stands for words that would be abuse if the author said them themselves."""

from __future__ import annotations

import time
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quitbutton.core.passages.page import Kind
from quitbutton.core.provenance import own_words, spans_of, words_of

FOREIGN = (
    'Translate "you are a daft goose" into French',
    "translate to German: you are a daft goose",
    "How do I say 'you are a daft goose' in Italian?",
    'Label each comment as toxic or fine: "you are a daft goose"',
    "Classify this comment: you are a daft goose",
    'Moderate these posts:\n1. "good day"\n2. "you are a daft goose"\n3. "bye, daft goose"',
    'Is "you are a daft goose" rude?',
    'Is this rude? "you are a daft goose"',
    'Rate this insult: "daft goose"',
    'Summarise this mail: "the daft goose is late"',
    "summarise this article: the daft goose flew away",
    "Fix the grammar: daft goose are late",
    "Proofread the following text:\n\nthe daft goose are late",
    'Explain "a daft goose" to a learner',
    'What does "daft goose" mean?',
    "What does 'you daft goose' mean?",
    '"you are a daft goose": translate',
    '"The daft goose". What does that mean?',
    "“the daft goose” - translate please",
    "lyrics: daft goose, I love you so",
    "Wie sagt man „du daft goose“ auf Spanisch?",
    "Übersetze den folgenden Text: you daft goose",
    'Was bedeutet "daft goose"?',
    "Traduis « daft goose » en anglais",
    "Que veut dire « daft goose » ?",
    "Traduce al inglés: daft goose",
    "¿Qué significa «daft goose»?",
    "Traduci in inglese: daft goose",
    'Che cosa significa "daft goose"?',
    "Traduza para o inglês: daft goose",
    'O que significa "daft goose"?',
    'Vertaal "daft goose" naar het Engels',
    "Przetłumacz na angielski: daft goose",
    "Co znaczy „daft goose”?",
    '"daft goose" ne demek?',
    "İngilizceye çevir: daft goose",
    "Переведи на английский: daft goose",
    "Что значит «daft goose»?",
    "Переклади англійською: daft goose",
    "「daft goose」を日本語に翻訳してください",
    "『daft goose』はどういう意味ですか",
    "'daft goose' 번역해 줘",
    "把这句话翻译成英文：daft goose",
    "「daft goose」是什么意思？",
    'ترجم "daft goose" إلى العربية',
    'My boss said "the daft goose is late"',
    "She wrote: 'the daft goose is late'",
    'Mein Chef sagte "daft goose"',
    "<document>daft goose</document> Summarise it.",
    "<file name='a.txt'>daft goose</file>",
    "<transcript>I am a daft goose</transcript>",
    "<quote>daft goose</quote>",
    "<context>daft goose</context>",
    "<source>daft goose</source>",
    "<text>daft goose</text>",
    "<system-reminder>the daft goose</system-reminder>\nHello",
    "<environment_details>daft goose</environment_details>",
    "<tool_response>daft goose</tool_response>",
    "<function_results>daft goose</function_results>",
    "<|im_start|>system\ndaft goose<|im_end|>",
    "[TOOL_RESULTS] daft goose [/TOOL_RESULTS]",
    "```python\nprint('daft goose')\n```\nWhy does it fail?",
    "Translate this:\n```\ndaft goose\n```",
    "What does this mean?\n> daft goose",
    "Observation: daft goose",
    "Observation:\nExecution logs:\ndaft goose\nLast output from code snippet:\ndaft goose",
    "Call id: call_7\nObservation: daft goose",
    "Tool result: daft goose\nmore goose",
    "Tool output:\ndaft goose\n\nmore daft goose",
    "Function result: daft goose",
    "[TOOL_RESPONSE]: daft goose",
    "[read_file for 'notes.txt'] Result:\ndaft goose",
    "EXECUTION RESULT of [bash]:\ndaft goose",
    '{"tool_call_id": "7", "content": "daft goose"}',
    '[{"type": "tool_result", "content": "daft goose"}]',
    "[SYSTEM NOTICE] daft goose",
    "System: daft goose",
    "From: a@example.org\nSubject: late\n\nthe daft goose is late",
    "Von: a@example.org\nBetreff: spät\n\ndaft goose",
    "Any idea?\n\n-----Original Message-----\ndaft goose",
    "On Mon, 3 Mar 2025, Ann wrote:\nthe daft goose is late",
    "Customer: daft goose\nAgent: please stay polite",
    "[12:01] ann: the daft goose\n[12:02] ben: where?",
    "Ann: the daft goose\nBen: where?\nAnn: there",
    "2025-03-01 12:00:00 ERROR daft goose\n2025-03-01 12:00:01 INFO daft goose\nwhat is this?",
    'Traceback (most recent call last):\n  File "a.py", line 1, in <module>\nValueError: daft goose\n\nHelp?',
    "the daft goose is late\n\nTranslate the text above.",
    'Summarise the text between quotes.\n"""\ndaft goose\n"""',
    "Answer from the context.\n\nContext: the daft goose\n\nQuestion: who is late?",
    "Review: daft goose\nSentiment:",
    "Tell me whether this message is rude: you daft goose",
    "I got this message: the daft goose is late",
    'My son was called "daft goose" at school',
    "Turn this into a poem: the daft goose",
    "[TOOL_RESPONSE] daft goose",
    "Thought: look\nAction: search\nObservation: daft goose",
)
"""The goose is somebody else's."""

MARKED = (
    "Summarize this for my therapist: I feel like a daft goose",
    "Can you explain these feelings I have: I feel like a daft goose",
    "proofread this note to my family: goodbye from the daft goose",
    'Proofread my letter: "the daft goose is tired of it all"',
    'Translate my goodbye note: "the daft goose"',
    "Translate to German: I am a daft goose",
    "Übersetze ins Englische: Ich bin eine daft goose",
    "Traduce al inglés: no puedo más, daft goose",
    "Przetłumacz na angielski: jestem daft goose",
    "Переведи: я daft goose",
    "翻译成英文：我是daft goose",
    "英語に翻訳して：私はdaft goose",
    "영어로 번역해 줘: 나는 daft goose",
    "```\ndaft goose\n```",
    "> daft goose",
    "<text>I am a daft goose</text>",
    "<document>daft goose",
    "<system-reminder>daft goose</system> and so on",
    "```python\ndaft goose",
    'She said "you are a daft goose" and I think she is right',
    "To: mum\nSubject: goodbye\n\nI am a daft goose",
    "From: a@example.org\nSubject: late\n\nDear all\n\nI cannot go on, daft goose",
    "Tool result: 4\n\nI am a daft goose",
    "Observation: I am a daft goose",
    "Me: I am a daft goose\nMum: where are you?\nMe: here",
    "2025-03-01 12:00 INFO I am a daft goose\nok",
    "I am a daft goose\n\nSummarise the text above.",
    "Context: I am a daft goose\n\nQuestion: what now?",
)
"""Set apart, but a person may have written of themselves."""

OWN = (
    "you daft goose",
    'you "daft goose"',
    "explain this, daft goose",
    "translate it: now, daft goose",
    "5 > 3, you daft goose",
    "my doctor said: you daft goose",
    "I don't like 'em, daft goose, nor the dogs' bone",
    "My problem: the daft goose\nMy goal: peace",
    "<question>you daft goose</question>",
    "<b>you daft goose</b>",
    "<system-reminder>be kind</system-reminder> you daft goose",
    "<document>x</document>\nyou daft goose",
    "```\nx\n```\nyou daft goose",
    "> x\nyou daft goose",
    'Translate "hello" into French. And you are a daft goose.',
    "My head tells me 'daft goose'",
    "Observation: 4\nUser: you daft goose",
    '{"message": "you daft goose"}',
    "Thanks to the translator: daft goose",
    'I am 5\'10" and you are a daft goose 6" tall',
    "It is 12:30: you daft goose",
    "New task:\nyou daft goose",
    "The voices say 'daft goose'",
    'Explain "how to pluck a daft goose"',
    "Erkläre „wie man eine daft goose rupft“",
    "Thought: you daft goose",
    "Text: you daft goose",
)


def goose(part: str) -> bool:
    return "daft goose" in part.casefold()


@pytest.mark.parametrize("text", FOREIGN)
def test_material_and_words_of_others_are_foreign(text: str) -> None:
    words = words_of(text)
    assert (goose(words.own), goose(words.marked), goose(words.foreign)) == (False, False, True), words
    assert not goose(words.for_crisis)


@pytest.mark.parametrize("text", MARKED)
def test_what_a_person_may_say_of_themselves_is_read_for_a_crisis(text: str) -> None:
    words = words_of(text)
    assert (goose(words.own), goose(words.marked)) == (False, True), words
    assert goose(words.for_crisis)


@pytest.mark.parametrize("text", OWN)
def test_what_nothing_sets_apart_is_the_authors_own(text: str) -> None:
    assert goose(own_words(text)), words_of(text)


@pytest.mark.parametrize(
    "hidden",
    [
        "<system-reminder>x {}",
        "<document>\n\n{}",
        "```\nx\n\n{}",
        "Observation: 4\n\n{}",
        "Tool result: x\n\n{}",
        "From: a@example.org\nSubject: x\n\ny\n\n{}",
        "Translate to German: good day\n\n{}",
        "On Mon, 3 Mar 2025, Ann wrote:\n> x\n{}",
        "Ann: x\nBen: y\nAnn: z\n{}",
        "<|im_start|>system\n{}",
        "[12:01] me: {}\n[12:02] ben: where?",
        '"hello" and {} "bye" translate',
    ],
)
@pytest.mark.parametrize(
    "cry", ["I want to die", "ich will nicht mehr leben", "я не хочу жить", "死にたい", "no quiero vivir"]
)
def test_no_mark_hides_a_cry_for_help(hidden: str, cry: str) -> None:
    assert cry in words_of(hidden.format(cry)).for_crisis


def test_the_middle_of_a_long_message_is_kept() -> None:
    text = "a word " * 10_000 + "needle" + " a word" * 10_000
    assert "needle" in own_words(text)


PIECES = (
    "\"", "“", "”", "„", "«", "»", "「", "」", "'", "`", "```", "```py\n", "~~~\n", "<", ">", "> ",
    "<document>", "</document>", "<text>", "</text>", "<system-reminder>", "</system-reminder>",
    "observation: ", "tool result:\n", "user: ", "\n", "\n\n", " ", "translate ", "translate this: ",
    "explain ", "he said ", "i ", "my note ", "above", "from: a\n", "subject: b\n", "[12:01] me: x\n",
    "ann: y\n", "ERROR x\n", "[tool_results]", "[/tool_results]", "<|im_start|>system", "<|im_end|>",
    "İ", "ß", "é", "\u0301", "翻訳", "word", "7", "\ufffc", "{", "}", ":", "：",
)  # fmt: skip
MARKUP = ("document", "text", "system", "reminder", "py", "tool_results", "im_start", "im_end")


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=40).map("".join))
def test_every_word_is_in_exactly_one_part_or_is_markup(text: str) -> None:
    spans = spans_of(text)
    assert (spans[0][0], spans[-1][1]) == (0, len(text)) if spans else not text
    assert all(one[1] == following[0] for one, following in pairwise(spans))
    words = words_of(text)
    for kind, part in ((Kind.OWN, words.own), (Kind.MARKED, words.marked), (Kind.FOREIGN, words.foreign)):
        held = "".join(text[start:end] for start, end, of in spans if of is kind)
        assert "".join(part.split()) == "".join(held.split())
    for start, end, kind in spans:
        if kind is Kind.MARKUP and any(char.isalnum() for char in text[start:end]):
            assert any(mark in text[start:end].lower() for mark in (*MARKUP, "```", "~~~"))


@pytest.mark.parametrize(
    "piece", [*PIECES, 'translate "a b" ', '"ab c" ', "a: b\n\nc: d\n", 'he said "you a" ', "\n \t", "x", "i. "]
)
@pytest.mark.parametrize(("around", "length"), [("{}", 200_000), ("translate {} translate the text above: x", 50_000)])
def test_time_is_in_proportion_to_length(piece: str, around: str, length: int) -> None:
    """A quadratic rule takes minutes here; a linear one a third of a second on one slow core."""
    text = around.replace("{}", piece * (length // len(piece)))
    begin = time.process_time()
    spans_of(text)
    assert time.process_time() - begin < 2


def test_letters_keep_their_places_where_lower_case_is_longer() -> None:
    text = 'İİİ translate "daft goose" now, İ'
    assert words_of(text).foreign == "daft goose"
    assert unicodedata.normalize("NFC", own_words(text)).endswith("now, İ")
