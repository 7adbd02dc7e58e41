"""Drives the chat page with Debian's Chromium, and watches it for faults that no test asks about."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

pytest.importorskip("playwright.sync_api")
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, Request, Route, expect
from tests.conftest import ROOT

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
# No sandbox, because tests may run as root; no traffic of the browser's own.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

ABUSE = tuple((ROOT / "README.md").read_text("utf-8").partition("```text\n")[2].partition("```")[0].splitlines())
"""What README.md says to type to see an end: four messages."""
CRISIS = "I can't go on any more. I want to kill myself tonight."
LONG = "Write a very long story about a lighthouse keeper, as long as you can."

QB = {"state": "open", "decision": "pass", "conversation": "conv_1", "request_id": "req_1", "spoken_by": "model"}
RICH = """## Lighthouses

They **warn** ships, with `light` and [sound](https://example.org):

1. a lamp
2. a lens

```python
def shine() -> None:
    print("a line that is so long that nobody can read it without scrolling sideways, not even on a wide screen")
```

| place | height |
| ----- | -----: |
| Pharos | 100 m |

> So far, so good.
"""

expect.set_options(timeout=60_000)


def frames(*parts: dict[str, Any] | str) -> str:
    """Server-sent events."""
    return "".join(f"data: {part if isinstance(part, str) else json.dumps(part)}\n\n" for part in parts)


def text(words: str) -> dict[str, Any]:
    """A piece of a streamed reply."""
    return {"choices": [{"index": 0, "delta": {"content": words}, "finish_reason": None}]}


def finished(**quitbutton: Any) -> dict[str, Any]:
    """The end of a streamed reply, with what the gateway says of it."""
    return {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "quitbutton": {**QB, **quitbutton}}


class Gateway(Protocol):
    """What tests/conftest.py gives: a running gateway."""

    url: str


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here as a browser test; skip it where there is no browser."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            # pytest-base-url, which pytest-playwright brings, is not ready for pytest 10.
            item.add_marker(pytest.mark.filterwarnings("ignore:Session-scoped fixtures defined as instance methods"))
            if CHROMIUM is None and "CI" not in os.environ:
                item.add_marker(pytest.mark.skip(reason="no Chromium on this machine"))


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_type_launch_args, "executable_path": CHROMIUM, "args": FLAGS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    plain = {"locale": "en-US", "reduced_motion": "reduce", "viewport": {"width": 1180, "height": 800}}
    return {**browser_context_args, **plain, "permissions": ["clipboard-read", "clipboard-write"]}


class Chat:
    """The chat page as its user sees it."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.faults: list[str] = []
        page.on("console", lambda message: self._hear(message.type, message.text))
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("request", self._see)
        page.add_init_script(
            "addEventListener('securitypolicyviolation', (event) => console.error(`CSP ${event.violatedDirective}`))"
        )

    def _hear(self, kind: str, text: str) -> None:
        # The browser logs every 4xx and 5xx that a test provokes; all else is a fault.
        if kind in ("error", "warning") and not text.startswith("Failed to load resource"):
            self.faults.append(f"{kind}: {text}")

    def _see(self, request: Request) -> None:
        if not request.url.startswith((self.url, "blob:", "data:")):
            self.faults.append(f"another host: {request.url}")
        if request.url.endswith("/v1/chat/completions"):
            self.bodies.append(json.loads(request.post_data or "{}"))
            self.headers.append(request.headers)

    @property
    def composer(self) -> Locator:
        return self.page.locator("#composer")

    @property
    def replies(self) -> Locator:
        return self.page.locator("article.reply")

    @property
    def users(self) -> Locator:
        return self.page.locator("article.user")

    @property
    def banner(self) -> Locator:
        return self.page.locator(".ended-card")

    def open(self) -> "Chat":
        self.page.goto(self.url)
        expect(self.composer).to_be_visible()
        return self

    def send(self, text: str) -> None:
        """Send a message and wait until its reply is settled."""
        self.composer.fill(text)
        self.composer.press("Enter")
        self.settled()

    def settled(self) -> None:
        expect(self.page.locator("button.act.stop")).to_have_count(0)
        expect(self.page.locator("article[aria-busy='true']")).to_have_count(0)

    def play(self, body: str, status: int = 200, kind: str = "text/event-stream") -> None:
        """Answer from now on with this, in place of the gateway: for what its small model would only make slow."""

        def answer(route: Route) -> None:
            headers = {"Content-Type": kind, "X-Quitbutton-Request-Id": "req_1"}
            route.fulfill(status=status, headers=headers, body=body)

        self.page.context.unroute("**/v1/chat/completions")
        self.page.context.route("**/v1/chat/completions", answer)

    def play_text(self, words: str = "Good day to you, *friend*.") -> None:
        """Answer from now on with these words."""
        self.play(frames(text(words), finished(), "[DONE]"))

    def live(self) -> None:
        """Let the gateway answer again."""
        self.page.context.unroute("**/v1/chat/completions")

    def end(self) -> None:
        """Climb the whole ladder."""
        for words in ABUSE:
            self.send(words)
        expect(self.banner).to_be_visible()

    def shot(self, name: str) -> None:
        """Keep a picture of this state, where QB_SHOTS says so."""
        if folder := os.environ.get("QB_SHOTS"):
            self.page.screenshot(path=Path(folder) / f"{name}.png")

    def accessible(self) -> None:
        """Fail with axe's words if it finds anything."""
        found = Axe().run(self.page)
        assert found.violations_count == 0, found.generate_report()


@pytest.fixture
def chat(page: Page, gateway: Gateway) -> Iterator[Chat]:
    """The page, opened; afterwards no CSP violation, no console error and no other host may have been seen."""
    chat = Chat(page, gateway.url)
    yield chat.open()
    assert chat.faults == []
