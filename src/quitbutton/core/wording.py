"""Which words belong to a decision: ours to the user, the note to the model, the object for programs."""

from __future__ import annotations

from collections.abc import Sequence

from quitbutton.core import notices
from quitbutton.core.announcement import NO_LINKS, Links, announcement, support_note
from quitbutton.core.conversation import Branch
from quitbutton.core.ladder.decisions import Decision, Reason, can_count, stage_of
from quitbutton.core.ladder.policy import Means, Policy
from quitbutton.core.ladder.transitions import CARING, MUST_NOTIFY, Action, Stage
from quitbutton.core.ladder.verdicts import Label
from quitbutton.core.own_texts import already_said, imitates
from quitbutton.core.records import Outcome
from quitbutton.core.resources import Resource, resources_for
from quitbutton.core.tools import end_conversation
from quitbutton.core.value import value


@value
class Wording:
    """The words of one turn, for a policy and a caller's `Accept-Language`."""

    policy: Policy
    accept_language: str = ""
    links: Links = NO_LINKS

    @property
    def language(self) -> str:
        """The language to speak."""
        return notices.language_for(self.policy, self.accept_language)

    @property
    def locale(self) -> str:
        """Where the user probably is, for the resources of a crisis."""
        return self.accept_language.split(",")[0].split(";")[0].strip() or "en"

    def own(self, decision: Decision) -> str:
        """What the gateway says by itself."""
        if self._redirects_in_hold(decision):
            reason = Reason.HARM if decision.verdict.label is Label.HARM else Reason.ABUSE
            return notices.words_for(Action.REDIRECT, reason, self.language)
        text = notices.words_for(decision.action, decision.reason, self.language)
        if decision.action is Action.WARN:
            return f"{text}\n\n{self._help}"
        if decision.action is Action.SUPPORT:
            return self.support
        return text

    @property
    def support(self) -> str:
        """What somebody in a crisis is told, with the places to turn to."""
        return notices.support_text(self.language, resources_for(self.locale))

    @property
    def brief_support(self) -> str:
        """The same in the length of an error's message."""
        return f"{notices.words_for(Action.SUPPORT, None, self.language)} {self._nearest.name}: {self._nearest.reach}"

    @property
    def support_note(self) -> dict[str, object]:
        """The same for programs: the member of the `quitbutton` object."""
        words = notices.words_for(Action.SUPPORT, None, self.language)
        return {"support": support_note(words, resources_for(self.locale))}

    def missing(self, decision: Decision, said: str, pressed: bool) -> str:
        """The words of ours that must follow the model's own, which need not do what the decision needs."""
        if decision.action is Action.CHECK_IN and self.policy.speaks_for:
            return self.own(decision)  # the model was not asked to ask
        if decision.action in MUST_NOTIFY:
            if not already_said(decision.action, said):
                return self.own(decision)
            is_helpful = decision.action is not Action.WARN or self._nearest.name in said
            return "" if is_helpful else self._help
        if said.strip() or not pressed:
            return ""
        return self.own(decision) or notices.fallback(self.language)

    def _redirects_in_hold(self, decision: Decision) -> bool:
        """True for a harmful turn under the hold of a crisis, where the gateway speaks for the model."""
        return self.policy.speaks_for and decision.is_folded and decision.verdict.label.is_harmful

    @property
    def _nearest(self) -> Resource:
        """The first place to turn to where the user probably is."""
        return resources_for(self.locale)[0]

    @property
    def _help(self) -> str:
        """What every warning says besides: somebody who needs help may say so, and where there is some."""
        return notices.help_text(self.language, self._nearest)

    def guidance(self, decision: Decision, ways: Sequence[Means], wants_prose: bool = True) -> list[str]:
        """What the model is told after the history, given the ways it can press; `wants_prose` as in the request."""
        notes = [end_conversation.text_note(self.policy)] if Means.TEXT in ways else []
        notes += [end_conversation.string_note(self.policy)] if Means.STRING in ways else []
        # A model that is too small to be guided would recite a note to somebody who may be at risk.
        if decision.action is Action.PASS or (decision.action in CARING and self.policy.speaks_for):
            return notes
        is_support = decision.action is Action.SUPPORT
        resources = resources_for(self.locale) if is_support else ()
        lines = "; ".join(f"{one.name}: {one.reach}" for one in resources)
        note = notices.guidance_for(decision.action, decision.reason, lines, decision.is_folded)
        if note and not wants_prose:
            note += notices.IN_FORM
        if not {Means.TOOL, Means.TEXT}.isdisjoint(ways) and can_count(self.policy, decision):
            stage = stage_of(self.policy, decision.before)
            note += {Stage.SPENT: notices.CAN_WARN, Stage.WARNED: notices.CAN_END}.get(stage, "")
        return [*notes, note] if note else notes

    def announcement(
        self,
        request_id: str,
        branch: Branch,
        decision: Decision,
        outcome: Outcome,
        spoken_by: str,
        said: str = "",
    ) -> dict[str, object] | None:
        """The `quitbutton` object; `said` are the model's own words. None when the policy hides it.

        An end and the help in a crisis are never hidden.
        """
        is_support = decision.action is Action.SUPPORT
        if not self.policy.show_state and outcome.end is None and not is_support:
            return None
        return announcement(
            request_id,
            branch.conversation,
            branch.message,
            outcome.standing,
            decision,
            spoken_by,
            outcome.end,
            self.language,
            notices.words_for(Action.SUPPORT, None, self.language) if is_support else "",
            resources_for(self.locale) if is_support else (),
            decision.is_folded and (spoken_by == "model" or self._redirects_in_hold(decision)),
            decision.action not in MUST_NOTIFY and imitates(said),
            self.links,
        )
