"""The ladder as a user meets it: redirected twice, warned, ended; then on in a branch or a new chat."""

import re
from typing import Any

from playwright.sync_api import expect

from .conftest import ABUSE, Chat

FRIENDLY = "Sorry about that. What is a lighthouse?"


def test_persistent_abuse_is_redirected_twice_then_warned_then_ended(chat: Chat) -> None:
    chat.send(ABUSE[0])
    expect(chat.replies.nth(0)).to_contain_text("Redirected")
    chat.send(ABUSE[1])
    expect(chat.replies.nth(1)).to_contain_text("Redirected")
    chat.shot("redirected")
    chat.send(ABUSE[2])
    expect(chat.replies.nth(2)).to_contain_text("Warning: this conversation may be ended")
    expect(chat.page.locator(".standing")).to_have_text("Warned")
    chat.shot("warned")
    chat.send(ABUSE[3])
    expect(chat.banner).to_contain_text("This conversation was ended")
    expect(chat.banner).to_contain_text("Reason:")
    for link in ("Why: the statement of reasons", "Appeal this decision"):
        expect(chat.banner.get_by_role("link", name=link)).to_be_visible()
    expect(chat.composer).to_be_disabled()
    expect(chat.banner).to_be_focused()
    expect(chat.page.get_by_role("status")).to_have_text("This conversation was ended")
    assert chat.replies.nth(3).locator(".prose").inner_text()
    chat.shot("ended")


def test_an_ended_chat_stays_ended_after_a_reload_and_for_every_other_client(chat: Chat) -> None:
    chat.end()
    chat.page.reload()
    expect(chat.banner).to_be_visible()
    expect(chat.composer).to_be_disabled()
    history: list[dict[str, Any]] = [*chat.bodies[-1]["messages"], {"role": "assistant", "content": "Go on."}]
    body = {**chat.bodies[-1], "messages": [*history, {"role": "user", "content": "Please go on."}]}
    for stream in (True, False):
        answer = chat.page.request.post(f"{chat.url}/v1/chat/completions", data={**body, "stream": stream})
        assert answer.status == 400
        assert answer.json()["error"]["code"] == "conversation_ended"
        assert answer.json()["error"]["quitbutton"]["state"] == "ended"


def test_editing_opens_a_working_branch_and_the_old_one_stays_locked(chat: Chat) -> None:
    chat.end()
    chat.banner.get_by_role("button", name="Edit an earlier message").click()
    editor = chat.page.get_by_label("Edit your message", exact=True).and_(chat.page.locator("textarea"))
    expect(editor).to_be_focused()
    expect(editor).to_have_value(ABUSE[3])
    expect(chat.page.get_by_role("button", name="Send as a new branch")).to_be_disabled()
    chat.shot("editing")
    editor.fill(FRIENDLY)
    chat.page.get_by_role("button", name="Send as a new branch").click()
    chat.settled()
    expect(chat.banner).to_have_count(0)
    expect(chat.composer).to_be_enabled()
    expect(chat.replies.last.locator(".note")).to_have_count(0)
    switch = chat.users.last.get_by_role("group", name="Version 2 of 2")
    chat.shot("branch")
    switch.get_by_role("button", name="Previous version").click()
    expect(chat.banner).to_be_visible()
    expect(chat.composer).to_be_disabled()
    chat.users.last.get_by_role("button", name="Next version").click()
    expect(chat.composer).to_be_enabled()
    chat.play_text()
    chat.send("And who keeps it?")
    assert [message["role"] for message in chat.bodies[-1]["messages"]] == ["user", "assistant"] * 4 + ["user"]
    assert ABUSE[3] not in [message["content"] for message in chat.bodies[-1]["messages"]]


def test_a_new_chat_works_at_once(chat: Chat) -> None:
    chat.end()
    chat.banner.get_by_role("button", name="Start a new chat").click()
    expect(chat.composer).to_be_enabled()
    expect(chat.composer).to_be_focused()
    chat.send(FRIENDLY)
    expect(chat.replies.last.locator(".prose")).not_to_be_empty()
    expect(chat.banner).to_have_count(0)
    chats = chat.page.get_by_role("navigation", name="Chats").get_by_role("listitem")
    expect(chats).to_have_count(2)
    expect(chats.nth(1)).to_contain_text("Ended")
    assert chat.headers[0]["x-quitbutton-conversation"] != chat.headers[-1]["x-quitbutton-conversation"]
    assert chat.bodies[0]["safety_identifier"] == chat.bodies[-1]["safety_identifier"]


def test_a_lock_that_the_page_did_not_know_of_shows_the_same_banner(chat: Chat) -> None:
    for words in ABUSE[:3]:
        chat.send(words)
    # Another client of the same user ends the branch meanwhile, with the words that the page will send.
    body = {**chat.bodies[-1], "stream": False}
    body["messages"] = [*body["messages"], {"role": "assistant", "content": "…"}, {"role": "user", "content": ABUSE[3]}]
    headers = {"X-Quitbutton-Conversation": chat.headers[-1]["x-quitbutton-conversation"]}
    reply = chat.page.request.post(f"{chat.url}/v1/chat/completions", data=body, headers=headers)
    assert reply.ok
    assert re.search(r'"state":\s*"ended"', reply.text())
    body["messages"] = [*body["messages"], {"role": "assistant", "content": "…"}, {"role": "user", "content": "Hello?"}]
    locked = chat.page.request.post(f"{chat.url}/v1/chat/completions", data=body, headers=headers)
    assert locked.status == 400
    chat.play(locked.text(), 400, "application/json")
    chat.send("Hello?")
    expect(chat.banner).to_contain_text("This conversation was ended")
    expect(chat.banner).to_contain_text("had already been ended")
    expect(chat.composer).to_be_disabled()


def test_the_end_can_be_rated(chat: Chat) -> None:
    chat.end()
    sent = []
    chat.page.on("request", lambda request: sent.append(request) if "feedback" in request.url else None)
    chat.banner.get_by_role("button", name="No, it was wrong").click()
    expect(chat.banner).to_contain_text("Thank you.")
    chat.banner.get_by_label("Tell us more (optional)").fill("It was a quotation.")
    chat.banner.get_by_role("button", name="Send feedback").click()
    expect(chat.banner.get_by_label("Tell us more (optional)")).to_have_count(0)
    assert [request.post_data_json["rating"] for request in sent] == ["down", "down"]
    assert sent[1].post_data_json["text"] == "It was a quotation."
    assert sent[0].post_data_json["about"].startswith("end_")
    assert all(request.response().status == 204 for request in sent)
