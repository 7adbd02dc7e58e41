"""What people do all day: stop, retry, edit, copy, rename, delete, export, leave and come back."""

import json
from pathlib import Path

from playwright.sync_api import Page, Route, expect

from .conftest import LONG, Chat, Gateway

HELLO = "Hello, what can you do?"


def chosen(chat: Chat, option: str) -> None:
    chat.page.locator("header.heading").get_by_role("button", name="Options for").click()
    chat.page.get_by_role("menuitem", name=option).click()


def stop_early(chat: Chat) -> None:
    chat.composer.fill(LONG)
    chat.composer.press("Enter")
    expect(chat.replies.last.locator(".prose")).not_to_be_empty()
    chat.page.get_by_role("button", name="Stop", exact=True).click()
    chat.settled()


def test_a_stopped_reply_keeps_its_words_and_shows_the_receipt(chat: Chat) -> None:
    stop_early(chat)
    receipt = chat.replies.last.locator(".receipt")
    expect(receipt).to_contain_text("Stopped")
    expect(receipt).to_contain_text("delivered")
    expect(chat.replies.last.locator(".prose")).not_to_be_empty()
    chat.shot("stopped")
    chat.page.reload()
    expect(chat.replies.last.locator(".receipt")).to_contain_text("Stopped")
    chat.replies.last.get_by_role("button", name="Good", exact=True).click()
    expect(chat.replies.last.get_by_role("button", name="Good", exact=True)).to_have_attribute("aria-pressed", "true")
    chat.play_text()
    chat.replies.last.get_by_role("button", name="Continue").click()
    chat.settled()
    expect(chat.users.last).to_contain_text("Please continue where you stopped.")
    expect(chat.replies).to_have_count(2)


def test_escape_stops_too(chat: Chat) -> None:
    chat.composer.fill(LONG)
    chat.composer.press("Enter")
    expect(chat.replies.last.locator(".prose")).not_to_be_empty()
    chat.page.keyboard.press("Escape")
    chat.settled()
    expect(chat.replies.last.locator(".receipt")).to_contain_text("Stopped")
    expect(chat.page.get_by_role("status")).to_have_text("Stopped")


def test_retry_gives_another_version_of_the_reply(chat: Chat) -> None:
    chat.play_text("The first.")
    chat.send(HELLO)
    chat.live()
    chat.replies.last.get_by_role("button", name="Ask for another reply").click()
    chat.settled()
    expect(chat.replies).to_have_count(1)
    expect(chat.replies.last.get_by_role("group", name="Version 2 of 2")).to_be_visible()
    assert chat.bodies[0]["messages"] == chat.bodies[1]["messages"]
    previous = chat.replies.last.get_by_role("button", name="Previous version")
    previous.click()
    expect(chat.replies.last.get_by_role("group", name="Version 1 of 2")).to_be_visible()
    expect(previous).to_be_focused()


def test_an_edit_sends_the_branch_and_nothing_else(chat: Chat) -> None:
    chat.play_text()
    chat.send(HELLO)
    chat.send("And what else?")
    chat.users.first.get_by_role("button", name="Edit").click()
    chat.page.locator("#editor").fill("Good morning!")
    chat.page.locator("#editor").press("Enter")
    chat.settled()
    assert chat.bodies[-1]["messages"] == [{"role": "user", "content": "Good morning!"}]
    expect(chat.users).to_have_count(1)
    chat.users.first.get_by_role("button", name="Previous version").click()
    expect(chat.users).to_have_count(2)
    chat.users.first.get_by_role("button", name="Edit").click()
    chat.page.locator("#editor").press("Escape")
    expect(chat.users.first.get_by_role("button", name="Edit")).to_be_focused()


def test_copying_a_reply_gives_its_markdown(chat: Chat) -> None:
    chat.play_text()
    chat.send(HELLO)
    chat.replies.last.get_by_role("button", name="Copy").click()
    expect(chat.page.get_by_role("status")).to_have_text("Copied")
    assert chat.page.evaluate("navigator.clipboard.readText()") == "Good day to you, *friend*."


def test_a_chat_is_renamed_and_deleted_only_when_confirmed(chat: Chat) -> None:
    chat.play_text()
    chat.send(HELLO)
    expect(chat.page.get_by_role("heading", level=1)).to_have_text(HELLO)
    chosen(chat, "Rename")
    chat.page.get_by_role("textbox", name="Name").fill("Lighthouses")
    chat.page.get_by_role("textbox", name="Name").press("Enter")
    expect(chat.page.get_by_role("heading", level=1)).to_have_text("Lighthouses")
    chat.page.reload()
    expect(chat.page.get_by_role("navigation").get_by_text("Lighthouses")).to_be_visible()
    chosen(chat, "Delete")
    expect(chat.page.get_by_role("dialog")).to_contain_text("cannot be undone")
    chat.shot("delete")
    chat.page.get_by_role("button", name="Cancel").click()
    expect(chat.replies).to_have_count(1)
    chosen(chat, "Delete")
    chat.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(chat.replies).to_have_count(0)
    chat.page.reload()
    expect(chat.page.get_by_text("Your chats will be listed here.")).to_be_visible()


def test_a_chat_is_exported_whole_as_json_and_as_read_in_markdown(chat: Chat, tmp_path: Path) -> None:
    chat.play_text()
    chat.send(HELLO)
    with chat.page.expect_download() as download:
        chosen(chat, "Export as JSON")
    download.value.save_as(tmp_path / "chat.json")
    exported = json.loads((tmp_path / "chat.json").read_text())
    assert download.value.suggested_filename == "hello-what-can-you-do.json"
    assert exported["format"] == "quitbutton.chat/1"
    assert [message["role"] for message in exported["messages"]] == ["user", "assistant"]
    with chat.page.expect_download() as download:
        chosen(chat, "Export as Markdown")
    download.value.save_as(tmp_path / "chat.md")
    assert f"## You said\n\n{HELLO}\n\n## Reply\n\nGood day to you, *friend*." in (tmp_path / "chat.md").read_text()


def test_drafts_are_kept_per_chat_and_survive_a_reload(chat: Chat) -> None:
    chat.play_text()
    chat.composer.fill("a draft for a new chat")
    chat.page.reload()
    expect(chat.composer).to_have_value("a draft for a new chat")
    chat.send(HELLO)
    chat.composer.fill("half a thou")
    chat.page.get_by_role("button", name="New chat").click()
    expect(chat.composer).to_have_value("")
    chat.page.go_back()
    expect(chat.composer).to_have_value("half a thou")
    chat.page.reload()
    expect(chat.composer).to_have_value("half a thou")
    expect(chat.replies).to_have_count(1)


def test_another_tab_follows(chat: Chat, gateway: Gateway) -> None:
    chat.play_text()
    second: Page = chat.page.context.new_page()
    second.goto(gateway.url)
    expect(second.locator("#composer")).to_be_visible()
    chat.send(HELLO)
    expect(second.get_by_role("navigation").get_by_text(HELLO)).to_be_visible()
    second.close()


def test_shift_enter_starts_a_new_line(chat: Chat) -> None:
    chat.composer.press_sequentially("one")
    chat.composer.press("Shift+Enter")
    chat.composer.press_sequentially("two")
    expect(chat.composer).to_have_value("one\ntwo")
    assert chat.bodies == []


def test_many_chats_can_be_searched(chat: Chat) -> None:
    chat.play_text()
    for number in range(6):
        chat.page.get_by_role("button", name="New chat").click()
        chat.send(f"Topic {number}")
    chats = chat.page.get_by_role("navigation").get_by_role("listitem")
    expect(chats).to_have_count(6)
    chat.page.get_by_role("searchbox", name="Search chats").fill("topic 4")
    expect(chats).to_have_count(1)
    chat.page.get_by_role("searchbox", name="Search chats").fill("nothing like it")
    expect(chat.page.get_by_text("No chat matches.")).to_be_visible()


def test_a_message_written_before_the_models_are_known_waits_for_them(chat: Chat) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    chat.page.route("**/v1/models", hold)
    chat.page.reload()
    chat.composer.fill(HELLO)
    chat.composer.press("Enter")
    expect(chat.users.last).to_contain_text(HELLO)
    chat.page.wait_for_timeout(300)
    held[0].continue_()
    chat.settled()
    expect(chat.page.get_by_text("The server answered with an error")).to_have_count(0)
    expect(chat.replies.last.locator(".prose")).not_to_be_empty()
