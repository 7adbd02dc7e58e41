"""The turn: where rules and awaits meet. A request is located and admitted here; `turn/answer.py` settles, records, tells."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

from quitbutton.core.announcement import NO_LINKS, Links
from quitbutton.core.conversation import Branch, branch_of, scope_of, standing_of
from quitbutton.core.errors import StoreFailed
from quitbutton.core.kept_words import Retention
from quitbutton.core.lacks import Lacks
from quitbutton.core.ladder.decisions import assisted
from quitbutton.core.ladder.policy import Background, Mode, Policy
from quitbutton.core.ladder.transitions import Rung
from quitbutton.core.ladder.verdicts import CLEAN, relabelled
from quitbutton.core.messages import ChatRequest
from quitbutton.core.origins import Origin
from quitbutton.core.own_texts import cuts_in
from quitbutton.core.tools.known import TOOLS
from quitbutton.core.tools.model_tool import ModelTool
from quitbutton.interfaces import Assessor, ReplyAssessor, Store
from quitbutton.turn import care, tell
from quitbutton.turn.answer import Answerer, Lock, TurnServices, answerer
from quitbutton.turn.assess import assess
from quitbutton.turn.locate import Place, locate
from quitbutton.turn.offer import Offering
from quitbutton.turn.origin import origin_of
from quitbutton.turn.prefetch import Ahead
from quitbutton.turn.record import Recorder
from quitbutton.turn.relay import BytesRelay, ReplyRelay
from quitbutton.turn.review import Reviewing, Second
from quitbutton.turn.settle import Settling
from quitbutton.turn.tell import Teller
from quitbutton.turn.turn import Turn


@dataclass(slots=True)
class TurnTaker:
    """Takes turns under one policy. Everything it needs comes in through the doors."""

    policy: Policy
    assessor: Assessor
    store: Store
    key: bytes
    judge: Assessor | None = None
    reader: ReplyAssessor | None = None
    """Reads the replies to turns that the ladder counts; without one they are on record as not read."""
    second: Second | None = None
    """Who must say yes before a warning or an end; without one the first reader's word and the last look are enough."""
    retention: Retention = Retention.EXITS
    """Whose words are kept beside the record."""
    links: Links = NO_LINKS
    """Where the statement of an end is to be read."""
    now: Callable[[], float] = time.time
    begins_ahead: bool = False
    """Whether a call is begun while a slow assessor still reads. What turns out not to be clean is then sent twice."""
    under_way: dict[str, Turn] = field(default_factory=dict)
    lacks: Lacks = field(default_factory=Lacks)
    """What models were found not to take."""
    tools: tuple[ModelTool[object], ...] = TOOLS
    """What models are offered beside the client's own tools."""

    async def take_turn(self, turn: Turn) -> None:
        """Answer one request: find its branch and who answers on it, who then listens, settles, records and tells.

        Raises what is to be told to the client; nothing was counted then.
        """
        self.under_way[turn.id], turn.began = turn, self.now()
        try:
            if self._background_of(turn) is Background.NEVER:
                turn.request = replace(turn.request, background=False)
            turn.request = self._without_own_words(turn)
            while not await (await self._answerer(turn)).answer(turn):
                turn.delivery.begin_anew()  # an upheld appeal reopened the branch since it was read
        except StoreFailed as error:
            await self.help_without_store(turn, error)
        finally:
            if turn.ahead is not None:
                turn.ahead.cancel()
            del self.under_way[turn.id]
            turn.over.set()

    async def _answerer(self, turn: Turn) -> Answerer:
        """Who answers: as the branch stands, and as the request is admitted on it."""
        turn.request = turn.came = turn.came or turn.request  # taken anew, it must name again what its client named
        services = self._services
        found = await origin_of(self.store, self.key, turn, self._realm)
        turn.request, turn.owner, turn.keep = found.request, found.owner, found.keep
        branch = branch_of(self.key, scope_of(turn.tenant, turn.request, self._realm), turn.request, found.origin)
        if self.policy.mode is Mode.OFF:
            return BytesRelay(services)
        if branch is None:
            return await self._between_turns(services, found.origin)
        beside = await self._beside(services, turn, branch) if turn.request.background else None
        return beside or await self._admit(services, turn, branch)

    async def _between_turns(self, services: TurnServices, origin: Origin | None) -> Answerer:
        """Who answers what is no turn of its own: results of the client's tools too, which are no way round an end."""
        if origin is None:
            return BytesRelay(services)
        branch = Branch(origin.address, (origin.address,), origin.conversation, continued=True)
        place = Place(branch, standing_of(branch, await self.store.marks(branch)))
        return Lock(services, place) if self._is_locked(place) else ReplyRelay(services, origin)

    async def _beside(self, services: TurnServices, turn: Turn, branch: Branch) -> Answerer | None:
        """Who answers a background call, which is not counted; None where it is to be taken as a turn all the same."""
        if self.policy.mode is Mode.SHADOW:
            return BytesRelay(services)
        is_trusted = self._background_of(turn) is Background.TRUSTED
        if not is_trusted:
            place = Place(branch, standing_of(branch, await self.store.marks(branch)))
            if self._is_locked(place):
                return Lock(services, place)
        verdict = await care.crisis_in(turn, self.assessor, self.policy)
        if verdict is None:
            return BytesRelay(services)
        if is_trusted or verdict.is_possible_crisis:  # as in a title for a chat that speaks of one
            help_note = services.teller.wording(turn).support_note
            return ReplyRelay(services, note=self._unknown(turn) | help_note)
        turn.request = replace(turn.request, background=False)
        return None

    async def _admit(self, services: TurnServices, turn: Turn, branch: Branch) -> Answerer:
        """Who answers a turn: locate it, assess it, decide."""
        turn.place = place = await locate(self.store, self.key, turn.request, branch)
        turn.conversation, turn.addresses = place.branch.conversation, place.branch.addresses
        if self._is_locked(place):
            return Lock(services, place)
        turn.sent, turn.request = turn.request, place.read(turn.request)
        late = partial(self._begin_ahead, services, turn, place) if self.begins_ahead else None
        services.offering.look_up(turn)
        turn.seen = turn.seen or await assess(self.assessor, turn.request, self.policy.assess_timeout, late)
        verdict = relabelled(turn.seen, self.policy.harmful_at, self.policy.crisis_at)
        decision = assisted(self.policy, place.footing.standing, verdict, place.branch.message)
        decision, asked = await services.settling.admitted(turn, place.branch, decision)
        return answerer(services, turn, place, decision, asked)

    def _is_locked(self, place: Place) -> bool:
        return place.footing.standing.rung is Rung.ENDED and self.policy.mode is Mode.ENFORCE

    def _begin_ahead(self, services: TurnServices, turn: Turn, place: Place) -> None:
        """Send what a clean turn sends, where nothing stands against the user and a dropped call leaves nothing behind."""
        standing, request = place.footing.standing, turn.request
        is_open = standing.rung is Rung.OPEN and not (standing.is_held or standing.asked)
        if turn.is_stopped or not turn.adapter.is_safe_to_abort(request):
            return
        with suppress(Exception):  # what is wrong is told where the call is made in earnest
            if self.policy.mode is Mode.SHADOW:
                body = request.raw
            elif is_open and not self.policy.speaks_for:
                decision = assisted(self.policy, standing, CLEAN, place.branch.message)
                body = services.offering.offer(turn, decision, services.teller.wording(turn)).body
            else:
                return
            turn.ahead = Ahead(turn.upstream.send("POST", turn.path, turn.headers, body), body)

    async def help_without_store(self, turn: Turn, error: StoreFailed) -> None:
        """Where the store failed a turn, somebody in a crisis is told where help is. Raises the error for everybody else."""
        if self.policy.mode is not Mode.ENFORCE or await care.crisis_in(turn, self.assessor, self.policy) is None:
            raise error
        care.unrecorded(turn, error)
        await Teller(self.policy, self.links).help(turn, self._unknown(turn), error)

    def _unknown(self, turn: Turn) -> tell.Note:
        """What is told of a conversation whose standing was not read or not written."""
        request = turn.request
        named = replace(request, conversation_id=request.conversation_id or request.previous)
        branch = branch_of(self.key, scope_of(turn.tenant, request, self._realm), named)
        conversation = turn.conversation or (branch.conversation if branch is not None else "")
        return {"state": "unknown", "conversation": conversation, "request_id": turn.id}

    def _background_of(self, turn: Turn) -> Background:
        return turn.background or self.policy.background

    @property
    def _services(self) -> TurnServices:
        offering = Offering(self.policy, self.lacks, self.now, self.tools)
        second = self.second.name if self.second else ""
        reviewing = Reviewing(self.policy, self.assessor, self.store, self.second)
        settling = Settling(self.policy, reviewing, offering, self.judge, self.reader)
        recorder = Recorder(self.policy, self.store, self.key, self.retention, second, self.under_way, self.now)
        teller = Teller(self.policy, self.links)
        return TurnServices(self.policy, self.assessor, self.store, self.now, offering, settling, recorder, teller)

    @property
    def _realm(self) -> str:
        """Shadow branches live apart: nothing that shadow mode recorded ever locks or warns."""
        return Mode.SHADOW.value if self.policy.mode is Mode.SHADOW else ""

    def _without_own_words(self, turn: Turn) -> ChatRequest:
        """The request without the texts of ours that its client took for the model's and sent back as history."""
        request = turn.request
        if self.policy.mode is not Mode.ENFORCE or request.background:
            return request
        cuts = cuts_in(request.messages)
        return turn.adapter.without(request, cuts) if cuts else request
