"""The whole way without a mouse."""

from playwright.sync_api import expect

from .conftest import Chat


def focused(chat: Chat) -> str:
    name = "(element) => element.getAttribute('aria-label') || element.innerText"
    return str(chat.page.evaluate(f"({name})(document.activeElement)"))


def settles_on(chat: Chat, name: str) -> None:
    """Focus comes back a moment after a menu or a field is gone."""
    for _ in range(100):
        if focused(chat).startswith(name):
            return
        chat.page.wait_for_timeout(20)
    raise AssertionError(f"focus is on {focused(chat)[:40]!r}, not on {name!r}")


def tab_to(chat: Chat, name: str, key: str = "Tab") -> None:
    for _ in range(40):
        chat.page.keyboard.press(key)
        if focused(chat).strip().startswith(name):
            return
    raise AssertionError(f"{name} was not reached by {key}")


def test_the_skip_link_comes_first_and_leads_to_the_message_box(chat: Chat) -> None:
    first = "document.querySelector('a[href], button, input, select, textarea, [tabindex]').innerText"
    assert chat.page.evaluate(first) == "Skip to the message box"
    tab_to(chat, "Skip to the message box", "Shift+Tab")
    chat.page.keyboard.press("Enter")
    expect(chat.composer).to_be_focused()


def test_a_chat_can_be_held_edited_renamed_and_deleted_by_keyboard(chat: Chat) -> None:
    chat.play_text()
    keyboard = chat.page.keyboard
    expect(chat.composer).to_be_focused()
    keyboard.type("Hello there")
    keyboard.press("Enter")
    chat.settled()
    expect(chat.composer).to_be_focused()
    tab_to(chat, "Ask for another reply", "Shift+Tab")
    keyboard.press("Enter")
    chat.settled()
    tab_to(chat, "Edit", "Shift+Tab")
    keyboard.press("Enter")
    expect(chat.page.locator("#editor")).to_be_focused()
    keyboard.press("End")
    keyboard.type(", again")
    keyboard.press("Enter")
    chat.settled()
    expect(chat.users.first).to_contain_text("Hello there, again")
    expect(chat.composer).to_be_focused()
    tab_to(chat, "Previous version", "Shift+Tab")
    keyboard.press("Enter")
    expect(chat.users.first.get_by_role("group")).to_have_attribute("aria-label", "Version 1 of 2")
    tab_to(chat, "Options for", "Shift+Tab")
    keyboard.press("Enter")
    expect(chat.page.get_by_role("menuitem", name="Rename")).to_be_focused()
    keyboard.press("ArrowUp")
    expect(chat.page.get_by_role("menuitem", name="Delete")).to_be_focused()
    keyboard.press("Escape")
    expect(chat.page.get_by_role("menuitem", name="Delete")).to_be_hidden()
    settles_on(chat, "Options for")
    keyboard.press("Enter")
    keyboard.press("Enter")
    expect(chat.page.get_by_role("textbox", name="Name")).to_be_focused()
    keyboard.type("By hand")
    keyboard.press("Enter")
    expect(chat.page.get_by_role("heading", level=1)).to_contain_text("By hand")
    settles_on(chat, "Options for")
    keyboard.press("Enter")
    keyboard.press("ArrowUp")
    keyboard.press("Enter")
    expect(chat.page.get_by_role("dialog").get_by_role("button", name="Cancel")).to_be_focused()
    keyboard.press("Tab")
    keyboard.press("Enter")
    expect(chat.users).to_have_count(0)
    expect(chat.composer).to_be_focused()


def test_an_ended_chat_is_left_by_keyboard(chat: Chat) -> None:
    chat.end()
    expect(chat.banner).to_be_focused()
    chat.page.keyboard.press("Tab")
    assert focused(chat).strip() == "Start a new chat"
    chat.page.keyboard.press("Tab")
    assert focused(chat).strip() == "Edit an earlier message"
    chat.page.keyboard.press("Enter")
    expect(chat.page.locator("#editor")).to_be_focused()
    chat.page.keyboard.press("Escape")
    chat.page.keyboard.press("Shift+Tab")
    expect(chat.banner).to_be_visible()
