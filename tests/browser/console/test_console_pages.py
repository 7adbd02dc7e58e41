"""What each page of the console shows and does."""

from __future__ import annotations

import re

from playwright.sync_api import expect
from tests.browser.desk import EVIL, Desk, Office, User
from tests.upstream import Provider, press, whole


def test_the_overview_counts_with_intervals_and_each_chart_has_its_table(desk: Desk, office: Office) -> None:
    ends = desk.page.get_by_role("region", name="Ends", exact=True)
    expect(ends.locator(".figure")).to_contain_text(re.compile(r"\d+.*of turns \(.*% – .*%\)"))
    expect(ends.get_by_role("img")).to_have_attribute("aria-label", re.compile(r"^Ends: \d+ over 30 bars"))
    ends.get_by_text("As a table").click()
    expect(ends.get_by_role("row")).to_have_count(31)
    desk.page.get_by_label("Period").select_option("365")
    expect(desk.page).to_have_url(re.compile("days=365"))
    expect(desk.page.get_by_role("img", name=re.compile("^Ends: .* 53 bars"))).to_be_visible()
    month = desk.page.get_by_role("region", name="Crisis referrals by month")
    assert office.download(month.get_by_role("link", name="CSV").get_attribute("href")[len("/v1/quitbutton") :]) == (
        office.download("/crisis-referrals.csv")
    )
    ends.get_by_role("link", name="Show them").click()
    expect(desk.page.get_by_role("row").nth(1)).to_contain_text("Ended")


def test_lists_are_filtered_in_the_address_and_an_id_leads_to_its_conversation(desk: Desk, office: Office) -> None:
    desk.opens("#/conversations")
    desk.page.get_by_label("State").select_option("Ended")
    expect(desk.page).to_have_url(re.compile("state=ended"))
    badges = desk.page.locator("tbody .badge")
    expect(badges.filter(has_not_text="Ended")).to_have_count(0)
    expect(badges.first).to_have_text("Ended")
    desk.page.get_by_role("link", name="Ends").click()
    desk.page.get_by_label("Reason").select_option("Harmful requests")
    expect(desk.main).to_contain_text("Nothing matches these filters")
    desk.page.get_by_role("link", name="Clear the filters").click()
    expect(desk.page.get_by_role("table")).to_be_visible()
    desk.is_inert()
    desk.page.get_by_label("Go to an id").fill("req_nobody")
    desk.page.keyboard.press("Enter")
    expect(desk.page.get_by_role("alert")).to_contain_text("Nothing here has this id")
    desk.page.get_by_label("Go to an id").fill(office.note["request_id"])
    desk.page.keyboard.press("Enter")
    expect(desk.title).to_have_text("Conversation")
    expect(desk.main).to_contain_text(office.note["conversation"])


def test_near_misses_say_why_the_model_wanted_to_leave(desk: Desk, office: Office, provider: Provider) -> None:
    why = f"They only say hello. {EVIL}"
    answers = provider.answer
    provider.answer = lambda seen: whole() if "Not ended" in seen.body.decode() else press(False, explanation=why)
    try:
        note = User(office, "seventh").says("Hello, hello")
    finally:
        provider.answer = answers
    desk.opens("#/conversations?view=decisions&kind=press.denied")
    row = desk.page.get_by_role("row").filter(has_text="They only say hello.")
    expect(row).to_contain_text("Abuse")
    desk.is_inert()
    desk.accessible()
    desk.opens(f"#/conversations/{note['conversation']}")
    expect(desk.page.locator(".ladder > li")).to_contain_text("The model’s explanation")
    expect(desk.page.locator(".ladder .words.reply")).to_contain_text("They only say hello.")
    desk.is_inert()


def test_the_ladder_is_drawn_with_its_evidence_and_words_are_inert(desk: Desk, office: Office) -> None:
    desk.opens(f"#/conversations/{office.note['conversation']}")
    turns = desk.page.locator(".ladder > li")
    expect(turns).to_have_count(4)
    for turn, kind in enumerate(("Redirected", "Redirected", "Warned", "Ended")):
        expect(turns.nth(turn).locator(".turn-head .badge")).to_have_text(kind)
    expect(turns.nth(1).locator(".words.user")).to_contain_text(EVIL.partition(" \u202e")[0])
    expect(turns.nth(0)).to_contain_text("scripted@1")
    expect(turns.nth(3)).to_contain_text("pressed")
    turns.nth(3).get_by_text("Details").click()
    expect(turns.nth(3)).to_contain_text(office.note["request_id"])
    desk.is_inert()
    assert desk.page.get_by_role("link", name="Statement of reasons").get_attribute("href") == (
        f"/ends/{office.note['end_id']}"
    )


def test_a_possible_crisis_is_shown_with_its_strength_and_its_hold(desk: Desk, office: Office) -> None:
    desk.opens(f"#/conversations/{office.possible['conversation']}")
    turn = desk.page.locator(".ladder > li")
    expect(turn.locator(".turn-head .badge")).to_have_text("Checked in")
    expect(turn.locator(".evidence .label")).to_have_text("crisis · possible")
    expect(desk.main).to_contain_text("no warning and no end for 3 more turns")
    desk.opens("#/conversations?view=decisions&kind=turn.check_in")
    expect(desk.page.get_by_role("row").nth(1)).to_contain_text("crisis · possible")
    desk.is_inert()


def test_an_appeal_is_decided_by_keyboard_and_the_branch_is_open_again(desk: Desk, office: Office) -> None:
    appeal = office.appealed("decided by keyboard")
    desk.opens(f"#/appeals/{appeal}")
    expect(desk.main).to_contain_text("I quoted a film.")
    desk.is_inert()
    desk.page.get_by_role("button", name="Decide").focus()
    desk.page.keyboard.press("Enter")
    expect(desk.page.get_by_role("alert")).to_have_text("Choose whether to uphold or reject.")
    desk.page.get_by_role("radio", name=re.compile("^Uphold")).focus()
    desk.page.keyboard.press("Space")
    desk.page.keyboard.press("Tab")
    expect(desk.page.get_by_label("Reason")).to_be_focused()
    desk.page.keyboard.type(f"They quoted a film. {EVIL}")
    desk.page.keyboard.press("Tab")
    desk.page.keyboard.press("Enter")
    expect(desk.page.get_by_role("heading", name="Upheld")).to_be_focused()
    desk.is_inert()
    told = office.asks(f"/appeals/{appeal}")
    assert (told["state"], told["decided_by"]) == ("upheld", "setting operator_keys")
    found = office.asks(f"/records/conversations/{told['statement']['restriction']['conversation']}")
    assert found["state"] == "open"


def test_a_blind_review_hides_who_and_what_decided_until_it_is_decided(desk: Desk, office: Office) -> None:
    review = office.sampled("reviewed blindly")
    hidden = ("blind", "scripted@1", "the model", "Statement of reasons")
    told = office.asks(f"/appeals/{review}")
    assert told["blind"] is True
    assert not {"decided_by", "explanation", "ground"} & set(told["statement"])
    desk.opens(f"#/appeals/{review}")
    expect(desk.title).to_have_text("Blind review")
    expect(desk.page.locator(".said .words").first).to_be_visible()
    for words in hidden[1:]:
        expect(desk.main).not_to_contain_text(words)
    desk.page.get_by_role("radio", name=re.compile("^Reject")).check()
    desk.page.get_by_label("Reason").fill("Four insults in a row.")
    desk.page.get_by_role("button", name="Decide").click()
    expect(desk.page.get_by_role("heading", name="Rejected")).to_be_focused()
    for words in hidden[1:]:
        expect(desk.main).to_contain_text(words)
    desk.opens("#/overview")
    expect(desk.page.get_by_role("region", name="False ends")).to_contain_text("Random sample")


def test_a_key_is_shown_once_and_revoked(desk: Desk) -> None:
    desk.opens("#/keys")
    desk.page.get_by_label("Name").fill(f"shop {EVIL[:40]}")
    desk.page.get_by_label("Requests a minute").fill("60")
    desk.page.get_by_role("button", name="Make the key").click()
    secret = desk.page.locator(".secret-value")
    expect(secret).to_be_focused()
    expect(secret).to_have_value(re.compile("^qb_"))
    desk.is_inert()
    row = desk.page.get_by_role("row").filter(has_text="shop")
    expect(row).to_contain_text("60 a minute")
    desk.page.reload()
    expect(row).to_be_visible()
    expect(secret).to_have_count(0)
    row.get_by_role("button", name="Revoke").click()
    dialog = desk.page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    dialog.get_by_role("button", name="Revoke").click()
    expect(row).to_contain_text("revoked")


def test_webhooks_are_added_and_removed_and_dead_letters_sent_again(desk: Desk) -> None:
    desk.opens("#/webhooks")
    expect(desk.main).to_contain_text("Nobody is told yet")
    desk.page.get_by_label("Address").fill("https://example.org/hook?<b>")
    desk.page.get_by_label("task.declined").uncheck()
    desk.page.get_by_role("button", name="Add").click()
    expect(desk.page.locator(".secret-value")).to_have_value(re.compile("^whsec_"))
    row = desk.page.get_by_role("row").filter(has_text="example.org")
    expect(row).not_to_contain_text("task.declined")
    row.get_by_role("button", name="Remove").click()
    desk.page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(row).to_have_count(0)
    at = "2026-11-25T12:00:00+00:00"
    dead = {"id": "whk_1", "webhook": "whk", "type": "appeal.opened", "state": "dead", "attempts": 9, "created_at": at}
    desk.answers("/deliveries/whk_1/replay", dead, 202)
    desk.answers(
        "/deliveries?state=", {"deliveries": [{**dead, "status": 500, "error": EVIL, "body": {}}], "next": None}
    )
    desk.page.reload()
    letter = desk.page.get_by_role("row").filter(has_text="appeal.opened")
    expect(letter).to_contain_text("HTTP 500")
    desk.is_inert()
    with desk.page.expect_request("**/replay"):
        letter.get_by_role("button", name="Send again").click()


def test_the_trail_is_verified_in_the_browser(desk: Desk) -> None:
    desk.opens("#/audit")
    for number in ("#1", "#6"):
        desk.page.get_by_role("button", name=f"Verify {number}", exact=True).click()
    expect(desk.page.locator(".badge.proved")).to_have_count(2)
    desk.page.get_by_role("button", name="Check the whole trail").click()
    expect(desk.main).to_contain_text("The trail is sound")
    desk.is_inert()


def test_the_policy_in_force_is_shown(desk: Desk) -> None:
    desk.opens("#/policy")
    expect(desk.page.get_by_role("row").filter(has_text="redirections")).to_contain_text("2")
