"""What goes upstream under a decision, and how the model can press; made again where its server cannot take it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from quitbutton.core.errors import UpstreamFailed
from quitbutton.core.lacks import Key, Lack, Lacks, lack_in
from quitbutton.core.ladder.decisions import Decision
from quitbutton.core.ladder.policy import Means, Policy
from quitbutton.core.tools.end_conversation import BUTTON
from quitbutton.core.tools.known import TOOLS
from quitbutton.core.tools.model_tool import ModelTool, function_of
from quitbutton.core.tools.watcher import Watcher
from quitbutton.core.value import value
from quitbutton.core.wording import Wording
from quitbutton.turn.exchange import Refusal
from quitbutton.turn.turn import Turn

T = TypeVar("T")
log = logging.getLogger("quitbutton.upstreams")

LACKING = {
    Lack.TOOLS: "takes no tools: the button is offered to it as text",
    Lack.LATE_NOTES: "takes no system text after the history: notes to it stand in the user's newest message",
}


@value
class Offer:
    """What goes upstream, the ways to call each tool of ours that are in it, and whether it has notes of ours."""

    body: bytes
    ways: tuple[tuple[ModelTool[object], tuple[Means, ...]], ...] = ()
    has_notes: bool = False

    def takes(self, *means: Means) -> tuple[ModelTool[object], ...]:
        """The tools that can be called in one of these ways."""
        return tuple(tool for tool, ways in self.ways if not set(means).isdisjoint(ways))

    @property
    def can_press(self) -> bool:
        """True where the reply itself may be a press."""
        return BUTTON in self.takes(Means.TOOL, Means.TEXT, Means.STRING)


@value
class Offering:
    """Makes offers under one policy, and remembers what servers refused of them."""

    policy: Policy
    lacks: Lacks
    now: Callable[[], float]
    tools: tuple[ModelTool[object], ...] = TOOLS
    """What models are offered, each as it says itself."""

    def look_up(self, turn: Turn) -> None:
        """Put what is known of the turn's model on the turn."""
        turn.lacks = self.lacks.of(_key_of(turn), self.now())

    def role(self, turn: Turn) -> str:
        """The role of our notes to the turn's model."""
        if self.policy.guidance_role != "auto":
            return self.policy.guidance_role
        return "inline" if Lack.LATE_NOTES in turn.lacks else "system"

    def offer(self, turn: Turn, decision: Decision, wording: Wording) -> Offer:
        """What goes upstream under a decision."""
        ways = {tool: tool.ways(self.policy, decision, turn.request, turn.lacks) for tool in self.tools}
        notes = [note for tool in self.tools for note in tool.notes(self.policy, ways[tool])]
        notes += wording.guidance(decision, ways.get(BUTTON, ()), turn.request.wants_prose)
        turn.offered = tuple(tool for tool in self.tools if Means.TOOL in ways[tool])
        functions = [function_of(tool, self.policy) for tool in turn.offered]
        body = turn.adapter.forward(turn.request, functions, notes, self.role(turn))
        return Offer(body, tuple(ways.items()), bool(notes))

    def watcher(self, turn: Turn, offer: Offer) -> Watcher:
        """What watches the reply to an offer. A native call is ours also where its tool was not offered on this turn."""
        native = tuple(tool for tool in self.tools if tool.fits(turn.request))
        return Watcher(native, offer.takes(Means.TOOL, Means.TEXT), self.strings(offer.takes(Means.STRING)))

    def strings(self, tools: Iterable[ModelTool[object]]) -> dict[str, str]:
        """The exit strings of tools, each with its tool's name."""
        found = {tool.exit_string(self.policy): tool.name for tool in tools}
        return {string: name for string, name in found.items() if string is not None}

    async def taken(
        self, turn: Turn, make: Callable[[], Offer], call: Callable[[Offer], Awaitable[T | Refusal]]
    ) -> tuple[Offer, T | Refusal]:
        """Send what `make` makes with `call`; where the server cannot take what is ours in it, once more without that.

        What it lacks is remembered once it answered without. Otherwise its last refusal stands, which is about the client's
        own request. Raises what `call` raises.
        """
        known, offer = turn.lacks, make()
        while True:
            failure: UpstreamFailed | None = None
            answer: T | Refusal
            try:
                answer = await call(offer)
            except UpstreamFailed as error:
                if not error.said:
                    raise
                failure, answer = error, Refusal(400, (), error.said.encode())
            if not isinstance(answer, Refusal):
                self._learn(turn, turn.lacks - known)
                return offer, answer
            again = self._without(turn, offer, answer, make)
            if again is None and failure is not None:
                raise failure
            if again is None:
                return offer, answer
            offer = again

    def _without(self, turn: Turn, offer: Offer, refusal: Refusal, make: Callable[[], Offer]) -> Offer | None:
        """The offer without what was refused; None where that is nothing of ours."""
        moves_notes = offer.has_notes and self.policy.guidance_role == "auto" and Lack.LATE_NOTES not in turn.lacks
        lack = lack_in(refusal.status, refusal.body, bool(offer.takes(Means.TOOL)), moves_notes)
        if lack is None or turn.is_stopped:
            return None
        turn.lacks |= {lack}
        again = make()
        return again if again.body != offer.body else None

    def _learn(self, turn: Turn, found: frozenset[Lack]) -> None:
        """Keep what was proven. A server that refuses one more tool beside the client's own may still take some."""
        proven = found - ({Lack.TOOLS} if turn.request.has_tools else set())
        if proven and not turn.is_stopped:
            self.lacks.learn(_key_of(turn), frozenset(proven), self.now())
            for lack in sorted(proven):
                log.warning("a model of the upstream %r %s", turn.upstream_name, LACKING[lack])


def _key_of(turn: Turn) -> Key:
    """One caller's odd request says nothing about the model for others."""
    return (turn.tenant, turn.upstream_name, turn.adapter.name, turn.request.model)
