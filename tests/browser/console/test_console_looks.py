"""Every page of the console, light and dark, wide and narrow, in German, by keyboard: axe finds nothing."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import expect
from tests.browser.desk import Desk, Office

PAGES = ("overview", "conversations", "conversations?view=ends", "conversations?view=decisions&kind=turn.warn")
PAGES += ("appeals", "audit", "policy", "webhooks", "keys")
NARROW = {"width": 360, "height": 700}


def places(office: Office) -> list[str]:
    return [*PAGES, f"conversations/{office.note['conversation']}", f"appeals/{office.appeal}"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(desk: Desk, office: Office, scheme: Literal["light", "dark"]) -> None:
    desk.page.emulate_media(color_scheme=scheme)
    for number, place in enumerate(places(office)):
        desk.opens(f"#/{place}")
        desk.accessible()
        desk.shot(f"console-{number}-{scheme}")


@pytest.mark.browser_context_args(viewport=NARROW)
def test_narrow_screens_never_scroll_sideways_and_have_a_menu(desk: Desk, office: Office) -> None:
    expect(desk.page.get_by_role("navigation")).to_have_count(0)
    for number, place in enumerate(places(office)):
        desk.opens(f"#/{place}")
        desk.is_inert()
        desk.shot(f"console-{number}-narrow")
    menu = desk.page.get_by_role("button", name="Menu")
    menu.click()
    expect(menu).to_have_attribute("aria-expanded", "true")
    desk.accessible()
    desk.page.get_by_role("navigation").get_by_role("link", name="Keys").click()
    expect(desk.title).to_have_text("Keys")
    expect(desk.title).to_be_focused()
    expect(menu).to_have_attribute("aria-expanded", "false")


@pytest.mark.browser_context_args(locale="de-DE")
def test_german_is_spoken_to_germans(door: Desk, office: Office) -> None:
    door.page.goto(f"{door.url}/console")
    expect(door.title).to_have_text("An der Konsole anmelden")
    door.page.get_by_label("Schlüssel").fill("operator-key-0001")
    door.page.keyboard.press("Enter")
    expect(door.title).to_have_text("Überblick")
    door.opens(f"#/conversations/{office.note['conversation']}")
    expect(door.main).to_contain_text("Beitrag für Beitrag")
    door.page.get_by_label("Sprache").select_option("en")
    expect(door.main).to_contain_text("The ladder, turn by turn")
    door.page.reload()
    expect(door.page.locator("html")).to_have_attribute("lang", "en")


def test_the_whole_way_goes_without_a_mouse(desk: Desk) -> None:
    keyboard = desk.page.keyboard
    desk.page.evaluate("document.activeElement.blur()")
    keyboard.press("Tab")
    expect(desk.page.get_by_role("link", name="Skip to the page")).to_be_focused()
    keyboard.press("Enter")
    expect(desk.title).to_be_focused()
    keyboard.press("Tab")
    expect(desk.page.get_by_label("Period")).to_be_focused()
    link = desk.page.get_by_role("navigation").get_by_role("link", name="Appeals")
    for _ in range(40):
        keyboard.press("Shift+Tab")
        if link.evaluate("(element) => element === document.activeElement"):
            break
    keyboard.press("Enter")
    expect(desk.title).to_have_text("Appeals")
    expect(desk.title).to_be_focused()
    expect(desk.page.get_by_role("link", name="I quoted a film")).to_be_visible()
    keyboard.press("Tab")
    keyboard.press("Tab")
    keyboard.press("Enter")
    expect(desk.page.get_by_role("button", name="Decide")).to_be_visible()
