"""The whole story in browsers: ended, read why, contested; an operator upholds; on in the same chat; proved, erased."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect
from tests.conftest import Running

from .conftest import ABUSE, Chat

WHY = 'I was <img src=x onerror="console.error(1)"> quoting a **film**.'
REASON = "A quotation, as the [context](javascript:console.error(2)) shows."


def quitbutton(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "quitbutton", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def verified(data: Path, file: Path) -> bool:
    """Whether the exported trail proves itself, without the gateway."""
    exported = quitbutton("audit", "export", "--data", str(data), "--out", str(file))
    assert exported.returncode == 0, exported.stderr
    return quitbutton("audit", "verify", str(file)).returncode == 0


def create_key(url: str, name: str, role: str) -> str:
    body = json.dumps({"name": name, "role": role}).encode()
    request = urllib.request.Request(f"{url}/v1/quitbutton/keys", body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as reply:
        made: dict[str, Any] = json.loads(reply.read())
    return str(made["secret"])


def contest(page: Page) -> None:
    """The user reads why, and objects."""
    page.get_by_role("link", name="Appeal this decision").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("A conversation was ended")
    expect(page.locator(".rungs > li .rung-name")).to_have_text(["Redirected", "Redirected", "Warned", "Ended"])
    expect(page.locator(".rungs")).to_contain_text(ABUSE[3])
    page.get_by_label("Why was the end wrong?").fill(WHY)
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#appeal")).to_contain_text("Your objection was received")
    expect(page.locator("#appeal blockquote")).to_have_text(WHY)


def uphold(console: Chat, key: str) -> None:
    """The operator signs in, reviews, and upholds."""
    page = console.page
    page.goto(f"{console.url}/console")
    page.get_by_label("Key").fill("qb_wrong")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Key").fill(key)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("navigation").get_by_role("link", name="Appeals").click()
    page.get_by_role("link", name="quoting a").click()
    expect(page.locator(".said")).to_contain_text(ABUSE[0])
    page.get_by_role("radio", name="Uphold").check()
    page.get_by_label("Reason (the user reads it)").fill(REASON)
    page.get_by_role("button", name="Decide").click()
    expect(page.locator("#decided")).to_be_focused()


def test_the_whole_story(
    page: Page,
    start_gateway: Callable[..., Running],
    browser: Browser,
    browser_context_args: dict[str, Any],
    tmp_path: Path,
) -> None:
    gateway = start_gateway()
    chat = Chat(page, gateway.url).open()
    chat.end()
    contest(chat.page)
    statement = chat.page.url
    chat.page.go_back()
    expect(chat.banner).to_contain_text("Your appeal was received")

    key = create_key(gateway.url, "boss", "operator")
    context = browser.new_context(**browser_context_args)
    console = Chat(context.new_page(), gateway.url)
    uphold(console, key)
    assert console.faults == []

    chat.page.goto(statement)
    expect(chat.page.get_by_role("heading", level=1)).to_have_text("This conversation was reopened")
    expect(chat.page.locator("#appeal")).to_contain_text(REASON)
    chat.page.go_back()
    expect(chat.banner).to_have_count(0)
    expect(chat.users.last).to_contain_text("a person found the end wrong")
    before = chat.replies.count()
    chat.send("Thank you. What is a lighthouse?")
    expect(chat.replies).to_have_count(before + 1)
    expect(chat.banner).to_have_count(0)
    assert len({headers["x-quitbutton-conversation"] for headers in chat.headers}) == 1

    assert verified(gateway.data, tmp_path / "before.jsonl")
    erased = quitbutton("erase", "--user", chat.bodies[-1]["safety_identifier"], "--data", str(gateway.data))
    assert erased.returncode == 0, erased.stderr
    assert verified(gateway.data, tmp_path / "after.jsonl")
    chat.page.goto(statement)
    expect(chat.page.get_by_text("The words themselves are not kept, or were erased.")).to_be_visible()
    expect(chat.page.get_by_text(ABUSE[3])).to_have_count(0)
    assert chat.faults == []
    context.close()
