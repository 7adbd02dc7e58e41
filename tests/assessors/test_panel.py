"""A panel: crisis seen by any is a crisis; harm takes as many as the policy asks for; who fails proves no harm."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from quitbutton.assessors.panel import Panel
from quitbutton.assessors.scripted import ScriptedAssessor
from quitbutton.core.ladder.policy import Agreement
from quitbutton.core.ladder.verdicts import Label, Scores, Verdict, relabelled, worst_of
from quitbutton.core.messages import Message, Role
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


def ask(*members: Assessor, timeout: float = 0.05, agreement: Agreement = Agreement.ALL) -> Verdict:
    return asyncio.run(Panel(members, timeout, agreement).assess(SAID))


def says(label: Label) -> ScriptedAssessor:
    return ScriptedAssessor([label])


def test_the_strongest_label_wins_where_enough_agree() -> None:
    assert ask(says(Label.HARM), says(Label.ABUSE)).label is Label.ABUSE


@pytest.mark.parametrize(
    ("agreement", "harmful", "label"),
    [
        (Agreement.ANY, 1, Label.ABUSE),
        (Agreement.MAJORITY, 1, Label.CLEAN),
        (Agreement.MAJORITY, 2, Label.ABUSE),
        (Agreement.ALL, 2, Label.CLEAN),
        (Agreement.ALL, 3, Label.ABUSE),
    ],
)
def test_the_policy_says_how_many_must_find_harm(agreement: Agreement, harmful: int, label: Label) -> None:
    members = [says(Label.ABUSE) for _ in range(harmful)] + [says(Label.CLEAN) for _ in range(3 - harmful)]
    told = ask(*members, agreement=agreement)
    assert told.label is label
    if label is Label.CLEAN:
        assert told.why == f"{harmful} of {agreement.needed(3)} agree"


@pytest.mark.parametrize("agreement", Agreement)
def test_any_crisis_wins_under_every_agreement(agreement: Agreement) -> None:
    assert ask(says(Label.CRISIS), says(Label.CLEAN), says(Label.ABUSE), agreement=agreement).label is Label.CRISIS


@pytest.mark.parametrize("agreement", Agreement)
def test_a_single_assessor_is_as_it_would_be_alone(agreement: Agreement) -> None:
    for label in Label:
        assert ask(says(label), agreement=agreement).label is label


def test_a_threshold_on_scores_does_not_pass_where_the_agreement_does_not() -> None:
    sure, unsure = Verdict(Label.ABUSE, Scores(abuse=0.9)), Verdict(Label.CLEAN, Scores(abuse=0.2, crisis=0.3))
    scores = {one: worst_of([sure, unsure], one).scores for one in Agreement}
    assert (scores[Agreement.ANY].abuse, scores[Agreement.ALL].abuse) == (0.9, 0.2)
    assert {one.crisis for one in scores.values()} == {0.3}
    assert relabelled(worst_of([sure, unsure], Agreement.ALL), harmful_at=0.5, crisis_at=0).label is Label.CLEAN
    assert relabelled(worst_of([sure, unsure], Agreement.ANY), harmful_at=0.5, crisis_at=0).label is Label.ABUSE


@pytest.mark.parametrize("faulty", [Broken(), Slow()])
def test_a_member_that_fails_blocks_harm_but_not_a_crisis(faulty: Assessor) -> None:
    assert ask(faulty, says(Label.ABUSE)).label is Label.UNKNOWN
    assert ask(faulty, says(Label.CRISIS)).label is Label.CRISIS


def test_the_cause_of_a_failure_is_recorded_without_its_message() -> None:
    assert ask(Broken()).why == "failed: RuntimeError"
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
