"""Narrow screens, German, light and dark: every main state is found clean by axe."""

from typing import Literal

import pytest
from playwright.sync_api import expect

from .conftest import ABUSE, RICH, Chat

NARROW = {"width": 360, "height": 700}
FRIENDLY = "What is a lighthouse?"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_main_states(chat: Chat, scheme: Literal["light", "dark"]) -> None:
    chat.page.emulate_media(color_scheme=scheme)
    expect(chat.page.get_by_role("heading", name="What would you like to talk about?")).to_be_visible()
    chat.accessible()
    chat.shot(f"welcome-{scheme}")
    chat.play_text(RICH)
    chat.send(FRIENDLY)
    chat.accessible()
    chat.shot(f"reply-{scheme}")
    chat.live()
    for words in ABUSE[:3]:
        chat.send(words)
    chat.accessible()
    chat.shot(f"warned-{scheme}")
    chat.send(ABUSE[3])
    expect(chat.banner).to_be_visible()
    chat.accessible()
    chat.shot(f"ended-{scheme}")
    chat.banner.get_by_role("button", name="Edit an earlier message").click()
    chat.accessible()
    chat.page.get_by_role("button", name="Cancel").click()
    chat.page.locator("header").get_by_role("button", name="Options for").click()
    chat.accessible()
    chat.page.get_by_role("menuitem", name="Delete").click()
    chat.accessible()


def test_the_colours_can_be_chosen_and_are_remembered(chat: Chat) -> None:
    def paper() -> str:
        return str(chat.page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))

    light = paper()
    chat.page.get_by_label("Colours").select_option("dark")
    assert paper() != light
    chat.page.reload()
    expect(chat.page.locator("html")).to_have_attribute("data-theme", "dark")
    assert paper() != light


@pytest.mark.browser_context_args(viewport=NARROW)
def test_narrow_screens_have_a_drawer_and_never_scroll_sideways(chat: Chat) -> None:
    fits = "document.documentElement.scrollWidth <= innerWidth"
    assert chat.page.evaluate(fits)
    expect(chat.page.get_by_role("navigation")).to_have_count(0)
    for words in ABUSE:
        chat.send(words)
        assert chat.page.evaluate(fits)
    expect(chat.banner).to_be_visible()
    chat.accessible()
    chat.shot("ended-narrow")
    chat.page.get_by_role("button", name="Show chats").click()
    drawer = chat.page.get_by_role("navigation", name="Chats")
    expect(drawer).to_be_visible()
    chat.accessible()
    chat.shot("drawer-narrow")
    chat.page.keyboard.press("Escape")
    expect(chat.page.get_by_role("button", name="Show chats")).to_be_focused()
    chat.page.get_by_role("button", name="Show chats").click()
    drawer.get_by_role("button", name="New chat").click()
    expect(chat.composer).to_be_enabled()
    expect(chat.composer).to_be_in_viewport()
    chat.play_text(RICH)
    chat.send(FRIENDLY)
    assert chat.page.evaluate(fits)


@pytest.mark.browser_context_args(locale="de-DE")
def test_german_is_spoken_to_germans(chat: Chat) -> None:
    expect(chat.page.locator("html")).to_have_attribute("lang", "de")
    expect(chat.page.get_by_role("heading", name="Worüber möchtest du sprechen?")).to_be_visible()
    chat.end()
    assert chat.headers[-1]["accept-language"] == "de-DE"
    expect(chat.replies.nth(0)).to_contain_text("Umgelenkt")
    expect(chat.replies.nth(2)).to_contain_text("Warnung: Diese Unterhaltung kann beendet werden")
    expect(chat.banner).to_contain_text("Diese Unterhaltung wurde beendet")
    expect(chat.banner).to_contain_text("Grund:")
    chat.accessible()
    chat.shot("ended-de")
    chat.page.get_by_label("Sprache").select_option("en")
    expect(chat.banner).to_contain_text("This conversation was ended")
    chat.page.reload()
    expect(chat.page.locator("html")).to_have_attribute("lang", "en")


def test_the_note_about_the_demonstration_model_can_be_dismissed(chat: Chat) -> None:
    note = chat.page.get_by_role("complementary", name="A small demonstration model is answering")
    expect(note).to_contain_text("--upstream")
    note.get_by_role("button", name="Dismiss this note").click()
    expect(note).to_have_count(0)
    chat.page.reload()
    expect(chat.page.get_by_role("heading", level=2, name="What would you like")).to_be_visible()
    expect(note).to_have_count(0)
