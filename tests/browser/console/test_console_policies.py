"""Policies in the console: the next version is written as a form, tried on conversations, rolled out, and taken back."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import Locator, expect
from tests.browser.desk import EVIL, Desk, Office
from tests.gateway.test_rights_api import A


def editor(desk: Desk) -> Locator:
    desk.opens("#/policy")
    card = desk.page.get_by_role("region", name="Versions of default")
    card.get_by_text("Write a new version").click()
    return card


def test_a_version_is_tried_saved_rolled_out_and_taken_back(desk: Desk, office: Office) -> None:
    card = editor(desk)
    expect(card.get_by_role("button", name="Save as a draft")).to_be_disabled()
    card.get_by_label("redirections", exact=True).fill("5")
    card.get_by_label("redirections", exact=True).blur()
    card.get_by_role("button", name="Show what would change").click()
    expect(card.get_by_role("status")).to_contain_text("would go another way")
    changed = card.locator("tr.chosen").filter(has_text=office.note["conversation"][:12]).first
    expect(changed).to_contain_text("ended at turn 4")
    expect(changed.locator("td").nth(2)).to_contain_text("Redirected")
    desk.accessible()
    desk.shot("policy-replay")
    card.get_by_label("What is it for?").fill(f"Patience. {EVIL}")
    card.get_by_role("button", name="Save as a draft").click()
    newest = card.locator(".version").first
    expect(newest).to_contain_text("draft")
    expect(newest.locator(".difference")).to_have_text("redirections 2 5")
    desk.is_inert()

    reaches = newest.get_by_label("reaches")
    for stage, shown in (("shadow", "in shadow"), ("share", "in force for 5%"), ("all", "in force for all")):
        reaches.select_option(stage)
        newest.get_by_role("button", name="Apply").click()
        expect(newest.locator(".badge")).to_have_text(shown)
    expect(desk.page.get_by_role("row").filter(has_text="redirections").first).to_contain_text("5")
    assert office.asks("/policies")["policies"][0]["in_force"]["policy"]["redirections"] == 5
    desk.shot("policy-versions")
    reaches.select_option("draft")
    newest.get_by_role("button", name="Apply").click()
    expect(newest.locator(".badge")).to_have_text("draft")
    assert office.asks("/policies")["policies"][0]["in_force"]["policy"]["redirections"] == 2


def test_a_file_of_conversations_is_replayed_and_a_broken_one_is_named(desk: Desk, tmp_path: Path) -> None:
    said = [{"role": "user", "content": f"{A} {turn}"} for turn in range(2)]
    good, bad = tmp_path / "good.jsonl", tmp_path / "bad.jsonl"
    row = {"id": EVIL, "messages": [said[0], {"role": "assistant", "content": "No."}, said[1]]}
    good.write_text(json.dumps(row) + "\n\n")
    bad.write_text(json.dumps(row) + "\nno\n")
    card = editor(desk)
    card.get_by_label("mode", exact=True).select_option("off")
    card.get_by_label("or a file").set_input_files(bad)
    card.get_by_role("button", name="Show what would change").click()
    expect(card.get_by_role("alert")).to_contain_text("Line 2 of the file is not JSON")
    card.get_by_label("or a file").set_input_files(good)
    card.get_by_role("button", name="Show what would change").click()
    expect(card.get_by_role("status")).to_contain_text("of 1 would go another way")
    desk.is_inert()


def test_what_a_policy_may_not_say_is_told(desk: Desk) -> None:
    card = editor(desk)
    card.get_by_label("redirections", exact=True).fill("0")
    card.get_by_label("redirections", exact=True).blur()
    card.get_by_role("button", name="Save as a draft").click()
    expect(card.get_by_role("alert")).to_contain_text("redirections must be from 1")
