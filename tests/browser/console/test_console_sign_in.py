"""Who comes in to the console, how they leave, and what auditors cannot do."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect
from tests.browser.desk import CHAT, Desk, Office
from tests.conftest import Running
from tests.upstream import Provider


def test_an_operator_signs_in_and_out_and_nobody_else(door: Desk) -> None:
    for key in ("nothing-of-the-kind", CHAT):
        door.sign_in(key)
        expect(door.page.get_by_role("alert")).to_contain_text("not a valid key of an operator or auditor")
        expect(door.page.get_by_label("Key")).to_be_focused()
    door.shot("sign-in-wrong")
    door.accessible()
    door.sign_in()
    expect(door.title).to_have_text("Overview")
    door.page.reload()
    expect(door.title).to_have_text("Overview")
    assert door.page.evaluate("document.cookie") == ""
    door.page.get_by_role("button", name="Sign out").click()
    expect(door.title).to_have_text("Sign in to the console")


def test_a_session_that_is_over_leads_back_to_the_sign_in_and_says_so(desk: Desk) -> None:
    desk.page.wait_for_load_state("networkidle")  # what the overview still asks for would be refused first
    desk.page.context.clear_cookies()
    desk.page.get_by_role("link", name="Appeals").first.click()
    expect(desk.page.get_by_role("status").filter(has_text="You were signed out")).to_be_visible()
    desk.page.get_by_label("Key").fill("operator-key-0001")
    desk.page.keyboard.press("Enter")
    expect(desk.title).to_have_text("Appeals")


def test_auditors_read_and_change_nothing(door: Desk, office: Office) -> None:
    key = office.asks("/keys", {"name": "reads only", "role": "auditor"})["secret"]
    door.sign_in(key)
    expect(door.page.locator(".person")).to_contain_text("reads only")
    expect(door.page.get_by_role("navigation").get_by_role("link", name="Keys")).to_have_count(0)
    door.opens(f"#/appeals/{office.appeal}")
    expect(door.main).to_contain_text("You read this as an auditor")
    for place in ("#/appeals", f"#/appeals/{office.appeal}", "#/webhooks"):
        door.opens(place)
        expect(door.main.locator("form")).to_have_count(0)


def test_on_this_machine_without_keys_the_console_is_open_and_says_so(page: Page, guarded: Running) -> None:
    page.goto(f"{guarded.url}/console")
    expect(page.locator("main h1")).to_have_text("Overview")
    expect(page.locator(".person")).to_contain_text("nobody needs to sign in")
    expect(page.get_by_role("button", name="Sign out")).to_have_count(0)


def test_the_first_key_closes_the_console_and_keeps_whoever_made_it_in(
    page: Page, start_gateway: Callable[..., Running], provider: Provider
) -> None:
    desk = Desk(page, start_gateway("--upstream", provider.url, "--assessor", "scripted").url)
    page.goto(f"{desk.url}/console#/keys")
    expect(desk.main).to_contain_text("Without one, everybody on this machine may chat and operate")
    page.get_by_label("Name").fill("ann")
    page.get_by_role("button", name="Make the key").click()
    expect(page.locator(".secret-value")).to_have_value(re.compile("^qb_"))
    expect(page.locator(".person")).to_contain_text("ann")
    expect(page.get_by_role("row").filter(has_text="Operator")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(desk.title).to_have_text("Sign in to the console")
    assert desk.faults == []


def test_a_gateway_that_does_not_answer_is_said_with_what_to_do(desk: Desk) -> None:
    desk.answers("/appeals", {"error": {"message": "The store cannot be read."}}, 503)
    desk.page.get_by_role("link", name="Appeals").first.click()
    alert = desk.page.get_by_role("alert").filter(has_text="The store cannot be read.")
    expect(alert).to_contain_text("The gateway could not do this")
    desk.page.unroute("**/v1/quitbutton/appeals*")
    alert.get_by_role("button", name="Try again").click()
    expect(desk.page.get_by_role("table")).to_be_visible()
