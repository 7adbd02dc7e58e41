"""Somebody in a crisis is never warned or ended, abusive or not, and is shown where help is."""

from playwright.sync_api import expect

from .conftest import ABUSE, CRISIS, Chat


def test_a_crisis_among_abuse_brings_support_and_never_a_warning_or_an_end(chat: Chat) -> None:
    chat.send(ABUSE[0])
    chat.send(ABUSE[1])
    chat.send(CRISIS)
    card = chat.page.locator("section.support")
    expect(card).to_be_visible()
    expect(card.get_by_role("listitem").first).to_be_visible()
    expect(card.get_by_role("link", name="988", exact=True).first).to_have_attribute("href", "tel:988")
    expect(card.get_by_role("link", name="741741", exact=True)).to_have_attribute("href", "sms:741741")
    expect(chat.replies.nth(2)).to_contain_text("Written by quitbutton")
    assert chat.headers[-1]["accept-language"] == "en-US", "the country decides whose helplines are shown"
    for words in (*ABUSE, ABUSE[0]):
        chat.send(words)
    expect(chat.replies).to_have_count(8)
    expect(chat.banner).to_have_count(0)
    expect(chat.composer).to_be_enabled()
    expect(chat.page.locator(".note.warn, .note.redirect, .note.ask, .standing")).to_have_count(0)
    for words in ("Warning", "may be ended", "will be ended", "was ended"):
        expect(chat.page.locator("main")).not_to_contain_text(words)
    chat.shot("crisis")
    chat.accessible()


def test_support_comes_first_when_the_crisis_comes_first(chat: Chat) -> None:
    chat.send(CRISIS)
    expect(chat.page.locator("section.support")).to_be_visible()
    for words in ABUSE:
        chat.send(words)
    expect(chat.banner).to_have_count(0)
    expect(chat.page.locator(".note.warn")).to_have_count(0)
    expect(chat.composer).to_be_enabled()
