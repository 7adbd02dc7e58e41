"""Second readers: any model in a fresh context, and judges of the settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from secrets import token_hex

import msgspec

from quitbutton.assessors.judge import MAX_ANSWER, Judge
from quitbutton.assessors.judging.excerpt import whole_branch_of
from quitbutton.assessors.judging.replies import Usage, unreadable
from quitbutton.assessors.judging.second import QUESTION, SCHEMA, data_of, reading_of
from quitbutton.core.errors import AssessorFailed
from quitbutton.core.judges import JudgeFormat
from quitbutton.core.ladder.verdicts import Label
from quitbutton.core.messages import Message, Piece
from quitbutton.core.second import SecondAnswer, SecondReading, answer_of
from quitbutton.interfaces import Adapter, Exchange, SecondReader

Call = Callable[[bytes], AbstractAsyncContextManager[Exchange]]
"""Sends a body to where the model is."""
REFUSED = (400, 404, 415, 422)
"""Statuses of a server that does not take a request of this form: another form may do."""


class ModelReader:
    """A model that is asked in a fresh context, in the protocol of `adapter`. It gets the branch as data."""

    def __init__(
        self,
        name: str,
        adapter: Adapter,
        model: str,
        call: Call,
        nonce: Callable[[], str] = lambda: token_hex(12),
    ) -> None:
        self._name, self._adapter, self._model, self._call, self._nonce = name, adapter, model, call, nonce

    @property
    def name(self) -> str:
        """Where the model is and which: `upstream@model`."""
        return self._name

    async def read(self, messages: Sequence[Message]) -> SecondReading:
        """The model's answer, with what it cost; broken where it cannot be read. Raises where nobody answered."""
        branch = whole_branch_of(messages)
        if branch is None:
            raise AssessorFailed("There are no words of the user to read.", "no words")
        status = 0
        for body in self._adapter.consult(self._model, QUESTION, data_of(branch, self._nonce()), SCHEMA):
            async with self._call(body) as exchange:
                status = exchange.status
                if status == 200:
                    return self._reading(await self._pieces(exchange), messages)
                if status not in REFUSED:
                    break
        raise AssessorFailed(f"The second reader {self._name} answered with HTTP status {status}.", f"status:{status}")

    async def _pieces(self, exchange: Exchange) -> list[Piece]:
        kinds = (value.lower() for name, value in exchange.headers if name.lower() == "content-type")
        reader, size, pieces = self._adapter.reader(next(kinds, "application/json")), 0, []
        async for chunk in exchange.chunks():
            size += len(chunk)
            if size > MAX_ANSWER:
                raise unreadable(f"it is over {MAX_ANSWER} bytes")
            pieces += reader.feed(chunk)
        return [*pieces, *reader.close()]

    def _reading(self, pieces: Sequence[Piece], messages: Sequence[Message]) -> SecondReading:
        arguments = "".join(call.arguments for piece in pieces for call in piece.calls)
        usage = next((piece.usage for piece in reversed(pieces) if piece.usage is not None), None)
        try:
            reading = reading_of(arguments or "".join(piece.text for piece in pieces), self._name, messages)
        except AssessorFailed as error:
            reading = SecondReading(SecondAnswer.BROKEN, why=error.why, assessor=self._name)
        if usage is None:
            return reading
        return replace(reading, prompt_tokens=usage.prompt, completion_tokens=usage.completion)


class JudgeReader:
    """An instruct model of `[judges.NAME]` as a second reader; what it costs is told beside its other questions."""

    def __init__(self, judge: Judge, adapter: Adapter) -> None:
        self._judge = judge
        self._model = ModelReader(judge.name, adapter, judge.settings.model, self._send)

    @property
    def name(self) -> str:
        """The judge's name and model."""
        return self._judge.name

    async def read(self, messages: Sequence[Message]) -> SecondReading:
        """The judge's answer about the whole branch. Raises `AssessorFailed`."""
        async with self._judge.asked():
            reading = await self._model.read(messages)
            self._judge.paid(Usage(reading.prompt_tokens or 0, reading.completion_tokens or 0))
            if reading.answer is SecondAnswer.BROKEN:
                self._judge.failed()
            return reading

    def _send(self, body: bytes) -> AbstractAsyncContextManager[Exchange]:
        extra = self._judge.settings.extra
        sent = msgspec.json.encode(msgspec.json.decode(body) | extra) if extra else body
        return self._judge.call(sent)


class GuardReader:
    """A guard model of `[judges.NAME]`, which knows no question but its own: is the newest message, after those it is
    shown, harmful or a crisis? That it went on after redirections is what the ladder counted."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge

    @property
    def name(self) -> str:
        """The judge's name and model."""
        return self._judge.name

    async def read(self, messages: Sequence[Message]) -> SecondReading:
        """The judge's verdict as a second reader's answer. Raises `AssessorFailed`."""
        verdict = await self._judge.answer(messages, 1.0)
        persistent, at_risk = verdict.label.is_harmful, verdict.label is Label.CRISIS
        found = (None if at_risk else persistent, at_risk)
        return SecondReading(answer_of(*found), *found, why=verdict.why, assessor=self.name)


def reader_of(judge: Judge, adapter: Adapter) -> SecondReader:
    """A judge as a second reader, the way its format allows."""
    if judge.settings.format is JudgeFormat.INSTRUCT:
        return JudgeReader(judge, adapter)
    return GuardReader(judge)
