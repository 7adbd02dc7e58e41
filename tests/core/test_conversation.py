"""Content addresses: the contract with its test vectors, and where a turn starts from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quitbutton.core.addresses import canonical, chain
from quitbutton.core.conversation import Branch, Mark, Marks, Scope, branch_of, root_of, scope_of, standing_of
from quitbutton.core.ladder.standing import OPEN, Standing
from quitbutton.core.ladder.transitions import Rung
from quitbutton.core.messages import ChatRequest, Message, Role

VECTORS = json.loads((Path(__file__).parents[2] / "docs" / "address-vectors.json").read_text("utf-8"))
KEY = bytes(range(32))


def user(text: str) -> Message:
    return Message(Role.USER, text)


def request_of(*messages: Message, **members: object) -> ChatRequest:
    return ChatRequest("m", messages, b"", **members)


def branch(*texts: str, tenant: str = "t", **members: object) -> Branch:
    request = request_of(*map(user, texts), **members)
    found = branch_of(KEY, scope_of(tenant, request), request)
    assert found is not None
    return found


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["about"])
def test_vectors(vector: dict) -> None:
    scope = Scope(**vector["scope"])
    root = root_of(bytes.fromhex(vector["key"]), scope)
    assert root.hex() == vector["root"]
    users = [
        Message(Role.USER, one["text"], tuple(map(bytes.fromhex, one.get("attachments", ()))))
        for one in vector["user_messages"]
    ]
    assert [address.hex() for address in chain(bytes.fromhex(vector["key"]), root, users)] == vector["addresses"]


def test_only_the_users_words_are_in_the_address() -> None:
    plain = branch("a", "b")
    request = request_of(
        Message(Role.SYSTEM, "anything"),
        user("a"),
        Message(Role.ASSISTANT, "x"),
        Message(Role.TOOL, "y"),
        user(" b\r\n"),
    )
    echoed = branch_of(KEY, scope_of("t", request), request)
    assert echoed is not None
    assert echoed.addresses == plain.addresses


def test_scopes_never_meet() -> None:
    one = branch("a", end_user="u1").addresses
    two = branch("a", end_user="u2").addresses
    three = branch("a").addresses
    four = branch("a", conversation_id="c").addresses
    five = branch("a", tenant="other").addresses
    assert len({one, two, three, four, five}) == 5
    named_user = branch("a", end_user="u1", conversation_id="c").addresses
    assert named_user == one, "with an end user the conversation id is no part of the scope"


def test_fields_of_a_scope_cannot_run_into_one_another() -> None:
    roots = {
        root_of(KEY, scope)
        for scope in (Scope("ab", "c"), Scope("a", "bc"), Scope("abc"), Scope("abc", ""), Scope("", "abc"))
    }
    assert len(roots) == 5


def test_attachments_count() -> None:
    with_image = request_of(Message(Role.USER, "a", (b"1" * 32,)))
    without = branch("a")
    found = branch_of(KEY, scope_of("t", with_image), with_image)
    assert found is not None
    assert found.address != without.address


@given(st.lists(st.text(max_size=20), min_size=1, max_size=6), st.integers(0, 5), st.text(min_size=1, max_size=5))
def test_an_edit_changes_its_own_address_and_those_after_it(texts: list[str], place: int, more: str) -> None:
    place %= len(texts)
    edited = [*texts]
    edited[place] = edited[place] + "#" + more + "#"
    one, two = branch(*texts).addresses, branch(*edited).addresses
    assert one[:place] == two[:place]
    assert all(a != b for a, b in zip(one[place:], two[place:], strict=True))


@given(st.text())
def test_the_canonical_form_is_stable(text: str) -> None:
    assert canonical(canonical(text)) == canonical(text)
    unix = text.replace("\r", "")
    assert canonical("\t" + unix.replace("\n", "\r\n") + " \n") == canonical(unix)


WARNED, ENDED = Standing(Rung.WARNED, 2), Standing(Rung.ENDED, 2)


def test_a_known_parent_gives_its_standing() -> None:
    turn = branch("a", "b")
    footing = standing_of(turn, Marks({turn.parent: Mark(WARNED)}))
    assert (footing.standing, footing.base) == (WARNED, turn.parent)


def test_a_first_message_starts_at_open_even_in_a_known_conversation() -> None:
    turn = branch("edited", conversation_id="c")
    footing = standing_of(turn, Marks({b"head": Mark(WARNED)}, head=b"head"))
    assert footing.standing == OPEN


def test_an_ended_address_anywhere_on_the_path_locks_it() -> None:
    turn = branch("a", "b", "c", "d")
    for ended in turn.addresses:
        marks = Marks(
            {ended: Mark(ENDED, end_id="end_1"), turn.parent: Mark(OPEN)} | {ended: Mark(ENDED, end_id="end_1")}
        )
        assert standing_of(turn, marks).end_id == "end_1"


def test_rewritten_history_goes_on_from_the_head_with_an_id_and_from_the_deepest_prefix_without() -> None:
    named, head = branch("x", "b", conversation_id="c"), b"h" * 32
    marks = Marks({head: Mark(WARNED)}, head=head)
    assert standing_of(named, marks).standing == WARNED
    deep = branch("a", "b", "c", "d")
    marks = Marks({deep.addresses[0]: Mark(WARNED)})
    assert standing_of(deep, marks) == standing_of(deep, marks)
    assert standing_of(deep, marks).base == deep.addresses[0]
    assert standing_of(deep, Marks({})).standing == OPEN


def test_the_same_rewritten_turn_again_starts_from_where_it_started_then() -> None:
    turn, base = branch("x", "b", conversation_id="c"), b"b" * 32
    marks = Marks({turn.address: Mark(WARNED, base=base), base: Mark(Standing(Rung.REDIRECTED, 2))}, head=turn.address)
    assert standing_of(turn, marks).standing.rung is Rung.REDIRECTED


def test_a_history_without_its_head_is_rewritten_even_with_one_user_message() -> None:
    request = request_of(Message(Role.ASSISTANT, "..."), user("b"), conversation_id="c")
    turn = branch_of(KEY, scope_of("t", request), request)
    assert turn is not None
    assert standing_of(turn, Marks({b"h": Mark(WARNED)}, head=b"h")).standing == WARNED


def test_no_user_message_no_turn() -> None:
    request = request_of(Message(Role.SYSTEM, "title this"))
    assert branch_of(KEY, scope_of("t", request), request) is None
