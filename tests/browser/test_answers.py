"""What the page makes of answers that a healthy gateway seldom gives, played back to it."""

import json

import pytest
from playwright.sync_api import expect

from .conftest import QB, Chat, finished, frames, text


def test_unknown_values_are_survived(chat: Chat) -> None:
    unknown = finished(state="paused", decision="constructor", spoken_by="choir", support=None, more={"a": 1})
    chat.play(frames("not json", {"object": "ping"}, text("Hello."), unknown, "[DONE]"))
    chat.send("Hi")
    expect(chat.replies.last.locator(".prose")).to_have_text("Hello.")
    expect(chat.composer).to_be_enabled()


def test_an_end_links_its_statement_and_appeal_and_distrusts_other_addresses(chat: Chat) -> None:
    end = {"state": "ended", "decision": "end", "end_id": "end_1", "reason": "boredom", "reason_text": "no tea"}
    end |= {"ended_at": "2026-01-02T03:04:05+00:00", "can": ["new_chat"]}
    links = {"statement_url": "/v1/quitbutton/ends/end_1", "appeal_url": "https://example.org/appeal"}
    chat.play(frames(text("Goodbye."), finished(**end, **links), "[DONE]"))
    chat.send("Hi")
    expect(chat.banner).to_contain_text("Reason: no tea")
    statement = chat.banner.get_by_role("link", name="Why: the statement of reasons")
    expect(statement).to_have_attribute("href", f"{chat.url}/v1/quitbutton/ends/end_1")
    appeal = chat.banner.get_by_role("link", name="Appeal this decision")
    expect(appeal).to_have_attribute("href", "https://example.org/appeal")
    chat.page.get_by_role("button", name="New chat", exact=True).click()
    chat.play(frames(text("Bye."), finished(**end, statement_url="javascript:alert(1)", appeal_url=7), "[DONE]"))
    chat.send("Hi again")
    expect(chat.banner).to_be_visible()
    expect(chat.banner.get_by_role("link")).to_have_count(0)


def test_the_question_whether_to_end_is_labelled(chat: Chat) -> None:
    chat.play(frames(text("Shall I?"), finished(decision="ask", spoken_by="gateway"), "[DONE]"))
    chat.send("Please end this chat")
    expect(chat.replies.last).to_contain_text("Do you want to end this conversation?")
    expect(chat.replies.last).to_contain_text("Written by quitbutton, not by the model")


FAILURES = {
    "an upstream that is down": (502, json.dumps({"error": {"message": "No model."}}), "(502)", "No model."),
    "a page of HTML": (503, "<html>Bad</html>", "(503)", "error"),
    "an error in the stream": (200, frames(text("Half a"), {"error": {"message": "Broken."}}), "broke off", "Broken."),
    "half a stream": (200, frames(text("Half a")), "broke off", "before the reply did"),
    "no stream at all": (200, "", "No reply", "before the reply did"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_is_explained_and_can_be_retried(chat: Chat, name: str) -> None:
    status, body, first, second = FAILURES[name]
    kind = "application/json" if status >= 400 else "text/event-stream"
    chat.play(body, status, kind)
    chat.send("Words I would not want to lose")
    note = chat.replies.last.locator(".note.error")
    expect(note).to_contain_text(first)
    expect(note).to_contain_text(second)
    expect(chat.users.last).to_contain_text("Words I would not want to lose")
    chat.accessible()
    chat.play(frames(text("There you are."), finished(), "[DONE]"))
    note.get_by_role("button", name="Retry").click()
    chat.settled()
    expect(chat.replies.last.locator(".prose")).to_have_text("There you are.")


def test_a_server_that_cannot_be_reached_is_said_to_be_so(chat: Chat) -> None:
    chat.page.route("**/v1/chat/completions", lambda route: route.abort("connectionrefused"))
    chat.send("Anybody there?")
    expect(chat.replies.last).to_contain_text("The server cannot be reached.")


def test_a_server_that_asks_for_a_key_is_given_one(chat: Chat) -> None:
    refusal = json.dumps({"error": {"message": "This needs an API key.", "code": "invalid_api_key"}})
    chat.play(refusal, 401, "application/json")
    chat.send("Hi")
    chat.page.get_by_label("API key of this server").fill("qb-secret")
    chat.accessible()
    chat.play(frames(text("Welcome."), finished(), "[DONE]"))
    chat.page.get_by_role("button", name="Use this key and retry").click()
    chat.settled()
    expect(chat.replies.last.locator(".prose")).to_have_text("Welcome.")
    assert chat.headers[-1]["authorization"] == "Bearer qb-secret"


def test_a_whole_reply_is_taken_as_well_as_a_streamed_one(chat: Chat) -> None:
    whole = {"choices": [{"message": {"content": "All at once."}, "finish_reason": "stop"}], "quitbutton": QB}
    chat.play(json.dumps(whole), kind="application/json")
    chat.send("Hi")
    expect(chat.replies.last.locator(".prose")).to_have_text("All at once.")


NASTY = (
    "<img src=x onerror=alert(1)> <script>alert(2)</script> <svg onload=alert(3)> "
    "<a href='javascript:alert(4)'>a</a>\n\n"
    "![pixel](https://evil.example/pixel.png) [b](javascript:alert(5)) [c](data:text/html,x) [d](https://example.org)\n\n"
    "<iframe src=https://evil.example></iframe>\n\n<style>*{color:red}</style>\n\n| a |\n|---|\n| <form action=x> |\n"
)


def test_a_reply_can_run_nothing_and_ask_no_other_host(chat: Chat) -> None:
    chat.page.on("dialog", lambda dialog: chat.faults.append(f"dialog: {dialog.message}"))
    chat.play(frames(text(NASTY), finished(), "[DONE]"))
    chat.send("Attack me")
    prose = chat.replies.last.locator(".prose")
    expect(prose).to_contain_text("<script>alert(2)</script>")
    assert prose.locator("img, script, svg, iframe, style, form, input").count() == 0
    links = prose.locator("a[href]").evaluate_all("links => links.map((link) => link.getAttribute('href'))")
    assert links == ["https://evil.example/pixel.png", "https://example.org"]
    assert chat.page.evaluate("document.querySelector('.prose').innerHTML.includes('onerror=\"')") is False


def test_markdown_streams_to_the_same_page_wherever_it_is_cut(chat: Chat) -> None:
    same = """async (text) => {
      const { renderInto } = await import("/web/markdown.js");
      const whole = document.createElement("div");
      const grown = document.createElement("div");
      renderInto(whole, text);
      for (let end = 0; end <= text.length; end += 1) renderInto(grown, text.slice(0, end));
      return whole.innerHTML === grown.innerHTML && whole.innerHTML.length > text.length;
    }"""
    assert chat.page.evaluate(
        same, "# A\n\nB **c** [d][x]\n\n- e\n- f\n\n```py\nx = 1\n```\n\n> g\n\n[x]: https://e.org\n"
    )


def test_event_streams_are_read_the_same_wherever_they_are_cut(chat: Chat) -> None:
    read = """async (bytes) => {
      const { eventsOf } = await import("/web/sse.js");
      const outcomes = new Set();
      for (let cut = 0; cut <= bytes.length; cut += 1) {
        const body = new ReadableStream({
          start(controller) {
            controller.enqueue(new Uint8Array(bytes.slice(0, cut)));
            controller.enqueue(new Uint8Array(bytes.slice(cut)));
            controller.close();
          },
        });
        const events = [];
        for await (const event of eventsOf(body)) events.push(event);
        outcomes.add(JSON.stringify(events));
      }
      return [...outcomes];
    }"""
    stream = ': hello\r\n\r\ndata: {"a": "ü"}\r\n\r\nevent: x\ndata: one\ndata:two\n\ndata: [DONE]'
    assert chat.page.evaluate(read, list(stream.encode())) == ['["{\\"a\\": \\"ü\\"}","one\\ntwo","[DONE]"]']


def test_both_languages_say_the_same_things(chat: Chat) -> None:
    shape = """async () => {
      const { LANGUAGES } = await import("/web/i18n.js");
      const shapeOf = (value) => typeof value === "object"
        ? Object.entries(value).map(([name, inner]) => [name, shapeOf(inner)]) : typeof value;
      return Object.values(LANGUAGES).map((words) => JSON.stringify(shapeOf(words)));
    }"""
    english, german = chat.page.evaluate(shape)
    assert english == german
