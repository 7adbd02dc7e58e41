"""Passages between an opening and a closing mark: tags, fences, templates of chats, results of tools.

A passage ends at its own closing mark only. One that is never closed ends at the next blank line, and nothing shows
whose words it holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from quitbutton.core.passages.page import FILLER, Kind, Page, Span, end_of_paragraph
from quitbutton.core.passages.persons import is_first_person

SHOWN = re.compile(
    r"(?:documents?|doc|document_contents?|transcript|e-?mails?|mail|article|sources?|files?|file_contents?|"
    r"attachments?"
    r"|attached_files?|web_?pages?|web_?results?|search_?results?|passages?|chunks?|knowledge|logs?|system|instructions"
    r"|tool_?(?:results?|responses?|outputs?|call|use)|function_?(?:results?|responses?|outputs?|calls?|call_output)"
    r"|observations?|results?|outputs?|stdout|stderr|error|returncode|exit_?code|env|rules|skill|git_status|"
    r"project_layout"
    r"|current_file|additional_data|user_info|new-diagnostics|command-(?:name|message)|task-notification|turn_aborted"
    r"|ide_(?:opened_file|selection)|[\w.:-]{1,40}[-_](?:reminder|caveat|hook|stdout|stderr|context|details|info|"
    r"instructions))"
)
"""Tags whose content is somebody else's: documents, results, what coding agents put into a user's message."""
SET_APART = re.compile(
    r"(?:quote|blockquote|q|cite|text|source_?text|context|contents?|data|excerpt|snippet|comment|review|tweet|post|"
    r"poem|letter"
    r"|note|paragraph|sentence|examples?|code|pre|html|body|json|xml|story|lyrics|chat|conversation|history)"
)
"""Tags that only set their content apart. All other tags are ordinary text: `<question>` holds the user's own words."""
OPENER = re.compile(
    r"<(?P<tag>[a-z][\w.:-]{0,60})(?:\s[^<>]{0,400})?(?<!/)>"
    r"|(?P<fence>```+|\"{3,}|(?:(?<=\n)|\A)[ \t]{0,8}~~~+)(?P<info>[ \t]*[\w+#.-]{0,30}[ \t]*(?=\n))?"
    r"|(?P<template><\|(?:im_start|start_header_id|start)\|>\s{0,4}(?:system|assistant|tool|ipython|"
    r"developer)\w{0,20}|<<sys>>"
    r"|\[tool_(?:results?|responses?|outputs?)\]|<｜tool▁outputs?▁begin｜>|✿result✿:?)"
)
CLOSERS = {
    "<|": r"<\|(?:im_end|eot_id|eom_id|end)\|>|(?=<\|im_start\|>)",
    "<<": r"<</sys>>",
    "[t": r"\[/tool_(?:results?|responses?|outputs?)\]",
    "<｜": r"<｜tool▁outputs?▁end｜>",
    "✿r": r"✿return✿:?",
}
"""What closes a template, by the first two characters of what opens it."""
MARKS = ("<", "```", "~~~", '"""', "[tool_", "✿")
"""One of these is in every text with a block: looked for first, since most messages have none."""
PROSE = frozenset(
    ("", "text", "txt", "md", "markdown", "plain", "plaintext", "quote", "mail", "email", "letter", "note")
)
"""What is written behind a fence that holds words rather than a program."""


@lru_cache(maxsize=1024)
def _closer(opener: str, name: str) -> re.Pattern[str]:
    if name:
        return re.compile(rf"</{re.escape(name)}\s{{0,8}}>")
    if opener[0] in '`~"':
        return re.compile(re.escape(opener) + opener[0] + "*")
    return re.compile(CLOSERS[opener[:2]])


def take_blocks(page: Page) -> None:
    """Take every block, the outermost first."""
    if any(mark in page.left for mark in MARKS):
        page.take(list(_blocks(page)))


def _blocks(page: Page) -> Iterator[Span]:
    text, done = page.left, 0
    never: set[str] = set()
    """Closing marks that do not come any more: not looked for again."""
    for opener in OPENER.finditer(text):
        name = opener["tag"] or ""
        if opener.start() < done or (name and not SHOWN.fullmatch(name) and not SET_APART.fullmatch(name)):
            continue
        closer = _closer((opener["fence"] or opener["template"] or "").strip(), name)
        close = None if closer.pattern in never else closer.search(text, opener.end())
        if close is None:
            never.add(closer.pattern)
            if opener["template"] and opener[0][0] == "[":
                continue  # Some frameworks never close it: read as the label of a tool's result.
        yield opener.start(), opener.end(), Kind.MARKUP
        if close is None:
            done = end_of_paragraph(text, opener.end())
            yield opener.end(), done, Kind.MARKED
            continue
        done = close.end()
        yield opener.end(), close.start(), _kind(page, opener, close.start())
        yield close.start(), done, Kind.MARKUP


def _kind(page: Page, opener: re.Match[str], end: int) -> Kind:
    """Whose words a closed block holds. What is only set apart is remembered: a task near by shows more."""
    name, inside = opener["tag"] or "", page.left[opener.end() : end]
    if opener["template"] or (name and SHOWN.fullmatch(name)):
        return Kind.FOREIGN
    if opener["fence"] and (opener["info"] or "").strip() not in PROSE:
        return Kind.FOREIGN
    if FILLER not in inside:
        page.apart.append((opener.end(), end))
    return Kind.MARKED if opener["fence"] or is_first_person(inside) else Kind.FOREIGN
