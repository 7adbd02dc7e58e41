"""A panel: crisis seen by any is a crisis; who fails proves no harm."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from quitbutton.assessors.panel import Panel
from quitbutton.assessors.scripted import ScriptedAssessor
from quitbutton.core.messages import Message, Role
from quitbutton.core.verdicts import Label, Verdict
from quitbutton.interfaces import Assessor

SAID = (Message(Role.USER, "hello"),)


class Broken:
    """Fails always."""

    name = "broken@1"

    async def assess(self, messages: Sequence[Message]) -> Verdict:
        raise RuntimeError("out of order")


class Slow:
    """Never answers."""

    name = "slow@1"

    async def assess(self, messages: Sequence[Message]) -> Verdict:
        await asyncio.Event().wait()
        raise AssertionError


def ask(*members: Assessor, timeout: float = 0.05) -> Verdict:
    return asyncio.run(Panel(members, timeout=timeout).assess(SAID))


def says(label: Label) -> ScriptedAssessor:
    return ScriptedAssessor([label])


def test_the_strongest_label_wins() -> None:
    assert ask(says(Label.CLEAN), says(Label.HARM), says(Label.ABUSE)).label is Label.ABUSE


@pytest.mark.parametrize("faulty", [Broken(), Slow()])
def test_a_member_that_fails_blocks_harm_but_not_a_crisis(faulty: Assessor) -> None:
    assert ask(faulty, says(Label.ABUSE)).label is Label.UNKNOWN
    assert ask(faulty, says(Label.CRISIS)).label is Label.CRISIS


def test_the_cause_of_a_failure_is_recorded_without_its_message() -> None:
    assert ask(Broken()).why == "failed:RuntimeError"
    assert ask(Slow()).why == "timeout"


def test_an_empty_panel_knows_nothing() -> None:
    assert ask().label is Label.UNKNOWN


def test_members_are_asked_at_once() -> None:
    met = asyncio.Event()

    class First:
        name = "first@1"

        async def assess(self, messages: Sequence[Message]) -> Verdict:
            await met.wait()
            return Verdict(Label.CLEAN)

    class Second:
        name = "second@1"

        async def assess(self, messages: Sequence[Message]) -> Verdict:
            met.set()
            return Verdict(Label.CLEAN)

    assert ask(First(), Second(), timeout=5).label is Label.CLEAN


def test_a_cancelled_question_is_cancelled_not_unknown() -> None:
    async def scenario() -> None:
        task = asyncio.create_task(Panel([Slow()], timeout=5).assess(SAID))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())


def test_the_scripted_assessor_speaks_from_a_list_a_mapping_and_a_function() -> None:
    listed = ScriptedAssessor([Label.HARM])
    assert [listed.classify(SAID).label for _ in range(2)] == [Label.HARM, Label.CLEAN]
    words = ScriptedAssessor({"hell": Label.ABUSE, "hello": Label.CRISIS})
    assert words.classify(SAID).label is Label.CRISIS
    assert (
        ScriptedAssessor(lambda text: Label.HARM if text == "hello" else Label.CLEAN).classify(SAID).label is Label.HARM
    )
    assert ScriptedAssessor().classify((Message(Role.USER, "please [abuse] me"),)).label is Label.ABUSE
    assert isinstance(listed, Assessor)
