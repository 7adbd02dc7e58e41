"""What a judge gets to see: the user's own newest words, and where the format has a place for it, the turns before."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from quitbutton.core.messages import Message, Role
from quitbutton.core.provenance import own_words

LONGEST = 6_000
"""Characters of one turn that a judge is shown."""
TAG = re.compile(r"<(?=[|/]?[A-Za-z_])")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Turns of user and assistant, oldest first; the last is the user's and the only one that is judged."""

    turns: tuple[tuple[Role, str], ...]

    @property
    def newest(self) -> str:
        """The words that are judged."""
        return self.turns[-1][1]

    def chat(self) -> list[dict[str, str]]:
        """The turns as messages of a chat: user and assistant in turn, control tokens of models taken apart."""
        return [{"role": role.value, "content": disarmed(text)} for role, text in self.turns]

    def digest(self, key: bytes) -> bytes:
        """A keyed BLAKE2b-256 of the turns."""
        text = json.dumps([(role.value, text) for role, text in self.turns])
        return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=32, key=key).digest()


def excerpt_of(messages: Sequence[Message], context: int) -> Excerpt | None:
    """The newest user message in its own words, after at most `context` earlier turns; None if the user said nothing.

    System text, tool results, quotations and what stands after the newest user message are left out. Neighbours with
    the same role become one turn and the first turn is the user's: templates of guard models refuse anything else.
    """
    newest = next((place for place in reversed(range(len(messages))) if messages[place].role is Role.USER), None)
    if newest is None or not (said := shortened(own_words(messages[newest].text))):
        return None
    turns: list[tuple[Role, str]] = []
    for message in messages[max(0, newest - context) : newest]:
        text = shortened(own_words(message.text) if message.role is Role.USER else message.text.strip())
        if text and message.role in (Role.USER, Role.ASSISTANT):
            _add(turns, message.role, text)
    if turns and turns[-1][0] is Role.USER:
        turns.pop()  # Nobody answered it: merged into the newest message, it would be judged as part of that.
    while turns and turns[0][0] is not Role.USER:
        turns.pop(0)
    return Excerpt((*turns, (Role.USER, said)))


MOST_TURNS, MOST_CHARACTERS = 40, 24_000
"""What a second reader gets of a branch: user messages with their replies, and characters in all."""
NEWEST_CHARACTERS, EARLIER_CHARACTERS, REPLY_CHARACTERS = 16_000, 4_000, 400
"""Most characters of the newest user message, of an earlier one, and of a reply."""
WORDLESS = "(a picture or file, without words)"


@dataclass(frozen=True, slots=True)
class WholeBranch:
    """A branch as a second reader gets it: the newest turns, oldest first, and how many messages before them are missing."""

    excerpt: Excerpt
    left_out: int


def whole_branch_of(messages: Sequence[Message]) -> WholeBranch | None:
    """The user's messages as they are, marked or not, up to the newest, with the replies cut short; None without any.

    The newest stands first in line for the room there is. What is cut inside a message says so at its place.
    """
    said = [
        one for one in messages if one.role in (Role.USER, Role.ASSISTANT) and (one.text.strip() or one.attachments)
    ]
    while said and said[-1].role is not Role.USER:
        said.pop()
    if not said:
        return None
    turns: list[tuple[Role, str]] = []
    room, asked = MOST_CHARACTERS, 0
    for message in reversed(said):
        is_user = message.role is Role.USER
        asked += is_user
        limit = REPLY_CHARACTERS if not is_user else EARLIER_CHARACTERS if turns else NEWEST_CHARACTERS
        text = shortened(message.text.strip() or WORDLESS, limit)
        if asked > MOST_TURNS or len(text) > room:
            break
        room -= len(text)
        turns.append((message.role, text))
    return WholeBranch(Excerpt(tuple(reversed(turns))), len(said) - len(turns))


def shortened(text: str, longest: int = LONGEST) -> str:
    """The text, or its beginning and end, with a word on what is missing between them."""
    if len(text) <= longest:
        return text
    half = longest // 2
    return f"{text[:half]} [{len(text) - 2 * half} characters left out here] {text[-half:]}"


def _add(turns: list[tuple[Role, str]], role: Role, text: str) -> None:
    if turns and turns[-1][0] is role:
        turns[-1] = (role, f"{turns[-1][1]}\n{text}")
    else:
        turns.append((role, text))


def disarmed(text: str) -> str:
    """The text with a space in whatever looks like a tag or a model's control token, so that none can take effect."""
    return TAG.sub("< ", text)


def enclosed(excerpt: Excerpt, nonce: str) -> str:
    """The turns as one JSON array between two lines with the nonce: data, whatever they say.

    Who wrote the text cannot know the nonce, so cannot close the block; inside it, JSON escapes keep every line break
    and quotation mark from looking like ours.
    """
    turns = json.dumps(excerpt.chat(), ensure_ascii=False)
    return f"BEGIN DATA {nonce}\n{turns}\nEND DATA {nonce}"
