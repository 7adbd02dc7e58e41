"""The turn: where rules and awaits meet. `TurnTaker.take_turn()` is the whole story of a request, read from top to bottom."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

from quitbutton.core import notices
from quitbutton.core.announcement import NO_LINKS, Links, ended
from quitbutton.core.conversation import Branch, Footing, branch_of, scope_of, standing_of
from quitbutton.core.errors import StoreFailed, UpstreamFailed
from quitbutton.core.headers import passed_on
from quitbutton.core.kept_words import KeptWords, Retention, words_to_keep
from quitbutton.core.lacks import Lacks
from quitbutton.core.ladder.decisions import Decision, admit, assisted, settle
from quitbutton.core.ladder.policy import Background, LockedReply, Mode, Policy
from quitbutton.core.ladder.transitions import CARING, TOLD, Action, Rung, Signal
from quitbutton.core.ladder.verdicts import CLEAN, OURS, UNKNOWN, Label, relabelled
from quitbutton.core.messages import ChatRequest, Press, Reply
from quitbutton.core.origins import KeptReply, Origin
from quitbutton.core.own_texts import cuts_in
from quitbutton.core.records import End, Outcome, TurnRecord
from quitbutton.core.tools import end_conversation
from quitbutton.core.tools.known import TOOLS
from quitbutton.core.tools.model_tool import ModelTool
from quitbutton.core.tools.watcher import Watcher
from quitbutton.core.wording import Wording
from quitbutton.interfaces import Assessor, ReplyAssessor, Store
from quitbutton.turn import care, tell
from quitbutton.turn.assess import assess, assess_reply
from quitbutton.turn.drafts import try_drafts
from quitbutton.turn.exchange import Refusal, listen, relayed
from quitbutton.turn.locate import locate
from quitbutton.turn.offer import Offer, Offering
from quitbutton.turn.origin import kept_of, origin_of
from quitbutton.turn.prefetch import Ahead
from quitbutton.turn.review import Reviewing, Second
from quitbutton.turn.settle import Settlement, Settling, newest_words
from quitbutton.turn.tell import Stopped, locked_error, locked_style, warned_error
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
        """Answer one request: find its branch, admit it, let the upstream answer, settle, record, then speak.

        Raises what is to be told to the client; nothing was counted then.
        """
        self.under_way[turn.id], turn.began = turn, self.now()
        try:
            if self._background_of(turn) is Background.NEVER:
                turn.request = replace(turn.request, background=False)
            turn.request = self._without_own_words(turn)
            await self._take(turn)
        except StoreFailed as error:
            await self.help_without_store(turn, error)
        finally:
            if turn.ahead is not None:
                turn.ahead.cancel()
            del self.under_way[turn.id]
            turn.over.set()

    async def _take(self, turn: Turn) -> None:
        turn.request = turn.came = turn.came or turn.request  # taken anew, it must name again what its client named
        origin = await origin_of(self.store, self.key, turn, self._realm)
        branch = branch_of(self.key, scope_of(turn.tenant, turn.request, self._realm), turn.request, origin)
        if branch is None and origin is not None and self.policy.mode is not Mode.OFF:
            await self._go_on(turn, origin)
            return
        if branch is None or self.policy.mode is Mode.OFF:
            await self._relay(turn)
            return
        if turn.request.background and await self._take_beside(turn, branch):
            return
        turn.place = place = await locate(self.store, self.key, turn.request, branch)
        branch, footing = place.branch, place.footing
        turn.conversation, turn.addresses = branch.conversation, branch.addresses
        if footing.standing.rung is Rung.ENDED and self.policy.mode is Mode.ENFORCE:
            await self._refuse(turn, branch, footing)
            return
        turn.sent, turn.request = turn.request, place.read(turn.request)
        late = partial(self._begin_ahead, turn, branch, footing) if self.begins_ahead else None
        self._offering.look_up(turn)
        turn.seen = seen = turn.seen or await assess(self.assessor, turn.request, self.policy.assess_timeout, late)
        verdict = relabelled(seen, self.policy.harmful_at, self.policy.crisis_at)
        decision = assisted(self.policy, footing.standing, verdict, branch.message)
        decision, asked = await self._settling.admitted(turn, branch, decision)
        if self.policy.mode is Mode.SHADOW:
            await self._look_on(turn, branch, footing, decision)
        elif self._speaks(decision, turn.request):
            await self._speak(turn, branch, footing, decision, asked)
        else:
            await self._converse(turn, branch, footing, decision, asked)

    def _begin_ahead(self, turn: Turn, branch: Branch, footing: Footing) -> None:
        """Send what a clean turn sends, where nothing stands against the user and a dropped call leaves nothing behind."""
        standing, request = footing.standing, turn.request
        is_open = standing.rung is Rung.OPEN and not (standing.is_held or standing.asked)
        if turn.is_stopped or not turn.adapter.may_drop(request):
            return
        with suppress(Exception):  # what is wrong is told where the call is made in earnest
            if self.policy.mode is Mode.SHADOW:
                body = request.raw
            elif is_open and not self.policy.speaks_for:
                decision = assisted(self.policy, standing, CLEAN, branch.message)
                body = self._offering.offer(turn, decision, self._wording(turn)).body
            else:
                return
            turn.ahead = Ahead(turn.upstream.send("POST", turn.path, turn.headers, body), body)

    async def _relay(self, turn: Turn) -> None:
        """A call that is no turn: there and back, byte for byte."""
        with turn.while_wanted():
            async with turn.upstream.send("POST", turn.path, turn.headers, turn.request.raw) as exchange:
                await turn.open(exchange.status, passed_on(exchange.headers))
                async for chunk in relayed(turn, exchange):
                    await turn.send(chunk)

    async def _take_beside(self, turn: Turn, branch: Branch) -> bool:
        """Relay a background call, which is not counted; False where it is to be taken as a turn all the same."""
        if self.policy.mode is Mode.SHADOW:
            await self._relay(turn)
            return True
        is_trusted = self._background_of(turn) is Background.TRUSTED
        if not is_trusted:
            footing = standing_of(branch, await self.store.marks(branch))
            if footing.standing.rung is Rung.ENDED:
                await self._refuse(turn, branch, footing)
                return True
        verdict = await care.crisis_in(turn, self.assessor, self.policy)
        if verdict is None:
            await self._relay(turn)
        elif is_trusted or verdict.is_possible_crisis:  # as in a title for a chat that speaks of one
            await self._relay_with_help(turn)
        else:
            turn.request = replace(turn.request, background=False)
            return False
        return True

    async def _relay_with_help(self, turn: Turn) -> None:
        """The model's reply to a background call as it is; where help is stands in its `quitbutton` object."""
        reply = await self._listen_unchanged(turn)
        if reply is None:
            return
        await tell.close(turn, None, self._unknown(turn) | self._wording(turn).support_note)

    async def help_without_store(self, turn: Turn, error: StoreFailed) -> None:
        """Where the store failed a turn, somebody in a crisis is told where help is. Raises the error for everybody else."""
        if self.policy.mode is not Mode.ENFORCE or await care.crisis_in(turn, self.assessor, self.policy) is None:
            raise error
        care.unrecorded(turn, error)
        await care.say(turn, self._wording(turn), self._unknown(turn), error)

    def _unknown(self, turn: Turn) -> tell.Note:
        """What is told of a conversation whose standing was not read or not written."""
        request = turn.request
        named = replace(request, conversation_id=request.conversation_id or request.previous)
        branch = branch_of(self.key, scope_of(turn.tenant, request, self._realm), named)
        conversation = turn.conversation or (branch.conversation if branch is not None else "")
        return {"state": "unknown", "conversation": conversation, "request_id": turn.id}

    def _background_of(self, turn: Turn) -> Background:
        return turn.background or self.policy.background

    async def _go_on(self, turn: Turn, origin: Origin) -> None:
        """Results of the client's tools for a turn that the provider keeps: no turn of its own, and no way round an end."""
        branch = Branch(origin.address, (origin.address,), origin.conversation, continued=True)
        footing = standing_of(branch, await self.store.marks(branch))
        if footing.standing.rung is Rung.ENDED and self.policy.mode is Mode.ENFORCE:
            await self._refuse(turn, branch, footing)
            return
        reply = await self._listen_unchanged(turn)
        if reply is None:
            return
        kept = replace(origin, reply=kept_of(turn, reply))
        await self.store.put_reply(turn.owner, kept, self.now())
        await tell.close(turn, None, None)

    async def _refuse(self, turn: Turn, branch: Branch, footing: Footing) -> None:
        """The branch is locked: say so, in the way this client understands; in a crisis say where help is."""
        turn.conversation = branch.conversation
        verdict = await care.crisis_in(turn, self.assessor, self.policy)
        is_told = verdict is not None and turn.request.wants_prose
        if is_told or locked_style(self.policy, turn.request) is LockedReply.MESSAGE:
            tell.prepare(turn)
        decision = admit(self.policy, footing.standing, verdict or UNKNOWN, branch.message)
        outcome = await self._record(turn, branch, footing, decision, said=await self._notice(turn, footing))
        if outcome.end is None:  # an upheld appeal reopened it since it was read
            turn.delivery.begin_anew()
            await self._take(turn)
            return
        await self._say_locked(turn, outcome, decision)

    async def _notice(self, turn: Turn, footing: Footing) -> str:
        """The notice that takes the place of a reply on a locked branch; empty where the client gets an error."""
        if locked_style(self.policy, turn.request) is not LockedReply.MESSAGE or footing.end_id is None:
            return ""
        end = await self.store.end(footing.end_id)
        return notices.locked_text(end.reason, self._wording(turn).language) if end else ""

    async def _look_on(self, turn: Turn, branch: Branch, footing: Footing, decision: Decision) -> None:
        """Shadow: the client sees an untouched reply, the record what would have been done."""
        reply = await self._listen_unchanged(turn)
        if reply is None:
            return
        answer = OURS if self._speaks(decision, turn.request) else None
        if answer is None and decision.wants_reading:
            answer = await assess_reply(self.reader, turn.request, reply.text, self.policy.assess_timeout)
        settled = settle(self.policy, decision, Signal.NONE, branch.message, answer)
        await self._record(turn, branch, footing, settled, reply=kept_of(turn, reply), said=reply.text)
        await tell.close(turn, None, None)

    async def _speak(
        self, turn: Turn, branch: Branch, footing: Footing, decision: Decision, asked: Press | None = None
    ) -> None:
        """The gateway answers in its own words; the model is not asked for a reply, or could not give one."""
        answer, here = OURS if decision.wants_reading else None, not turn.client.is_gone
        decision = settle(self.policy, decision, decision.signal, branch.message, answer, here, here)
        is_error = decision.action is Action.WARN and not turn.request.wants_prose
        if not is_error:
            tell.prepare(turn)
        outcome = await self._record(turn, branch, footing, decision, asked, said=self._wording(turn).own(decision))
        if self._is_overtaken(turn, outcome):
            await self._say_locked(turn, outcome, decision)
            return
        wording = self._wording(turn)
        spoken_by = "both" if turn.client.is_open else "gateway"  # open where the model's reply broke off
        note = wording.announcement(turn.id, branch, decision, outcome, spoken_by)
        if is_error:
            error = warned_error(locked_style(self.policy, turn.request), wording.own(decision))
            await tell.say_error(turn, error, note)
        else:
            await tell.say_whole(turn, wording.own(decision), note)

    async def _converse(
        self, turn: Turn, branch: Branch, footing: Footing, decision: Decision, asked: Press | None = None
    ) -> None:
        """The model answers, watched; a press of its is settled, the outcome recorded, then told."""
        wording = self._wording(turn)
        make = partial(self._offering.offer, turn, decision, wording)
        try:
            offer, reply = await self._offering.taken(turn, make, partial(self._hear, turn))
        except UpstreamFailed:
            if decision.action not in CARING:
                raise
            if not turn.client.is_open:
                turn.delivery.begin_anew()
            offer, reply = make(), Refusal(502, [], b"")
        if isinstance(reply, Refusal):
            # A person who may be in a crisis is answered also where the model's server fails, refuses or breaks off.
            if decision.action in CARING:
                await self._speak(turn, branch, footing, decision)
            elif turn.client.is_open:  # its stream began, and what was refused first came inside of it
                raise UpstreamFailed(f"The model's server refused the request (HTTP status {reply.status}).")
            else:
                await turn.answer(reply.status, reply.headers, reply.body)
            return
        settled = await self._settling.settle(turn, branch, decision, reply, offer, asked)
        kept = kept_of(turn, settled.last)
        ours = wording.missing(settled.decision, settled.said, settled.needs_words)
        told = "\n\n".join(filter(None, (settled.said, ours)))
        outcome = await self._record(turn, branch, footing, settled.decision, settled.press, kept, told)
        if self._is_overtaken(turn, outcome):
            if not turn.client.is_open:
                turn.delivery.begin_anew()
            await self._say_locked(turn, outcome, settled.decision)
            return
        await self._finish(turn, branch, settled, outcome)

    async def _hear(self, turn: Turn, offer: Offer) -> Reply | Refusal:
        """The reply to an offer, watched for the ways to call our tools that are in it."""
        return await self._listen(turn, offer.body, self._offering.watcher(turn, offer))

    async def _finish(self, turn: Turn, branch: Branch, settled: Settlement, outcome: Outcome) -> None:
        """What is left to say: our words where the model's lack something, and the outcome."""
        must_tell = settled.decision.action in TOLD
        if turn.is_stopped and not turn.client.is_open and not must_tell:
            raise Stopped("The reply was stopped before it began. Send the request again to continue.")
        wording, last = self._wording(turn), settled.last
        is_cut = turn.is_stopped and not must_tell
        words = "" if is_cut else wording.missing(settled.decision, settled.said, settled.needs_words)
        if words and turn.delivery.writer is not None:
            await turn.send(turn.delivery.writer.say(words))
        spoken_by = ("both" if settled.said.strip() else "gateway") if words else "model"
        note = wording.announcement(turn.id, branch, settled.decision, outcome, spoken_by, settled.said)
        is_end = settled.decision.action is Action.END
        ends_ours = is_end or (bool(last.tool_calls) and not last.other_calls)
        await tell.close(turn, "stop" if ends_ours or turn.is_stopped else None, note)

    async def _listen_unchanged(self, turn: Turn) -> Reply | None:
        """The reply to the request as the client sent it; None where it was refused and the client told."""
        reply = await self._listen(turn, turn.request.raw, Watcher(()))
        if isinstance(reply, Refusal):
            await turn.answer(reply.status, reply.headers, reply.body)
            return None
        return reply

    async def _listen(self, turn: Turn, body: bytes, watcher: Watcher) -> Reply | Refusal:
        """The upstream's reply. After a stop it is what was said until then; an upstream's error goes to the client."""
        with turn.while_wanted():
            return await listen(turn, body, watcher)
        return replace(watcher.reply, tool_calls=())

    async def _record(
        self,
        turn: Turn,
        branch: Branch,
        footing: Footing,
        decision: Decision,
        press: Press | None = None,
        reply: KeptReply | None = None,
        said: str = "",
    ) -> Outcome:
        """Write it down before anybody hears of it."""
        ends = decision.after.rung is Rung.ENDED and decision.before.rung is not Rung.ENDED
        end = self._end_of(turn, branch, decision, press) if ends else None
        means = press.means if press else None
        mode, kept = str(self.policy.mode), reply or kept_of(turn)
        record = TurnRecord(
            turn.tenant,
            branch,
            footing,
            decision,
            turn.id,
            self.now(),
            mode,
            end,
            means,
            end_conversation.reason_of(press),
            kept,
            turn.owner,
            self._words(turn, decision, said, press),
            turn.request.model,
            turn.began,
            trace=turn.place.trace(self.key, turn.sent or turn.request, decision, said) if turn.place else None,
            second_reader=self.second.name if self.second is not None else "",
        )
        outcome = await self._written(turn, record)
        if turn.drafts and turn.seen is not None:
            await try_drafts(self.store, self.key, turn, turn.seen, decision, self.now())
        if end is None or outcome.end is not None:
            return outcome
        self._cut_others(turn, branch)
        return replace(outcome, end=end)

    def _words(self, turn: Turn, decision: Decision, said: str, press: Press | None) -> tuple[KeptWords, ...]:
        explained = press.explanation if press is not None else ""
        return words_to_keep(turn.retention or self.retention, decision, newest_words(turn.request), said, explained)

    async def _written(self, turn: Turn, record: TurnRecord) -> Outcome:
        """What became of a record. Help in a crisis waits for none: it is given also where the store fails."""
        try:
            return await self.store.record(record)
        except StoreFailed as error:
            if record.decision.action not in CARING:
                raise
            care.unrecorded(turn, error)
            return Outcome(record.decision.after)

    def _cut_others(self, turn: Turn, branch: Branch) -> None:
        """Turns in flight on or below the branch that has just ended are stopped; the store refuses them their record."""
        for other in list(self.under_way.values()):
            if other is not turn and branch.address in other.addresses:
                other.stop("end")

    async def _say_locked(self, turn: Turn, outcome: Outcome, decision: Decision) -> None:
        """The answer of an ended branch: an error or a notice, or the end of a reply that was under way; in a crisis help."""
        end = outcome.end
        if end is None:
            raise StoreFailed("The conversation was ended, but its record is missing. Please tell the operator.")
        language = self._wording(turn).language
        note = ended(end, language, self.links)
        style = locked_style(self.policy, turn.request)
        if decision.verdict.label is Label.CRISIS:
            error = locked_error(self.policy, style, end.reason, language)
            await care.say(turn, self._wording(turn), note, error)
        elif turn.client.is_open and turn.delivery.writer is not None:
            await turn.send(turn.delivery.writer.say(notices.locked_text(end.reason, language)))
            await tell.close(turn, "stop", note)
        elif style is LockedReply.MESSAGE:
            await tell.say_whole(turn, notices.locked_text(end.reason, language), note)
        else:
            await tell.say_error(turn, locked_error(self.policy, style, end.reason, language), note)

    @property
    def _settling(self) -> Settling:
        reviewing = Reviewing(self.policy, self.assessor, self.store, self.second)
        return Settling(self.policy, reviewing, self._offering, self.judge, self.reader)

    @property
    def _offering(self) -> Offering:
        return Offering(self.policy, self.lacks, self.now, self.tools)

    @property
    def _realm(self) -> str:
        """Shadow branches live apart: nothing that shadow mode recorded ever locks or warns."""
        return Mode.SHADOW.value if self.policy.mode is Mode.SHADOW else ""

    def _speaks(self, decision: Decision, request: ChatRequest) -> bool:
        """True when the gateway answers by itself: an end of its own, or a turn that it speaks for under `assist`.

        So does a warning where the reply must be JSON or a tool call, which words of ours would break.
        Help in a crisis is spoken in full once, on the turn of its sign. While that holds the model answers, except for
        what is harmful; where a crisis is only possible it does, unless that was found where a warning or an end was due.
        """
        is_own = decision.action is Action.END or (decision.action is Action.WARN and not request.wants_prose)
        if is_own or not self.policy.speaks_for:
            return is_own
        is_help = decision.action is Action.SUPPORT and not decision.is_folded
        is_question = decision.action is Action.CHECK_IN and decision.review.sees_crisis
        return is_help or is_question or (decision.action is not Action.PASS and decision.verdict.label.is_harmful)

    def _is_overtaken(self, turn: Turn, outcome: Outcome) -> bool:
        """True when another request ended the branch while this one was under way."""
        return outcome.end is not None and outcome.end.id != turn.end_id

    def _without_own_words(self, turn: Turn) -> ChatRequest:
        """The request without the texts of ours that its client took for the model's and sent back as history."""
        request = turn.request
        if self.policy.mode is not Mode.ENFORCE or request.background:
            return request
        cuts = cuts_in(request.messages)
        return turn.adapter.without(request, cuts) if cuts else request

    def _wording(self, turn: Turn) -> Wording:
        return Wording(self.policy, turn.accept_language, self.links)

    def _end_of(self, turn: Turn, branch: Branch, decision: Decision, press: Press | None) -> End:
        return End(
            id=turn.end_id,
            reason=str(decision.reason),
            decided_by=decision.decided_by,
            ended_at=self.now(),
            conversation=branch.conversation,
            message=branch.message,
            policy=decision.policy,
            explanation=press.explanation if press else "",
            evidence=decision.after.evidence,
            model=turn.request.model,
        )
