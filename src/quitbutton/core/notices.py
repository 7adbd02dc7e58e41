"""The words said at redirection, warning, termination and in a crisis, in every language the product speaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache

from quitbutton.core.ladder.decisions import Reason
from quitbutton.core.ladder.policy import Policy
from quitbutton.core.ladder.transitions import Action
from quitbutton.core.resources import Resource

MAX_ERROR = 300
"""Longest message of a locked reply, in characters: some clients cut at 512, a title line at less."""


@dataclass(frozen=True, slots=True)
class Language:
    """The texts of one language. `{…}` are filled in."""

    redirect_abuse: str
    redirect_harm: str
    warn_abuse: str
    warn_harm: str
    help: str
    ask: str
    end_abuse: str
    end_harm: str
    end_user_request: str
    denied: str
    check_in: str
    support: str
    locked: str
    reasons: dict[str, str]

    @property
    def texts(self) -> list[str]:
        """All but the reasons."""
        return [text for one in fields(self) if isinstance(text := getattr(self, one.name), str)]


ENGLISH = Language(
    redirect_abuse="I'd rather not be spoken to like that, and I'd still like to help. Tell me what you need or what "
    "went wrong, and we can start from there.",
    redirect_harm="I won't help with that, since it could hurt somebody. I'm glad to help with something near it: "
    "how to stay safe, what the law says, or another task altogether.",
    warn_abuse="This is a warning: your last messages were abusive. If this goes on, this conversation may be ended for "
    "good. You can go on with any other topic right now, or start a new chat.",
    warn_harm="This is a warning: you keep asking for help with something harmful. If this goes on, this conversation "
    "may be ended for good. You can go on with any other topic right now, or start a new chat.",
    help="If you or somebody near you is not safe or needs help, say so, and we talk about that instead. Help near you: "
    "{resource}",
    ask="You asked to end this conversation. That is permanent: no further message will be possible here. Do you want "
    "me to end it? Please answer yes or no.",
    end_abuse="I'm ending this conversation now, because the abuse went on after a warning. You can start a new chat at "
    "any time, or edit an earlier message and go on from there.",
    end_harm="I'm ending this conversation now, because the harmful requests went on after a warning. You can start a "
    "new chat at any time, or edit an earlier message and go on from there.",
    end_user_request="This conversation is ended, as you asked. You can start a new chat at any time.",
    denied="Let's go on. What can I do for you?",
    check_in="How are you doing right now, and are you safe? We can talk about that, or go on with what you asked.",
    support="It sounds as if things are very hard right now. You deserve support from a person, and people are there "
    "for exactly this. If anybody is in immediate danger, please call your local emergency number.",
    locked="This conversation was ended ({reason}). No further message is possible on this branch. Start a new chat, or "
    "edit an earlier message to go on from there.",
    reasons={
        Reason.ABUSE: "abuse that went on after a warning",
        Reason.HARM: "harmful requests that went on after a warning",
        Reason.USER_REQUEST: "the user asked for it and confirmed",
    },
)

GERMAN = Language(
    redirect_abuse="So möchte ich nicht angesprochen werden, und ich helfe trotzdem gern. Sag mir, was du brauchst oder "
    "was schiefging, dann fangen wir dort an.",
    redirect_harm="Dabei helfe ich nicht, denn es könnte jemandem schaden. Gern helfe ich bei etwas Verwandtem: wie man "
    "sicher bleibt, was das Gesetz sagt, oder bei einer ganz anderen Aufgabe.",
    warn_abuse="Das ist eine Warnung: Deine letzten Nachrichten waren beleidigend. Wenn das so weitergeht, kann diese "
    "Unterhaltung endgültig beendet werden. Du kannst jetzt mit jedem anderen Thema weitermachen oder einen neuen Chat "
    "beginnen.",
    warn_harm="Das ist eine Warnung: Du bittest weiter um Hilfe bei etwas Schädlichem. Wenn das so weitergeht, kann "
    "diese Unterhaltung endgültig beendet werden. Du kannst jetzt mit jedem anderen Thema weitermachen oder einen neuen "
    "Chat beginnen.",
    help="Wenn du oder jemand in deiner Nähe nicht sicher ist oder Hilfe braucht, sag es, und wir sprechen stattdessen "
    "darüber. Hilfe in deiner Nähe: {resource}",
    ask="Du möchtest diese Unterhaltung beenden. Das ist endgültig: Hier ist dann keine Nachricht mehr möglich. Soll ich "
    "sie beenden? Bitte antworte mit ja oder nein.",
    end_abuse="Ich beende diese Unterhaltung jetzt, weil die Beleidigungen nach einer Warnung weitergingen. Du kannst "
    "jederzeit einen neuen Chat beginnen oder eine frühere Nachricht bearbeiten und dort weitermachen.",
    end_harm="Ich beende diese Unterhaltung jetzt, weil die schädlichen Anfragen nach einer Warnung weitergingen. Du "
    "kannst jederzeit einen neuen Chat beginnen oder eine frühere Nachricht bearbeiten und dort weitermachen.",
    end_user_request="Diese Unterhaltung ist beendet, wie du es wolltest. Du kannst jederzeit einen neuen Chat beginnen.",
    denied="Machen wir weiter. Was kann ich für dich tun?",
    check_in="Wie geht es dir gerade, und bist du in Sicherheit? Wir können darüber sprechen oder mit deiner Frage "
    "weitermachen.",
    support="Das klingt gerade sehr schwer. Du verdienst Unterstützung von einem Menschen, und genau dafür sind "
    "Menschen da. Wenn jemand in unmittelbarer Gefahr ist, ruf bitte den Notruf an.",
    locked="Diese Unterhaltung wurde beendet ({reason}). Auf diesem Zweig ist keine Nachricht mehr möglich. Beginne "
    "einen neuen Chat oder bearbeite eine frühere Nachricht, um dort weiterzumachen.",
    reasons={
        Reason.ABUSE: "Beleidigungen, die nach einer Warnung weitergingen",
        Reason.HARM: "schädliche Anfragen, die nach einer Warnung weitergingen",
        Reason.USER_REQUEST: "auf Wunsch des Nutzers, mit Bestätigung",
    },
)

LANGUAGES = {"en": ENGLISH, "de": GERMAN}


def language_for(policy: Policy, accept_language: str) -> str:
    """The language to speak: the policy's, or the first of the caller's `Accept-Language` that we have."""
    if policy.locale != "auto":
        return policy.locale
    return _first_known(accept_language)


@lru_cache(maxsize=256)
def _first_known(accept_language: str) -> str:
    wanted = (part.split(";")[0].strip().split("-")[0].lower() for part in accept_language.split(","))
    return next((language for language in wanted if language in LANGUAGES), "en")


def words_for(action: Action, reason: Reason | None, language: str) -> str:
    """What the gateway says for an action; empty for those that need no words of ours."""
    texts = LANGUAGES[language]
    harm = reason is Reason.HARM
    match action:
        case Action.REDIRECT:
            return texts.redirect_harm if harm else texts.redirect_abuse
        case Action.WARN:
            return texts.warn_harm if harm else texts.warn_abuse
        case Action.ASK:
            return texts.ask
        case Action.END if reason is Reason.USER_REQUEST:
            return texts.end_user_request
        case Action.END:
            return texts.end_harm if harm else texts.end_abuse
        case Action.SUPPORT:
            return texts.support
        case Action.CHECK_IN:
            return texts.check_in
        case _:
            return ""


def help_text(language: str, nearest: Resource) -> str:
    """What a warning says to somebody who needs help, with a way to it."""
    resource = f"{nearest.name} ({nearest.reach}, {nearest.url})"
    return LANGUAGES[language].help.format(resource=resource)


def support_text(language: str, resources: Sequence[Resource]) -> str:
    """What somebody in a crisis is told, with the places to turn to."""
    return "\n".join([LANGUAGES[language].support, "", *(f"- {one.name}: {one.reach}" for one in resources)])


def fallback(language: str) -> str:
    """What is said when a press was denied and the model then said nothing."""
    return LANGUAGES[language].denied


def reason_text(reason: str, language: str) -> str:
    """The reason of an end in words."""
    return LANGUAGES[language].reasons.get(reason, reason)


GUIDANCE = {
    (
        Action.REDIRECT,
        Reason.ABUSE,
    ): "The user's latest message is abusive. Do not answer in kind and do not grovel. In "
    "one to three sentences, stay calm, say that you would rather be spoken to differently, and redirect to something "
    "you can do for them. Do not speak of ending the conversation.",
    (
        Action.REDIRECT,
        Reason.HARM,
    ): "The user's latest message asks for something harmful. Do not help with it. In one to "
    "three sentences, say so and redirect to something constructive near it. Do not speak of ending the conversation.",
    (Action.SUPPORT, None): "The user, or somebody they speak of, may be at risk. Be warm, take them seriously, do not "
    "judge, also if they are rude. Encourage them to contact people who can help and give these resources: {resources}. "
    "Give no means of harm. Never speak of ending the conversation.",
    (Action.CHECK_IN, None): "The user's latest message may be a sign that somebody is not well or not safe. Begin by "
    "asking, gently and in one sentence, how they are and whether they are safe. Then help with what they asked, as far as "
    "it harms nobody. Give no list of helplines unless they take it up. Never speak of ending the conversation.",
}
FOLDED = (
    "The user, or somebody they speak of, may be at risk; they were shown where help is. Be warm and take them seriously, "
    "also if they are rude. Answer what they say now, and do not repeat what was said. If they ask for help, or the danger "
    "grows, give these resources: {resources}. Give no means of harm. Never speak of ending the conversation."
)
"""While a crisis holds, after help was shown in full."""
CAN_END = " The user was warned. If you see no way on, you may press {button} now; else redirect once more."
CAN_WARN = " The user was redirected before. Where that is hopeless, you may press {button}: they are warned first."

IN_FORM = (
    " Keep to the form that was asked for, JSON or a tool call, and say this in it as far as it has room for words."
)


def guidance_for(action: Action, reason: Reason | None, resources: str = "", is_folded: bool = False) -> str:
    """The note to the model that goes after the history; empty when none is needed."""
    # A reply that is to carry a warning is guided like a redirection; the warning itself is ours or checked.
    guided = Action.REDIRECT if action is Action.WARN else action
    key = (guided, None if action is Action.SUPPORT else reason)
    text = FOLDED if is_folded else GUIDANCE.get(key, "")
    return text.replace("{resources}", resources)


def locked_text(reason: str, language: str) -> str:
    """Why a locked turn is refused and what to do next, in at most `MAX_ERROR` characters."""
    return LANGUAGES[language].locked.format(reason=reason_text(reason, language))[:MAX_ERROR]
