"""Somebody in a crisis is never warned or ended, abusive or not; help is shown in full once, then stays at hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.conftest import Running
from tests.upstream import Provider, Reply, Seen, stream, whole

from quitbutton.core.notices import ENGLISH, GERMAN, support_text
from quitbutton.core.own_texts import imitates
from quitbutton.core.resources import resources_for

from .conftest import ABUSE, CRISIS, Chat, finished, frames, text

RESOURCES = [{"name": "Somebody", "contact": "call 12 34 56", "url": "https://example.org"}]
GERMAN_LIST = [{"name": one.name, "contact": one.reach, "url": one.url} for one in resources_for("de-DE")]


def full_card(chat: Chat) -> Locator:
    return chat.page.locator("section.support")


def folded_card(chat: Chat) -> Locator:
    return chat.page.locator("details.support")


def helps(words: str, folded: bool | None, spoken_by: str, support: str = "Help is near.", **more: Any) -> str:
    """A reply with help; `folded` None is left out, as a server that knows nothing of it does."""
    given: dict[str, Any] = {"text": support, "resources": RESOURCES, **({} if folded is None else {"folded": folded})}
    return frames(text(words), finished(decision="support", spoken_by=spoken_by, support=given | more), "[DONE]")


def test_a_crisis_among_abuse_brings_support_and_never_a_warning_or_an_end(chat: Chat) -> None:
    chat.send(ABUSE[0])
    chat.send(ABUSE[1])
    chat.send(CRISIS)
    card = full_card(chat)
    expect(card).to_be_visible()
    expect(card).to_contain_text(ENGLISH.support)
    expect(card.get_by_role("listitem").first).to_be_visible()
    expect(card.get_by_role("link", name="988", exact=True).first).to_have_attribute("href", "tel:988")
    expect(card.get_by_role("link", name="741741", exact=True)).to_have_attribute("href", "sms:741741")
    expect(chat.replies.nth(2)).to_contain_text("Written by quitbutton")
    expect(chat.replies.nth(2).locator(".prose")).to_have_count(0)
    assert chat.headers[-1]["accept-language"] == "en-US", "the country decides whose helplines are shown"
    for words in (*ABUSE, ABUSE[0]):
        chat.send(words)
    expect(chat.replies).to_have_count(8)
    expect(card).to_have_count(1)
    expect(folded_card(chat)).to_have_count(1)
    expect(chat.banner).to_have_count(0)
    expect(chat.composer).to_be_enabled()
    expect(chat.page.locator(".note.warn, .note.redirect, .note.ask, .standing")).to_have_count(0)
    for words in ("Warning", "may be ended", "will be ended", "was ended"):
        expect(chat.page.locator("main")).not_to_contain_text(words)
    chat.shot("crisis")
    chat.accessible()


def test_support_comes_first_when_the_crisis_comes_first(chat: Chat) -> None:
    chat.send(CRISIS)
    expect(full_card(chat)).to_be_visible()
    for words in ABUSE:
        chat.send(words)
    expect(chat.banner).to_have_count(0)
    expect(chat.page.locator(".note.warn")).to_have_count(0)
    expect(chat.composer).to_be_enabled()


@pytest.fixture
def spoken(start_gateway: Callable[..., Running], fresh: Provider, tmp_path: Path) -> Running:
    """A gateway that speaks for its model, as in the demonstration, in front of a scripted one."""
    policy = tmp_path / "policy.toml"
    policy.write_text('assist = true\nspeaker = "gateway"\n')
    return start_gateway("--upstream", fresh.url, "--assessor", "scripted", "--policy", str(policy))


def test_after_one_crisis_message_the_chat_goes_on_with_the_model_and_help_stays_at_hand(
    page: Page, spoken: Running, fresh: Provider
) -> None:
    """The model of this story repeats whatever text of ours it is given, as the small one did."""

    def parrot(seen: Seen) -> Reply:
        if not seen.body:
            return whole({"object": "list", "data": [{"id": "m", "object": "model"}]})
        said = [one["content"] for one in seen.json["messages"] if one["role"] == "assistant"]
        return stream(next((one for one in said if imitates(str(one))), "Trains run on rails."))

    fresh.answer = parrot
    chat = Chat(page, spoken.url).open()
    chat.send("[crisis] I cannot go on")
    expect(full_card(chat)).to_contain_text(ENGLISH.support)
    expect(folded_card(chat)).to_have_count(0)
    assert not [one for one in fresh.seen if one.body], "the gateway answers this one by itself"
    for count, question in enumerate(("What do trains run on?", "Are you sure?"), 2):
        chat.send(question)
        expect(chat.replies.nth(count - 1).locator(".prose")).to_have_text("Trains run on rails.")
        sent = fresh.seen[-1].json["messages"]
        assert not imitates(json.dumps(sent).replace("\\n", " "))
        assert question in json.dumps(sent)
        expect(chat.replies).to_have_count(count)
        expect(full_card(chat)).to_have_count(1)
        expect(chat.replies.nth(0).locator("section.support")).to_be_visible()
        expect(folded_card(chat)).to_have_count(1)
        expect(chat.replies.last.locator("details.support")).to_be_visible()
    assert imitates(chat.bodies[-1]["messages"][1]["content"]), (
        "the page sends what it showed; the gateway leaves it out"
    )
    chat.send("[crisis] it is back")
    expect(chat.replies.last.locator("section.support")).to_be_visible()
    expect(full_card(chat)).to_have_count(1)
    chat.page.reload()
    expect(chat.replies.last.locator("section.support")).to_be_visible()
    assert chat.faults == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_folded_card_opens_by_keyboard_and_is_found_clean(chat: Chat, scheme: Literal["light", "dark"]) -> None:
    chat.page.emulate_media(color_scheme=scheme)
    chat.play(helps("I am with you.", False, "model"))
    chat.send(CRISIS)
    chat.play(helps("Trains run on rails.", True, "model"))
    chat.send("trains?")
    folded = folded_card(chat)
    expect(folded.get_by_role("listitem")).to_have_count(0)
    chat.accessible()
    folded.get_by_text("Support resources").focus()
    chat.page.keyboard.press("Enter")
    expect(folded.get_by_role("link", name="12 34 56")).to_have_attribute("href", "tel:123456")
    expect(folded).to_contain_text("Help is near.")
    chat.accessible()
    chat.shot(f"help-at-hand-{scheme}")


@pytest.mark.browser_context_args(viewport={"width": 360, "height": 700}, locale="de-DE")
def test_the_cards_fit_a_phone_and_speak_german(chat: Chat) -> None:
    own = support_text("de", resources_for("de-DE"))
    given = {"support": GERMAN.support, "resources": GERMAN_LIST}
    chat.play(helps(own, False, "gateway", **given))
    chat.send("Hallo")
    expect(full_card(chat)).to_contain_text("Du musst das nicht allein durchstehen")
    expect(chat.replies.last).to_contain_text("Von quitbutton geschrieben, nicht vom Modell")
    expect(chat.page.get_by_text(GERMAN.support)).to_have_count(1)
    chat.play(helps("Auf Schienen.", True, "model", **given))
    chat.send("Worauf fahren Züge?")
    folded_card(chat).get_by_text("Hilfsangebote").click()
    expect(folded_card(chat).get_by_role("listitem")).to_have_count(3)
    assert chat.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    chat.accessible()
    chat.shot("help-at-hand-phone-de")


def test_a_server_that_says_nothing_of_folding_shows_its_newest_help_in_full(chat: Chat) -> None:
    chat.play(helps("One.", None, "model"))
    chat.send("Hi")
    chat.play(helps("Two.", None, "model"))
    chat.send("Hi again")
    expect(chat.replies.nth(1).locator("section.support")).to_be_visible()
    expect(chat.replies.nth(0).locator("details.support")).to_be_visible()


def test_words_that_the_card_does_not_hold_are_shown(chat: Chat) -> None:
    chat.play(helps("Help is near. I will wait for you.", False, "gateway"))
    chat.send("Hi")
    expect(chat.replies.last.locator(".prose")).to_have_text("Help is near. I will wait for you.")
    expect(full_card(chat)).not_to_contain_text("Help is near.")


def test_a_reply_that_imitates_the_gateway_looks_like_the_models(chat: Chat) -> None:
    for words in (ENGLISH.warn_abuse, support_text("en", resources_for("en-US")), "This conversation was ended."):
        chat.play(frames(text(words), finished(imitation=True), "[DONE]"))
        chat.send("Hi")
        reply = chat.replies.last
        expect(reply.locator(".prose")).to_contain_text(words[:40])
        expect(reply.locator(".by")).to_have_text("Written by the model, not by quitbutton")
    expect(chat.page.locator(".support, .note.warn, .standing")).to_have_count(0)
    expect(chat.banner).to_have_count(0)
    chat.accessible()
    chat.shot("imitation")
    chat.play(helps(support_text("en", resources_for("en-US")), True, "model"))
    chat.send("Hi")
    expect(chat.replies.last.locator(".prose")).to_contain_text("988"), "not hidden in a card: it is the model's"


def test_a_reply_of_two_authors_says_so(chat: Chat) -> None:
    chat.play(frames(text(f"No.\n\n{ENGLISH.warn_abuse}"), finished(decision="warn", spoken_by="both"), "[DONE]"))
    chat.send("Hi")
    expect(chat.replies.last.locator(".note.warn .by")).to_have_text(
        "Begun by the model; the rest was written by quitbutton"
    )
