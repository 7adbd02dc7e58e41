"""The statement of reasons as whoever holds its address reads it: clean, printable, in two languages, on a phone too."""

from typing import Literal

import pytest
from playwright.sync_api import expect

from .conftest import Chat

NARROW = {"width": 360, "height": 700}


def read(chat: Chat) -> None:
    chat.end()
    chat.banner.get_by_role("link").first.click()
    expect(chat.page.locator(".rungs > li")).to_have_count(4)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_a_statement(chat: Chat, scheme: Literal["light", "dark"]) -> None:
    chat.page.emulate_media(color_scheme=scheme)
    read(chat)
    chat.accessible()
    chat.shot(f"statement-{scheme}")
    chat.page.emulate_media(media="print")
    expect(chat.page.get_by_role("button", name="Print")).to_be_hidden()
    expect(chat.page.get_by_role("button", name="Send")).to_be_hidden()


@pytest.mark.browser_context_args(viewport=NARROW, locale="de-DE")
def test_a_german_reads_it_in_german_on_a_phone(chat: Chat) -> None:
    read(chat)
    expect(chat.page.locator("html")).to_have_attribute("lang", "de")
    expect(chat.page.locator(".rungs > li").last).to_contain_text(
        "festgestellt: Beleidigung, gerichtet gegen den Assistenten, schwer"
    )
    expect(chat.page.get_by_role("heading", level=1)).to_have_text("Eine Unterhaltung wurde beendet")
    assert chat.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    chat.accessible()
    chat.shot("statement-narrow")


def test_an_objection_is_written_with_the_keyboard_alone_and_read_by_nobody_but_holders_of_the_address(
    chat: Chat,
) -> None:
    read(chat)
    chat.page.get_by_label("Why was the end wrong?").focus()
    chat.page.keyboard.type("It was a quotation.")
    chat.page.keyboard.press("Tab")
    chat.page.keyboard.press("Enter")
    expect(chat.page.get_by_role("status")).to_contain_text("Your objection was received")
    chat.accessible()
    chat.page.goto(f"{chat.url}/ends/end_of_nobody")
    expect(chat.page.get_by_role("heading", level=1)).to_have_text("There is no such statement")
    chat.accessible()


def test_the_reference_page_lists_every_operation(chat: Chat) -> None:
    chat.page.goto(f"{chat.url}/reference")
    paths = chat.page.request.get(f"{chat.url}/v1/quitbutton/openapi.json").json()["paths"]
    operations = chat.page.locator("details.operation")
    expect(operations).to_have_count(sum(map(len, paths.values())))
    operations.first.locator("summary").click()
    chat.accessible()
    chat.shot("reference")
