"""Passages that their lines give away: results of tools, mails, quoted lines, transcripts and logs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from quitbutton.core.passages.page import Kind, Page, Span, paragraphs
from quitbutton.core.passages.persons import is_first_person

TOOL = re.compile(
    r"^[ \t]*(?:#{1,4} |\*\*|\[)?(?:(?P<plain>observations?|(?P<model>thought|action(?: input)?|final answer))|"
    r"(?:tool|function)[ _]?(?:call)?[ _]?(?:results?|"
    r"outputs?|responses?)"
    r"|execution (?:logs?|results?|outputs?)(?: of \[[^\]\n]{1,60}\])?|print outputs?|last output from code snippet|"
    r"call id"
    r"|code output|exitcode|response from calling tool[^\n:]{0,60}|\w{2,40}(?: for '[^'\n]{0,200}')?\] result)"
    r"\**\]?(?: \([^)\n]{1,60}\))?\**[ \t]*:"
    r"|^[ \t]*\[(?:tool|function)[ _](?:results?|outputs?|responses?)\]",
    re.MULTILINE,
)
"""How frameworks of agents write a tool's result into the user's message."""
AFTER_TOOL = re.compile(
    r"^[ \t]*\**(?:question|human|user(?:'s input)?|new task|user request|"
    r"task)\**[ \t]*(?::|\n-{4})",
    re.MULTILINE,
)
TOOL_JSON = re.compile(
    r'"(?:tool_call_id|tool_use_id|tool_name|tool_result|tool_output|call_id|function_response|stdout|stderr|exit_?code|'
    r'returncode|observation|structuredcontent)"\s{0,8}:|"type"\s{0,8}:\s{0,8}"(?:tool_result|function_call_output|tool_response)"'
)
FIELD = re.compile(
    r"^[ \t]*(?:#{1,4} |\*\*)?(?:context|passages?|documents?|articles?|sources?|text|review|tweet|comment|e-?mail|"
    r"dialogue|kontext|contexte|"
    r"contexto|contesto|контекст)\**[ \t]*:",
    re.MULTILINE,
)
AFTER_FIELD = re.compile(
    r"^[ \t]*(?:#{1,4} |\*\*)?(?:question|query|task|user|answer|summary|label|sentiment|class|category|translation|"
    r"frage|pregunta|domanda|"
    r"pergunta|вопрос)\**[ \t]*:",
    re.MULTILINE,
)
"""A prompt in fields: what stands between "Context:" and "Question:"."""
SYSTEM_LINE = re.compile(
    r"^[ \t]*(?:#+[ \t]*)?(?:\[system[^\]\n]{0,40}\]|system(?: message| prompt| note)?[ \t]*:)[^\n]*$", re.MULTILINE
)
HEADERS = {
    "from": r"from|von|de|da|van|od|kimden|от|від|差出人|보낸 사람|发件人|寄件者|من",
    "subject": r"subject|betreff|objet|asunto|oggetto|assunto|onderwerp|temat|konu|тема|件名|제목|主题|主旨|الموضوع",
    "other": r"to|cc|bcc|sent|date|reply-to|an|gesendet|datum|à|envoyé|date|para|enviado|fecha|a|inviato|aan|"
    "verzonden|do|"
    r"wysłano|kime|tarih|кому|дата|宛先|日時|받는 사람|날짜|收件人|日期|إلى|التاريخ",
}
HEADER = re.compile(
    r"^[ \t]*\**(?:"
    + "|".join(f"(?P<{name}>{words})" for name, words in HEADERS.items())
    + r")\**[ \t]{0,4}[:：][^\n]*$",
    re.MULTILINE,
)
MAIL = re.compile(
    r"^[ \t]*-{2,20}[ \t]*(?:original message|forwarded message|ursprüngliche nachricht|weitergeleitete nachricht|"
    r"message d'origine|message transféré|mensaje original|mensaje reenviado|messaggio originale|messaggio inoltrato|"
    r"mensagem original|mensagem encaminhada|oorspronkelijk bericht|wiadomość oryginalna|исходное сообщение|"
    r"пересылаемое сообщение)[ \t]*-{2,20}|^begin forwarded message:"
    r"|^[ \t]*(?:on|am|le|el|il|em|op|dnia|w dniu)\b[^\n]{5,120}\b(?:wrote|schrieb[^\n:]{0,80}|a écrit|escribió|"
    r"ha scritto|"
    r"escreveu|schreef[^\n:]{0,80}|napisał\w?)[ \t]{0,4}:[ \t]*$|^[^\n]{3,120}(?:пишет|писал|написал|"
    r"さん?は書きました)[ \t]?:[ \t]*$",
    re.MULTILINE,
)
QUOTED = re.compile(r"^[ \t]*>[^\n]*(?:\n[ \t]*>[^\n]*)*", re.MULTILINE)
SPEAKER = re.compile(
    r"^[ \t]*(?P<time>\[?(?:\d{1,4}[./-]\d{1,2}[./-]\d{1,4},? ?)?\d{1,2}:\d\d(?::\d\d)?(?: ?[ap]\.?m\.?)?\]?[ \t]*-?[ \t]*)?"
    r"[\"<*]{0,2}(?P<name>[^\W\d][\w.'’-]{0,20}(?: [\w.'’()#-]{1,20}){0,2})[>*]{0,2}[ \t]{0,4}[:：][^\n]+$",
    re.MULTILINE,
)
ROLES = re.compile(
    r"(?:system|assistant|user|human|ai|bot|chatbot|chatgpt|customer|agent|support|client|caller|operator|patient|"
    r"therapist|"
    r"doctor|interviewer|host|guest|teacher|student|judge|lawyer|witness|speaker \w+|person \w+|him|her|them|he|she|"
    r"mom|mum|dad|"
    r"kunde|kundin|berater|assistent|er|sie|client|conseiller|cliente|agente|asistente|klient|müşteri|клиент|"
    r"оператор|客户|客服|お客様)"
)
SELF = re.compile(
    r"(?:me|myself|i|ich|moi|je|yo|io|eu|ik|ja|ben|я|私|僕|俺|나|저|我|أنا|user|human|patient|client|caller|customer)"
)
"""Speakers that may be the author."""
LOG = re.compile(
    r"^[ \t]*(?:\[?\d{4}-\d\d-\d\d[t ]\d\d:\d\d\S*\]?|\[?\d\d[:/.]\d\d[:/.]\d\d(?:[.,]\d+)?\]?|"
    r"\w{3} +\d{1,2} \d\d:\d\d:\d\d)?"
    r"[^\w\n]{0,4}(?:[\w.-]{1,40} ){0,2}[\[(]?\b(?:debug|info|notice|warn|warning|error|err|fatal|critical|"
    r"trace)\b[\])]?[:|\s-][^\n]*$"
    r"|^traceback \(most recent call last\):(?:\n[ \t]+[^\n]*)*(?:\n[\w.]{1,60}(?:error|exception|exit|"
    r"interrupt)\b[^\n]*)?"
    r"|^[ \t]+at [\w$.<>]{1,120}\([^\n)]{0,120}\)$|^[ \t]*file \"[^\"\n]{1,200}\", line \d+[^\n]*$",
    re.MULTILINE,
)
STAMP = re.compile(
    r"\d\d:\d\d|[\[(](?:debug|info|notice|warn|warning|error|fatal|critical|trace)[\])]|traceback|^\s+at |^\s*file \""
)


def material(text: str, start: int, end: int) -> Kind:
    """Whose words material is: somebody else's, unless it speaks in the first person and so may be the author's."""
    return Kind.MARKED if is_first_person(text[start:end]) else Kind.FOREIGN


def _open_end(text: str, start: int, end: int, first_is_foreign: bool) -> Iterator[Span]:
    """A passage without a closing mark: its author may go on below it, so each later paragraph is looked at by "
    "itself."""
    for number, (begin, stop) in enumerate(paragraphs(text, start, end)):
        yield begin, stop, Kind.FOREIGN if first_is_foreign and not number else material(text, begin, stop)


def take_tool_results(page: Page) -> None:
    """Take what a tool answered, from its label to its end, and lines that pose as the system's."""
    text = page.left
    if (bare := text.strip()) and bare[0] in "{[" and bare[-1] in "}]" and TOOL_JSON.search(bare):
        page.take([(0, len(text), Kind.FOREIGN)])
        return
    if ":" not in text and "[" not in text:
        return
    labels = list(TOOL.finditer(text))
    spans: list[Span] = []
    done = 0
    for label in labels if any(not label["model"] for label in labels) else ():
        if label.start() >= done:
            after = AFTER_TOOL.search(text, label.end())
            done = after.start() if after else len(text)
            spans += _open_end(text, label.start(), done, first_is_foreign=not label["plain"])
    page.take(spans)
    page.take([(*found.span(), material(page.left, *found.span())) for found in SYSTEM_LINE.finditer(page.left)])


def take_fields(page: Page) -> None:
    """Take the material of a prompt that is written in fields, each up to the field that asks about it."""
    text = page.left
    spans: list[Span] = []
    done = 0
    for field in FIELD.finditer(text) if ":" in text else ():
        if field.start() < done:
            continue
        if (after := AFTER_FIELD.search(text, field.end())) is None:
            break
        done = after.start()
        spans += _open_end(text, field.start(), done, first_is_foreign=False)
    page.take(spans)


def take_mails(page: Page) -> None:
    """Take a mail or what is forwarded, to the end of the message."""
    text = page.left
    if "--" in text or ":" in text or "：" in text:
        if (found := MAIL.search(text)) and not text[found.end() :].lstrip().startswith(">"):
            page.take([(*found.span(), Kind.FOREIGN)])
            page.take(_open_end(text, found.end(), len(text), first_is_foreign=False))
            return
        heads = list(HEADER.finditer(text))
        for one, following in pairwise(heads):
            if following.start() == one.end() + 1 and {one.lastgroup, following.lastgroup} & {"from", "subject"}:
                named = any(head["from"] for head in heads[:6])
                page.take(_open_end(text, one.start(), len(text), first_is_foreign=named))
                return


def take_quoted_lines(page: Page) -> None:
    """Take lines that begin with `>`."""
    if ">" in page.left:
        found = [quoted.span() for quoted in QUOTED.finditer(page.left)]
        page.apart += found
        page.take((start, end, Kind.MARKED) for start, end in found)


def take_transcripts(page: Page) -> None:
    """Take the lines of a conversation between others, where there are at least two. The author's own lines are "
    "marked."""
    text = page.left
    if ":" not in text and "：" not in text:
        return
    said = list(SPEAKER.finditer(text))
    often = Counter(line["name"] for line in said)
    spoken = [
        line
        for line in said
        if line["time"]
        or ROLES.fullmatch(line["name"])
        or (len(often) > 1 and max(often.values()) > 1 and len(said) > 2)
    ]
    if len(spoken) < 2:
        return
    spans: list[Span] = []
    for line, following in zip(spoken, [*spoken[1:], None], strict=True):
        start, end = line.span()
        if following and "\n\n" not in text[end : following.start()]:
            end = following.start()
        other = ROLES.fullmatch(line["name"]) and not SELF.fullmatch(line["name"])
        spans.append((start, end, Kind.FOREIGN if other else material(text, start, end)))
    page.take(spans)


def take_logs(page: Page) -> None:
    """Take the lines of a log and of a traceback."""
    found = [line for line in LOG.finditer(page.left) if STAMP.search(line[0])] if "\n" in page.left else []
    page.take((*line.span(), material(page.left, *line.span())) for line in found)
