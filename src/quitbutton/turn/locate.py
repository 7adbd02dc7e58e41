"""Which branch a request is on, also where its client rewrote the history. Returns a value, writes nothing."""

from __future__ import annotations

from dataclasses import replace

from quitbutton.core.conversation import Branch, Footing, Marks, standing_of
from quitbutton.core.ladder.decisions import Decision
from quitbutton.core.ladder.standing import OPEN
from quitbutton.core.ladder.transitions import Rung
from quitbutton.core.merged import Split, splits_of
from quitbutton.core.messages import ChatRequest, Message, Role
from quitbutton.core.traces import Trace, answered_in, chosen, echo_of, grown, trace_of
from quitbutton.core.transcripts import Reading, Transcript
from quitbutton.core.value import value
from quitbutton.interfaces import Store


@value
class Place:
    """Where a request belongs."""

    branch: Branch
    footing: Footing
    reading: Reading | Split | None = None
    """How to read its newest message, where that holds the whole conversation, or an earlier message of the user's too."""
    by_reply: bool = False
    """True where the reply that its history begins with told where it belongs."""

    def read(self, request: ChatRequest) -> ChatRequest:
        """The request as it is to be read: the newest words by themselves."""
        return replace(request, messages=self.reading.messages(request.messages)) if self.reading else request

    def trace(self, key: bytes, request: ChatRequest, decision: Decision, said: str) -> Trace | None:
        """What this turn will be known again by, where it may be needed.

        Not where nobody is named, since others share the scope; nor amid a history that is exact and on no ladder.
        """
        is_exact = self.footing.base != self.branch.root and not self.branch.continued
        is_quiet = decision.before == decision.after == OPEN
        if not said or not is_named(request) or (is_exact and is_quiet):
            return None
        return trace_of(key, self.branch, request.messages, said, self.by_reply)


def is_named(request: ChatRequest) -> bool:
    """Whether it says whose it is: an end user or a conversation."""
    return request.end_user is not None or request.conversation_id is not None


async def locate(store: Store, key: bytes, request: ChatRequest, branch: Branch) -> Place:
    """The branch that a request goes on from, and how it stands: by its addresses, else by what it brings of a known turn.

    Of a client that gets warnings as errors, the newest message may begin with the one that was warned.
    """
    place = await _located(store, key, request, branch)
    return place if request.wants_prose or place.reading is not None else await _of_merged(store, key, request, place)


async def _located(store: Store, key: bytes, request: ChatRequest, branch: Branch) -> Place:
    marks = await store.marks(branch)
    place = Place(branch, standing_of(branch, marks))
    if not is_named(request) or branch.continued or place.footing.standing.rung is Rung.ENDED:
        return place
    if branch.parent == branch.root and not branch.is_truncated:
        return await _of_transcript(store, key, request, place)
    parent = marks.by_address.get(branch.parent)
    if branch.named or (parent is not None and not parent.brought):
        return place
    return await _of_echo(store, key, request, place, marks)


async def _of_echo(store: Store, key: bytes, request: ChatRequest, place: Place, marks: Marks) -> Place:
    """Where the newest reply that is known, with the words before it, was given. What is known exactly goes before it."""
    branch = place.branch
    exact = [at for at, one in enumerate(branch.addresses[:-1], 1) if _is_turn(marks, one)]
    replies = answered_in(key, branch.root, request.messages, max(exact, default=-1) + 1)
    traces = await store.traces(branch.root, {one.tail for one in replies}) if replies else []
    tails, newest = {known.trace.tail for known in traces}, _newest(request)
    for one in replies:
        echo = echo_of(key, branch.root, one) if one.tail in tails else None
        if echo is None:
            continue
        known = chosen(key, [known for known in traces if echo.is_of(known)], newest, echo.place)
        if known is None or (not echo.place and await store.greets(branch.root, echo.tail)):
            continue
        found = grown(key, branch, known, newest)
        return Place(found, standing_of(found, await store.marks(found)), by_reply=not echo.place)
    return place


async def _of_transcript(store: Store, key: bytes, request: ChatRequest, place: Place) -> Place:
    """A first message: a new conversation, unless it holds a whole one, with a reply that was given in it."""
    branch, newest = place.branch, _newest(request)
    if "\n" not in newest.text:
        return place
    script = Transcript.of(key, branch.root, newest.text)
    traces = await store.traces(branch.root, {digest for digest in script.digests if digest})
    readings = [reading for known in traces if (reading := script.read(known)) is not None]
    if not readings:
        return place
    best = max((reading.is_proven, reading.last) for reading in readings)
    fitting = [reading for reading in readings if (reading.is_proven, reading.last) == best]
    known = chosen(key, [reading.known for reading in fitting], newest)
    reading = next(one for one in fitting if one.known is known)
    if branch.named:  # a rewritten history, which goes on from the newest turn of its conversation
        found = Branch(branch.root, branch.addresses, branch.conversation, named=True, is_truncated=True)
    else:
        found = grown(key, branch, reading.known, newest)
    return Place(found, standing_of(found, await store.marks(found)), reading)


async def _of_merged(store: Store, key: bytes, request: ChatRequest, place: Place) -> Place:
    """Where the newest message begins with a warned or ended one that grew from the same turn, this goes on from that one."""
    branch, standing = place.branch, place.footing.standing
    if standing == OPEN or standing.rung is Rung.ENDED:  # what is warned or ended grew from a turn on the ladder
        return place
    splits = {split.address: split for split in splits_of(key, branch.parent, _newest(request))}
    marks = await store.turns_at(splits.keys()) if splits else {}
    told = {one: marks[one].standing.rung for one in splits if one in marks and not marks[one].brought}
    for rung in (Rung.ENDED, Rung.WARNED):
        known = [address for address, its in told.items() if its is rung]
        if known:
            grown_on = branch.after(known[-1])
            footing = standing_of(grown_on, await store.marks(grown_on))
            return replace(place, branch=grown_on, footing=footing, reading=splits[known[-1]])
    return place


def _is_turn(marks: Marks, address: bytes) -> bool:
    mark = marks.by_address.get(address)
    return mark is not None and not mark.brought


def _newest(request: ChatRequest) -> Message:
    return next(message for message in reversed(request.messages) if message.role is Role.USER)
