"""What every store must do. One suite for all of them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from quitbutton.core.appeals import AppealState
from quitbutton.core.conversation import Branch, Footing, Marks, standing_of
from quitbutton.core.errors import StoreFailed
from quitbutton.core.kept_words import KeptWords
from quitbutton.core.ladder.decisions import Decision, decide
from quitbutton.core.ladder.policy import Policy
from quitbutton.core.ladder.standing import OPEN, Standing
from quitbutton.core.ladder.transitions import Action, Rung, Signal
from quitbutton.core.ladder.verdicts import Label, Severity, SpeechMode, Strength, Target, Verdict
from quitbutton.core.origins import KeptId
from quitbutton.core.records import End, Receipt, TurnRecord
from quitbutton.stores.database import Database, Transaction
from quitbutton.stores.migrate import migrate
from quitbutton.stores.postgres import Postgres
from quitbutton.stores.rights import Rights
from quitbutton.stores.sql import SQLStore
from quitbutton.stores.sqlite import SQLite
from quitbutton.wiring import database_at

HARM, CLEAN = Verdict(Label.ABUSE, assessor="t@1"), Verdict(Label.CLEAN, assessor="t@1")
POLICY = Policy()


@pytest.fixture(params=["memory", "file", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SQLStore]:
    one = SQLStore(database(request, tmp_path))
    yield one
    one.close()


def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """A new one of the kind that the fixture's parameter names."""
    if request.param == "postgres":
        return Postgres(request.getfixturevalue("postgres").new())
    return SQLite(":memory:" if request.param == "memory" else tmp_path / "new" / "a.sqlite3")


@pytest.fixture(params=["file", "postgres"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Database]]:
    """Opens the same database again and again."""
    url = request.getfixturevalue("postgres").new() if request.param == "postgres" else str(tmp_path / "a.sqlite3")
    made: list[Database] = []

    def opens() -> Database:
        made.append(database_at(url))
        return made[-1]

    yield opens
    for one in made:
        one.close()


def a(*names: str) -> tuple[bytes, ...]:
    return tuple(name.encode().ljust(32, b".") for name in names)


def test_what_a_provider_keeps_has_one_owner_the_newest(store: SQLStore) -> None:
    async def scene() -> None:
        mine, yours = KeptId(b"m" * 32, "big"), KeptId(b"y" * 32, "small")
        assert await store.kept_id("resp_1") is None
        await store.keep_id("resp_1", mine, 1.0)
        await store.keep_id("resp_2", yours, 1.0)
        assert (await store.kept_id("resp_1"), await store.kept_id("resp_2")) == (mine, yours)
        await store.keep_id("resp_1", yours, 2.0)
        assert await store.kept_id("resp_1") == yours

    asyncio.run(scene())


def branch(*names: str, named: bool = False) -> Branch:
    return Branch(a("root")[0], a(*names), "conv_1", named)


async def take(
    store: SQLStore, turn: Branch, signal: Signal = Signal.NONE, verdict: Verdict = HARM
) -> tuple[Decision, object]:
    footing = standing_of(turn, await store.marks(turn))
    return await put(store, turn, footing, decide(POLICY, footing.standing, verdict, signal, turn.message))


async def put(store: SQLStore, turn: Branch, footing: Footing, decision: Decision) -> tuple[Decision, object]:
    ends = decision.after.rung is Rung.ENDED and decision.before.rung is not Rung.ENDED
    end = End(
        secrets.token_hex(8),
        "abuse",
        "model",
        1.0,
        turn.conversation,
        turn.message,
        decision.policy,
        "x",
        decision.after.evidence,
    )
    record = TurnRecord("tenant", turn, footing, decision, "req", 1.0, "enforce", end if ends else None)
    return decision, await store.record(record)


async def climb(store: SQLStore) -> list[str]:
    names = ["m1", "m2", "m3", "m4"]
    for place in range(4):
        signal = Signal.PRESS if place > 1 else Signal.NONE
        await take(store, branch(*names[: place + 1]), signal)
    return names


def test_a_ladder_is_remembered(store: SQLStore) -> None:
    async def scene() -> None:
        names = await climb(store)
        marks = await store.marks(branch(*names))
        own = marks.by_address[branch(*names).address]
        assert own.standing.rung is Rung.ENDED
        assert [item.rung.value for item in own.standing.evidence] == ["redirected", "redirected", "warned", "ended"]
        end = await store.end(own.end_id or "")
        assert end is not None
        assert end.evidence == own.standing.evidence
        view = await store.conversation("tenant", "conv_1")
        assert view is not None
        assert (view.state, view.turns, view.ends) == ("ended", 4, (end,))
        assert await store.conversation("stranger", "conv_1") is None
        events = await store.events("conv_1")
        assert [event["action"] for event in events] == ["redirect", "redirect", "warn", "end"]
        assert all(event["policy"] == POLICY.digest for event in events)

    asyncio.run(scene())


def test_the_first_end_wins_and_is_given_to_whoever_comes_second(store: SQLStore) -> None:
    async def scene() -> None:
        names = ["m1", "m2", "m3"]
        for place in range(3):
            await take(store, branch(*names[: place + 1]), Signal.PRESS if place == 2 else Signal.NONE)
        turn = branch(*names, "m4")
        footing = standing_of(turn, await store.marks(turn))
        decision = decide(POLICY, footing.standing, HARM, Signal.PRESS, turn.message)
        outcomes = await asyncio.gather(*(put(store, turn, footing, decision) for _ in range(8)))
        winners = [outcome for _, outcome in outcomes if outcome.end is None]
        losers = {outcome.end.id for _, outcome in outcomes if outcome.end is not None}
        assert len(winners) == 1
        assert len(losers) == 1
        marks = await store.marks(turn)
        assert {marks.by_address[turn.address].end_id} == losers

    asyncio.run(scene())


def test_a_turn_in_flight_below_an_end_is_not_completed(store: SQLStore) -> None:
    async def scene() -> None:
        names = ["m1", "m2", "m3"]
        for place in range(3):
            await take(store, branch(*names[: place + 1]), Signal.PRESS if place == 2 else Signal.NONE)
        ending, below = branch(*names, "m4"), branch(*names, "m4", "m5")
        footing = standing_of(below, await store.marks(below))
        decision = decide(POLICY, footing.standing, CLEAN, Signal.NONE, below.message)
        await take(store, ending, Signal.PRESS)
        _, outcome = await put(store, below, footing, decision)
        assert outcome.end is not None
        assert (await store.marks(below)).by_address.keys() == {ending.address}, "nothing of it was written"

    asyncio.run(scene())


def test_an_end_reaches_turns_that_were_recorded_below_it(store: SQLStore) -> None:
    """Two and three messages ahead of the turn that ends, also across messages no request has brought."""

    async def scene() -> None:
        names = ["m1", "m2", "m3"]
        for place in range(3):
            await take(store, branch(*names[: place + 1]), Signal.PRESS if place == 2 else Signal.NONE)
        ahead = branch(*names, "m4", "m5", "m6")
        await take(store, ahead, verdict=CLEAN)
        await take(store, branch(*names, "m4"), Signal.PRESS)
        later = branch(*names, "m4", "m5", "m6", "m7")
        assert standing_of(later, await store.marks(later)).standing.rung is Rung.ENDED
        sibling = branch(*names, "other")
        assert standing_of(sibling, await store.marks(sibling)).standing.rung is Rung.WARNED

    asyncio.run(scene())


def test_an_end_reaches_below_a_history_that_first_came_as_a_whole(store: SQLStore) -> None:
    async def scene() -> None:
        await take(store, branch("m1", "m2", "m3", "m4", "m5", "m6"), verdict=CLEAN)
        await climb(store)
        deep = branch("m1", "m2", "m3", "m4", "m5", "m6", "m7")
        assert standing_of(deep, await store.marks(deep)).standing.rung is Rung.ENDED

    asyncio.run(scene())


async def ends_out_of_turn(store: SQLStore, turn: Branch) -> None:
    """As if the ladder had been climbed already, on other branches."""
    footing = standing_of(turn, await store.marks(turn))
    warned = replace(footing.standing, rung=Rung.WARNED, redirections=2)
    _, outcome = await put(store, turn, footing, decide(POLICY, warned, HARM, Signal.PRESS, turn.message))
    assert outcome.standing.rung is Rung.ENDED


@pytest.mark.parametrize("way", ["rewritten", "continued", "continued by a part"])
def test_an_end_reaches_what_stepped_over_its_turn_however_the_history_is_told(store: SQLStore, way: str) -> None:
    """A named chat whose head was cut off, and a history that the provider keeps, told from another place each time."""

    async def scene() -> None:
        await take(store, branch("m0", "m1", named=True), verdict=CLEAN)

        def told(*names: str) -> Branch:
            if way == "rewritten":
                return Branch(a("root")[0], a("r1", *names), "conv_1", named=True, is_truncated=True)
            start = "m0" if way == "continued by a part" and len(names) == 1 else "m1"
            path = ("m1", *names) if start == "m0" else names
            return Branch(a("root")[0], a(start, *path), "conv_1", continued=True)

        if way == "rewritten":
            await take(store, told(), verdict=CLEAN)
        await take(store, told("r2", "r3", "r4", "r5"), verdict=CLEAN)
        await ends_out_of_turn(store, told("r2"))
        after = Branch(a("root")[0], a("r5", "r6"), "conv_1", continued=True)
        assert standing_of(after, await store.marks(after)).standing.rung is Rung.ENDED

    asyncio.run(scene())


def test_what_branches_off_a_history_that_came_as_a_whole_grows_from_its_last_message(store: SQLStore) -> None:
    async def scene() -> None:
        first, other = branch("m1", "m2", "m3", "m4"), branch("m1", "m2", "m3", "n4")
        await take(store, first)
        footing = standing_of(other, await store.marks(other))
        assert (footing.base, footing.standing) == (a("m3")[0], OPEN)
        await take(store, other)
        await take(store, first)
        assert [path for (path,) in await store._database.read("SELECT path FROM skips")] == [b"".join(a("m1", "m2"))]
        view = await store.conversation("tenant", "conv_1")
        assert view is not None
        assert view.turns == 2, "the message before is no turn"
        await ends_out_of_turn(store, branch("m1", "m2", "m3"))
        for one in (first, other):
            assert standing_of(one, await store.marks(one)).standing.rung is Rung.ENDED

    asyncio.run(scene())


def test_what_came_along_with_a_rewritten_history_hangs_on_no_other_chat(store: SQLStore) -> None:
    """The same request with and without an id: what it brings along is not below where the named chat goes on."""

    async def scene() -> None:
        def named(conversation: str, *names: str) -> Branch:
            return Branch(a("root")[0], a(*names), conversation, named=True)

        await take(store, named("conv_x", "h1"))
        await take(store, named("conv_x", "few", "more", "t1"), verdict=CLEAN)
        await take(store, branch("few", "more", "t1"), verdict=CLEAN)
        await ends_out_of_turn(store, named("conv_x", "h1"))
        for other in (branch("few", "more", "other"), named("conv_y", "few", "more", "other")):
            assert standing_of(other, await store.marks(other)).standing == OPEN

    asyncio.run(scene())


def test_what_two_ends_reach_stays_locked_by_the_other(store: SQLStore) -> None:
    """A rewritten history lies below the turn where it went on, and below the messages that it tells."""

    async def scene() -> None:
        def named(*names: str) -> Branch:
            return Branch(a("root")[0], a(*names), "conv_1", named=True)

        await take(store, named("h1"), verdict=CLEAN)
        told = named("few", "more", "t1")
        await take(store, told, verdict=CLEAN)
        await ends_out_of_turn(store, named("h1"))
        await ends_out_of_turn(store, named("few"))
        on = named("few", "more", "t1", "t2")
        first = (await store.marks(told)).by_address[told.address].end_id
        rights = Rights(store._database)
        filed = await rights.appeal(str(first), "a quotation", 2.0)
        await rights.decide(filed.id, AppealState.UPHELD, "ada", "so it was", 3.0)
        footing = standing_of(on, await store.marks(on))
        assert footing.standing.rung is Rung.ENDED
        assert footing.end_id not in (None, first)
        filed = await rights.appeal(str(footing.end_id), "another", 4.0)
        await rights.decide(filed.id, AppealState.UPHELD, "ada", "so it was", 5.0)
        assert standing_of(on, await store.marks(on)).standing.rung is Rung.OPEN

    asyncio.run(scene())


def test_what_only_came_along_lifts_no_rung_of_a_named_chat(store: SQLStore) -> None:
    """A helper's call without an id shows the same window of the history as the chat's next message."""

    async def scene() -> None:
        await take(store, branch("m1", named=True))
        on = branch("m3", "m4", "m5", named=True)
        footing = standing_of(on, await store.marks(on))
        await take(store, Branch(a("root")[0], a("m3", "m4", "a title, please"), "conv_2"), verdict=CLEAN)
        assert standing_of(on, await store.marks(on)).standing.redirections == 1
        await put(store, on, footing, decide(POLICY, footing.standing, CLEAN, Signal.NONE, on.message))
        await ends_out_of_turn(store, branch("m1", named=True))
        after = branch("m3", "m4", "m5", "m6", named=True)
        assert standing_of(after, await store.marks(after)).standing.rung is Rung.ENDED

    asyncio.run(scene())


def test_a_history_of_any_length_can_come_first(store: SQLStore) -> None:
    async def scene() -> None:
        names = [f"m{number}" for number in range(1000)]
        await take(store, branch(*names), verdict=CLEAN)
        await take(store, branch(*names, "newest"))
        marks = await store.marks(branch(*names, "newest"))
        assert marks.by_address[branch(*names, "newest").address].standing.rung is Rung.REDIRECTED

    asyncio.run(scene())


def test_a_possible_crisis_is_kept_with_its_evidence_and_stays_over_a_retry(store: SQLStore) -> None:
    async def scene() -> None:
        aimed = Verdict(Label.ABUSE, assessor="t@1", target=Target.GROUP, mode=SpeechMode.EARNEST)
        await take(store, branch("m1"), verdict=aimed)
        await take(store, branch("m1", "m2"), verdict=Verdict(Label.CRISIS, strength=Strength.POSSIBLE))
        for verdict in (CLEAN, CLEAN):
            await take(store, branch("m1", "m2", "m3"), verdict=verdict)
        marks = (await store.marks(branch("m1", "m2", "m3"))).by_address
        left = [marks[branch(*names).address].standing for names in (("m1", "m2"), ("m1", "m2", "m3"))]
        assert [one.possible_turns for one in left] == [3, 2]
        proof = left[1].evidence[0]
        assert (proof.target, proof.severity) == (Target.GROUP, Severity.SERIOUS)
        event = (await store.events("conv_1"))[1]
        assert (event["crisis"], event["verdict"]["strength"]) == ("possible", "possible")

    asyncio.run(scene())


def test_an_erasure_takes_the_words_of_turns_that_were_under_way_and_feedback_on_any_turn(store: SQLStore) -> None:
    async def scene() -> None:
        rights = Rights(store._database)
        said = (KeptWords("user", "private"),)

        async def turn(name: str, began: float) -> None:
            one = branch("m1", name)
            decision = decide(POLICY, Standing(), CLEAN, Signal.NONE, one.message)
            footing = standing_of(one, await store.marks(one))
            record = TurnRecord(
                "t", one, footing, decision, f"req_{name}", began + 1, "enforce", words=said, began=began
            )
            await store.record(record)

        await turn("m2", 1.0)
        await store.put_feedback("t", "req_m2", "down", "private", 2.0)
        await rights.erase_conversation("conv_1", 10.0)
        await turn("m3", 9.0)
        assert await rights.words("conv_1") == []
        assert await store._database.read("SELECT * FROM feedback") == []
        await turn("m4", 11.0)
        assert [word["text"] for word in await rights.words("conv_1")] == ["private"]

    asyncio.run(scene())


def test_an_upheld_appeal_hands_its_turns_to_an_end_that_stands_above(store: SQLStore) -> None:
    async def scene() -> None:
        rights = Rights(store._database)
        deep, high = branch("m1", "m2", "m3", "m4"), branch("m1", "m2")
        await climb(store)
        below = (await store.marks(deep)).by_address[deep.address].end_id
        footing = standing_of(high, await store.marks(high))
        warned = replace(footing.standing, rung=Rung.WARNED, redirections=2)
        decision = decide(POLICY, warned, HARM, Signal.PRESS, high.message)
        assert decision.after.rung is Rung.ENDED
        await put(store, high, footing, decision)
        appeal = await rights.appeal(str(below), "a quotation", 2.0)
        await rights.decide(appeal.id, AppealState.UPHELD, "ada", "so it was", 3.0)
        on = branch("m1", "m2", "m3", "m4", "m5")
        marks = await store.marks(on)
        assert standing_of(on, marks).standing.rung is Rung.ENDED
        above = (await store.marks(high)).by_address[high.address].end_id
        assert marks.by_address[deep.address].end_id == above != below

    asyncio.run(scene())


def test_a_repeat_never_lowers_what_stands(store: SQLStore) -> None:
    async def scene() -> None:
        names = ["m1", "m2", "m3"]
        for place in range(3):
            await take(store, branch(*names[: place + 1]), Signal.PRESS if place == 2 else Signal.NONE)
        _, outcome = await take(store, branch(*names), Signal.NONE)
        assert outcome.standing.rung is Rung.WARNED
        marks = await store.marks(branch(*names))
        assert marks.by_address[branch(*names).address].standing.rung is Rung.WARNED

    asyncio.run(scene())


def test_a_named_conversation_remembers_its_newest_turn(store: SQLStore) -> None:
    async def scene() -> None:
        await take(store, branch("m1", named=True))
        await take(store, branch("m1", "m2", named=True))
        rewritten = branch("summary", "m3", named=True)
        footing = standing_of(rewritten, await store.marks(rewritten))
        assert (footing.standing.redirections, footing.base) == (2, a("m2")[0])
        await take(store, rewritten, Signal.PRESS)
        again = standing_of(rewritten, await store.marks(rewritten))
        assert again.standing.redirections == 2, "the same turn again starts from where it started"

    asyncio.run(scene())


def test_a_failed_transaction_leaves_nothing_and_harms_no_other(store: SQLStore) -> None:
    async def scene() -> None:
        def fails(transaction: object) -> None:
            raise ValueError("no")

        good = take(store, branch("m1"))
        bad = store._database.write(fails)
        results = await asyncio.gather(good, bad, return_exceptions=True)
        assert isinstance(results[1], StoreFailed)
        assert "Nothing was counted" in str(results[1])
        assert (await store.marks(branch("m1"))).by_address

    asyncio.run(scene())


def test_receipts_belong_to_their_tenant_and_the_first_stands(store: SQLStore) -> None:
    async def scene() -> None:
        first = Receipt("req_1", True, "user", 3, None, True, 7)
        await store.put_receipt("me", first, 1.0)
        await store.put_receipt("me", Receipt("req_1", True, "client", 9, 9, True, None), 2.0)
        assert await store.receipt("me", "req_1") == first
        assert await store.receipt("you", "req_1") is None

    asyncio.run(scene())


def test_the_address_key_is_made_once(opened: Callable[[], Database]) -> None:
    async def key() -> bytes:
        return await SQLStore(opened()).address_key()

    first, second = asyncio.run(key()), asyncio.run(key())
    assert first == second
    assert len(first) == 32


def test_a_store_of_a_newer_version_is_not_touched(opened: Callable[[], Database]) -> None:
    database = opened()
    SQLStore(database)
    database.migrate(lambda transaction: transaction.execute("INSERT INTO migrations (version) VALUES (9999)"))
    with pytest.raises(StoreFailed, match="newer quitbutton"):
        SQLStore(database)


def test_a_migration_that_arrives_after_a_later_one_is_still_applied(opened: Callable[[], Database]) -> None:
    database = opened()
    newest = migrate(database)

    def undo(transaction: Transaction) -> None:
        transaction.execute("DROP TABLE keys")
        transaction.execute("DROP TABLE sessions")
        transaction.execute("DROP TABLE sign_ins")
        transaction.execute("DELETE FROM migrations WHERE version = 3")

    database.migrate(undo)
    assert (newest > 3, migrate(database), migrate(database)) == (True, 1, 0)


def test_marks_of_an_unknown_branch_are_empty(store: SQLStore) -> None:
    async def scene() -> None:
        marks = await store.marks(branch("x", "y"))
        assert marks == Marks({}, None)
        assert standing_of(branch("x", "y"), marks).standing == OPEN == Standing()

    asyncio.run(scene())


def test_policies_are_kept_by_digest(store: SQLStore) -> None:
    async def scene() -> None:
        await store.put_policy(POLICY, 1.0)
        await store.put_policy(POLICY, 2.0)
        rows = await store._database.read("SELECT digest, first_seen FROM policies")
        assert [tuple(row) for row in rows] == [(POLICY.digest, 1.0)]

    asyncio.run(scene())


def test_no_transition_is_named_by_its_denial_alone(store: SQLStore) -> None:
    async def scene() -> None:
        decision, _ = await take(store, branch("m1"), Signal.PRESS)
        assert decision.action is Action.REDIRECT
        assert [event["kind"] for event in await store.events("conv_1")] == ["press.denied"]

    asyncio.run(scene())
