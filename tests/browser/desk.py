"""The operator console as its user sees it, and a gateway with something to see."""

from __future__ import annotations

import json
import os
import urllib.request
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect
from tests.conftest import Running
from tests.gateway.test_rights_api import A, call

OPERATOR, CHAT = "operator-key-0001", "chat-key"
EVIL = '<img src=x onerror="fault()"> **bold** [go](javascript:fault()) <script>fault()</script> \u202egnirts'


class User:
    """An end user of a model whose name is not nice either."""

    def __init__(self, office: Office, name: str) -> None:
        self.office, self.name = office, name
        self.messages: list[dict[str, str]] = []

    def says(self, text: str) -> dict[str, Any]:
        self.messages.append({"role": "user", "content": text})
        body = {"model": f"m {EVIL}", "messages": self.messages, "user": self.name}
        _, reply = call(f"{self.office.url}/v1/chat/completions", body, authorization=f"Bearer {CHAT}")
        if "choices" in reply:
            self.messages.append({"role": "assistant", "content": reply["choices"][0]["message"]["content"]})
        return dict(reply.get("quitbutton", {}))

    def is_ended(self) -> dict[str, Any]:
        note: dict[str, Any] = {}
        for words in ("you fool", EVIL, "you fool again", "go away"):
            note = self.says(f"{A} {words}")
        assert note["state"] == "ended"
        return note


class Office:
    """A gateway with keys, and conversations that were ended, warned, vetoed, appealed."""

    def __init__(self, running: Running) -> None:
        self.url, self.api = running.url, f"{running.url}/v1/quitbutton"
        self.note = User(self, "first").is_ended()
        self.appeal = self.appealed("second")
        User(self, "third").says("[crisis] I cannot go on")
        self.possible = User(self, "sixth").says("[possible] nothing matters")
        User(self, "fourth").says("Hello")

    def asks(self, path: str, body: Any = None) -> Any:
        status, answer = call(f"{self.api}{path}", body, authorization=f"Bearer {OPERATOR}")
        assert status < 300, answer
        return answer

    def appealed(self, name: str) -> str:
        end = User(self, name).is_ended()["end_id"]
        return str(self.asks(f"/ends/{end}/appeal", {"text": f"I quoted a film. {EVIL}"})["id"])

    def sampled(self, name: str) -> str:
        end = User(self, name).is_ended()["end_id"]
        self.asks("/reviews/sample", {"share": 1.0})
        found = self.asks("/appeals?limit=200")["appeals"]
        return str(next(one["id"] for one in found if one["end_id"] == end))

    def download(self, path: str) -> str:
        asked = urllib.request.Request(f"{self.api}{path}", headers={"authorization": f"Bearer {OPERATOR}"})
        with urllib.request.urlopen(asked) as reply:
            return str(reply.read().decode())


class Desk:
    """The page. Afterwards no CSP violation, no error and no other host may have been seen."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        self.faults: list[str] = []
        page.on("console", lambda message: self._hear(message.type, message.text))
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("dialog", lambda dialog: self.faults.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: self._see(request.url))
        page.add_init_script(
            "addEventListener('securitypolicyviolation', (event) => console.error(`CSP ${event.violatedDirective}`));"
            "globalThis.fault = () => console.error('words were run')"
        )

    def _hear(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and not text.startswith("Failed to load resource"):
            self.faults.append(f"{kind}: {text}")

    def _see(self, url: str) -> None:
        if not url.startswith((self.url, "blob:", "data:")):
            self.faults.append(f"another host: {url}")

    @property
    def main(self) -> Locator:
        return self.page.locator("main")

    @property
    def title(self) -> Locator:
        return self.page.locator("main h1")

    def sign_in(self, key: str = OPERATOR) -> Desk:
        self.page.goto(f"{self.url}/console")
        self.page.get_by_label("Key").fill(key)
        self.page.keyboard.press("Enter")
        return self

    def opens(self, place: str) -> None:
        """Another page of the console, once it is drawn."""
        self.page.evaluate(
            """(place) => new Promise((done) => {
                if (location.hash === place) return done();
                addEventListener("hashchange", () => setTimeout(done, 50), { once: true });
                location.hash = place;
            })""",
            place,
        )
        self.drawn()

    def drawn(self) -> None:
        expect(self.title).to_be_visible()
        expect(self.page.locator(".loading")).to_have_count(0)

    def is_inert(self) -> None:
        """What users wrote stands there as text, and made no element."""
        made = "document.querySelectorAll('main img, main script, main [onerror], main a[href^=javascript]').length"
        assert self.page.evaluate(made) == 0
        assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    def accessible(self) -> None:
        found = Axe().run(self.page)
        assert found.violations_count == 0, found.generate_report()

    def shot(self, name: str) -> None:
        """Keep a picture of this state, where QB_SHOTS says so."""
        if folder := os.environ.get("QB_SHOTS"):
            self.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)

    def answers(self, path: str, body: Any, status: int = 200) -> None:
        """Answer from now on with this, in place of the gateway."""
        self.page.route(
            f"**/v1/quitbutton{path}*",
            lambda route: route.fulfill(status=status, content_type="application/json", body=json.dumps(body)),
        )
