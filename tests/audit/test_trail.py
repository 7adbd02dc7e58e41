"""The audit trail: every event provable, every kind of tampering found and named, offline and in the database."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quitbutton.audit.signer import is_signed_by, signer_of
from quitbutton.core.audit.exports import verified
from quitbutton.core.audit.log import hash_of, leaf_of
from quitbutton.core.audit.merkle import grown, verify_consistency, verify_inclusion
from quitbutton.core.audit.signed_note import Checkpoint, VerifierKey, opened, signed
from quitbutton.core.errors import BadRequest, NotFound, SettingsError
from quitbutton.stores.audit import AuditLog, NotSound, Remembered
from quitbutton.stores.checking import check_log
from quitbutton.stores.database import Transaction
from quitbutton.stores.leaves import Logged
from quitbutton.stores.rights import Rights
from tests.play import Play, new_database, say
from tests.turn.test_rights import Case

EVERY_STORE = True

NOTE = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
"""The example of the reference implementation of signed notes."""


def run(scene: Any) -> Any:
    return asyncio.run(scene)


def check(key: VerifierKey) -> Callable[[bytes, bytes], bool]:
    return lambda signature, data: is_signed_by(key, signature, data)


def test_the_reference_note_opens_and_a_changed_one_does_not() -> None:
    key = VerifierKey.read(PETER)
    assert opened(NOTE, key, check(key)).startswith("If you think")
    with pytest.raises(ValueError, match="is not valid"):
        opened(NOTE.replace("answer", "cause"), key, check(key))
    with pytest.raises(ValueError, match="not signed by"):
        opened(NOTE.replace("PeterNeumann", "Somebody"), key, check(key))


@pytest.mark.parametrize("text", ["", "a+b", "a+00000000+AAAA", PETER.replace("c74f20a3", "c74f20a4"), PETER + "x"])
def test_a_key_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        VerifierKey.read(text)


def test_a_checkpoint_reads_as_it_was_written() -> None:
    signer = signer_of(None, None)
    one = Checkpoint("quitbutton", 7, bytes(range(32)), 99)
    note = signed(one.text, signer.key, signer.sign)
    assert Checkpoint.read(opened(note, signer.key, check(signer.key))) == one
    for broken in ("quitbutton\n7\n", "quitbutton\n-7\nAAAA\n", "quitbutton\n7\nAAAA\n", "\n7\nAAAA\n"):
        with pytest.raises(ValueError, match="checkpoint"):
            Checkpoint.read(broken)


def test_a_signing_key_is_made_once_and_kept_to_its_owner(tmp_path: Path) -> None:
    file = tmp_path / "sub" / "audit.key"
    first, second = signer_of(None, file), signer_of(None, file)
    assert first.key == second.key
    assert file.stat().st_mode & 0o777 == 0o600
    assert signer_of(file.read_text(), None).key == first.key
    with pytest.raises(SettingsError, match="must hold an Ed25519 key"):
        signer_of("short", None)


def made_together(folder: Path, start: Any, found: Any) -> None:
    for number in range(60):
        start.wait(20)
        found.put((number, signer_of(None, folder / f"{number}.key").key.public))


def test_processes_that_start_together_get_one_signing_key(tmp_path: Path) -> None:
    system = multiprocessing.get_context("fork")
    start, found = system.Barrier(3), system.Queue()
    workers = [system.Process(target=made_together, args=(tmp_path, start, found)) for _ in range(3)]
    for one in workers:
        one.start()
    keys: dict[int, set[bytes]] = {}
    for _ in range(3 * 60):
        number, key = found.get(timeout=20)
        keys.setdefault(number, set()).add(key)
    for one in workers:
        one.join()
    assert [len(keys[number]) for number in range(60)] == [1] * 60
    assert len(list(tmp_path.iterdir())) == 60


@pytest.mark.parametrize("text", ["", 'a "b" \\ c', "ä\u2028\x00\x1f\x7f/\t\n", "\ud800", '{"a": [1, null]}'])
@pytest.mark.parametrize("at", [0.0, 1764140000.123456, 1e-7, 1e16, 1764140000.0])
def test_a_leaf_is_the_event_as_json(text: str, at: float) -> None:
    event = (7, at, "turn.pass", text, "conv_1", "msg_1", text)
    assert leaf_of(event) == json.dumps(list(event), ensure_ascii=False, separators=(",", ":"))


class Trail:
    """A log over the events of an ended conversation and of another, in three batches."""

    def __init__(self, path: Path | str = ":memory:") -> None:
        self.signer = signer_of(None, None)
        self.case = Case()
        self.log = AuditLog(self.case.play.store._database, self.signer)
        self.notes: list[str] = []

    async def grows(self) -> list[str]:
        """The lines of an export."""
        await self.case.ends()
        await self._batch(1.0)
        await self.case.rights.appeal(self.case.end_id, "x", 10.0)
        await self._batch(2.0)
        play = self.case.play
        play.upstream.lines = lambda request: say("Hi.")
        for number in range(6):
            await play.sends([{"role": "user", "content": f"hello {number}"}], user="bob")
        await self._batch(3.0)
        return [line async for line in self.log.export()]

    async def _batch(self, now: float) -> None:
        assert await self.log.append(now) is not None
        note = (await self.log.head())[1]
        assert note is not None
        self.notes.append(note)

    def problems(self, lines: list[str], since: str | None = None, trusted: bool = True) -> list[str]:
        return verified(lines, is_signed_by, self.signer.key if trusted else None, since).problems


def test_a_sound_trail_verifies_offline_and_every_event_is_proven() -> None:
    async def scene() -> None:
        trail = Trail()
        lines = await trail.grows()
        found = verified(lines, is_signed_by, trail.signer.key, trail.notes[0])
        assert (found.problems, found.events, found.signed, found.checkpoints) == ([], 11, 11, 3)
        size, note = await trail.log.head()
        root = Checkpoint.read(opened(note or "", trail.signer.key, check(trail.signer.key))).root
        for one in await trail.log.events(0):
            proof = await trail.log.inclusion(one.seq)
            path = [bytes.fromhex(part) for part in proof["proof"]]
            assert verify_inclusion(proof["n"], size, bytes.fromhex(proof["leaf_hash"]), path, root)
        told = await trail.log.consistency(4, 11)
        path, roots = ([bytes.fromhex(part) for part in told[name]] for name in ("proof", "roots"))
        assert verify_consistency(4, 11, roots[0], roots[1], path)
        with pytest.raises(NotFound):
            await trail.log.inclusion(999)
        with pytest.raises(BadRequest):
            await trail.log.consistency(4, 99)
        assert await trail.log.append(4.0) is None, "nothing new, no checkpoint"
        assert (await check_log(trail.log, is_signed_by)).problems == []

    run(scene())


def entry(line: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(line)
    return found


def changed(lines: list[str]) -> list[str]:
    return [*lines[:3], lines[3].replace("abuse", "harm", 1), *lines[4:]]


def changed_with_its_hash(lines: list[str]) -> list[str]:
    one = entry(changed(lines)[3])
    return [*lines[:3], json.dumps({**one, "hash": hash_of(one["leaf"]).hex()}), *lines[4:]]


def removed(lines: list[str]) -> list[str]:
    return [*lines[:5], *lines[6:]]


def reordered(lines: list[str]) -> list[str]:
    return [*lines[:5], lines[6], lines[5], *lines[7:]]


def inserted(lines: list[str]) -> list[str]:
    return [*lines[:6], lines[3], *lines[6:]]


def truncated(lines: list[str]) -> list[str]:
    return [line for line in lines if entry(line).get("n", 0) < 9]


def cut_with_its_checkpoint(lines: list[str]) -> list[str]:
    return [line for line in truncated(lines) if "checkpoint" not in line or "\\n11\\n" not in line]


def without_checkpoints(lines: list[str]) -> list[str]:
    return [line for line in lines if "checkpoint" not in entry(line)]


def forged(lines: list[str]) -> list[str]:
    other = signer_of(None, None)
    note = signed(Checkpoint("quitbutton", 11, bytes(32)).text, other.key, other.sign)
    return [*lines[:-1], json.dumps({"checkpoint": note})]


def resigned(lines: list[str]) -> list[str]:
    """Everything made anew under another key, without a fault of its own."""
    other = signer_of(None, None)
    first = {**entry(lines[0]), "key": other.key.text}
    out = [json.dumps(first)]
    for line in lines[1:]:
        one = entry(line)
        if "checkpoint" in one:
            text = one["checkpoint"].partition("\n\n")[0] + "\n"
            one = {"checkpoint": signed(text, other.key, other.sign)}
        out.append(json.dumps(one))
    return out


TAMPERED = [
    (changed, "event 2 was changed"),
    (changed_with_its_hash, "the events up to 4 are not those that were signed"),
    (removed, "events 4 to 4 were removed"),
    (reordered, "it was moved, or put in"),
    (inserted, "it was moved, or put in"),
    (truncated, "the end was cut off"),
    (cut_with_its_checkpoint, "signed by no checkpoint"),
    (without_checkpoints, "there is no checkpoint"),
    (forged, "a checkpoint is forged or broken"),
    (resigned, "the export names another key"),
]


@pytest.mark.parametrize(("tamper", "said"), TAMPERED, ids=lambda one: getattr(one, "__name__", ""))
def test_tampering_with_an_export_is_named(tamper: Callable[[list[str]], list[str]], said: str) -> None:
    async def scene() -> None:
        trail = Trail()
        lines = await trail.grows()
        assert any(said in problem for problem in trail.problems(tamper(lines))), trail.problems(tamper(lines))

    run(scene())


def test_a_trail_that_does_not_go_on_from_a_kept_checkpoint_was_rolled_back_or_rewritten() -> None:
    async def scene() -> None:
        trail = Trail()
        lines = await trail.grows()
        short = [line for line in lines if entry(line).get("n", 0) < 4 and "\\n11\\n" not in line]
        short = [line for line in short if "\\n5\\n" not in line]
        assert trail.problems(short) == [], "by itself it is sound"
        assert any("rolled back" in one for one in trail.problems(short, since=trail.notes[-1]))
        other = Trail()
        other.signer = trail.signer
        other.log = AuditLog(other.case.play.store._database, trail.signer)
        assert any("rewritten" in one for one in trail.problems(await other.grows(), since=trail.notes[-1]))

    run(scene())


@pytest.mark.parametrize("line", ["not json", "[]", '{"n": 1}', '{"checkpoint": 5}', '{"format": "else", "key": "x"}'])
def test_lines_that_are_nothing_are_named_and_never_crash(line: str) -> None:
    async def scene() -> None:
        trail = Trail()
        lines = await trail.grows()
        assert trail.problems([*lines, line])

    run(scene())


STATEMENTS = [
    ("UPDATE events SET body = replace(body, 'abuse', 'harm') WHERE seq = 3", "number 3) was changed"),
    ("UPDATE events SET at = at + 1 WHERE seq = 2", "number 2) was changed"),
    ("DELETE FROM events WHERE seq = 4", "number 4) was removed"),
    ("UPDATE events SET seq = CASE seq WHEN 2 THEN -3 ELSE -2 END WHERE seq IN (2, 3)", "was removed"),
    (
        "INSERT INTO events (seq, at, kind, tenant, conversation, message, body) VALUES (0, 1, 'x', '', '', '', '{}')",
        "put in among",
    ),
    ("UPDATE checkpoints SET note = replace(note, 'time 1', 'time 7') WHERE size = 4", "forged or broken"),
    ("DELETE FROM leaves WHERE n > 8", "the end of the log was cut off"),
    (
        "UPDATE nodes SET hash = (SELECT hash FROM nodes WHERE level = 0 AND n = 1) WHERE level = 0 AND n = 2",
        "was changed",
    ),
]

UNTYPED = [
    ("UPDATE events SET body = CAST(body AS BLOB) WHERE seq = 5", "number 5) was changed"),
    ("UPDATE events SET at = 'noon' WHERE seq = 6", "number 6) was changed"),
]
"""What a database with types does not take."""


@pytest.mark.parametrize(("statement", "said"), STATEMENTS)
def test_tampering_with_the_database_is_named(statement: str, said: str) -> None:
    is_named(statement, said)


@pytest.mark.sqlite("its columns take values of any type")
@pytest.mark.parametrize(("statement", "said"), UNTYPED)
def test_values_of_another_type_are_named(statement: str, said: str) -> None:
    is_named(statement, said)


def is_named(statement: str, said: str) -> None:
    async def scene() -> None:
        trail = Trail()
        await trail.grows()
        database = trail.case.play.store._database
        await database.write(lambda transaction: transaction.execute(statement))
        problems = (await check_log(trail.log, is_signed_by)).problems
        assert any(said in problem for problem in problems), problems

    run(scene())


def test_a_database_that_was_rolled_back_is_told_from_a_note_kept_elsewhere(tmp_path: Path) -> None:
    async def scene() -> None:
        signer = signer_of(None, tmp_path / "audit.key")
        database = new_database(tmp_path / "a.sqlite3")
        from quitbutton.stores.sql import SQLStore

        play = Play([say("Hi.") for _ in range(4)], store=SQLStore(database))
        log = AuditLog(database, signer)
        await play.says("one")
        await log.append(1.0)
        backup = {row[0]: row for row in await database.read("SELECT * FROM events")}
        await play.says("two")
        await log.append(2.0)
        kept = (await log.head())[1]
        for table, place in (
            ("events", "seq > 1"),
            ("leaves", "n > 0"),
            ("checkpoints", "size > 1"),
            ("nodes", "n > 0"),
        ):
            await database.write(
                lambda transaction, t=table, p=place: transaction.execute(f"DELETE FROM {t} WHERE {p}")
            )
        await database.write(lambda transaction: transaction.execute("DELETE FROM nodes WHERE level > 0"))
        assert len(backup) == 1
        alone = AuditLog(database, signer, Remembered((await log.head())[1]))
        assert (await check_log(alone, is_signed_by, beside=False)).problems == [], "by itself it is sound"
        assert log.memory.read() == kept
        assert any("rolled back" in one for one in (await check_log(log, is_signed_by)).problems)
        database.close()

    run(scene())


def test_erasing_a_person_leaves_every_proof_valid() -> None:
    async def scene() -> None:
        trail = Trail()
        await trail.grows()
        rights = Rights(trail.case.play.store._database)
        conversation = (await rights.grounds(trail.case.end_id)).end.conversation
        await rights.erase_conversation(conversation, 99.0)
        await trail.log.append(100.0)
        lines = [line async for line in trail.log.export()]
        assert trail.problems(lines, since=trail.notes[0]) == []
        assert (await check_log(trail.log, is_signed_by)).problems == []
        assert "you again" not in "".join(lines)

    run(scene())


def test_two_processes_log_each_event_once(tmp_path: Path) -> None:
    async def scene() -> None:
        trail = Trail()
        await trail.case.ends()
        other = AuditLog(trail.case.play.store._database, trail.signer, trail.log.memory)
        await asyncio.gather(trail.log.append(1.0), other.append(1.0), trail.log.append(1.0))
        lines = [line async for line in trail.log.export()]
        assert trail.problems(lines) == []
        assert len(await trail.log.events(0)) == 4

    run(scene())


def test_the_command_exports_verifies_and_checks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from quitbutton.audit.trail import audit_log_of, logging_job
    from quitbutton.cli.main import main
    from quitbutton.settings.installation import load
    from quitbutton.stores.sql import SQLStore

    settings = load(None, {}, data=tmp_path)

    async def chats() -> None:
        database = new_database(tmp_path / "quitbutton.sqlite3")
        play = Play([say("Hi.") for _ in range(3)], store=SQLStore(database))
        for text in ("one", "two"):
            await play.says(text)
        await logging_job(audit_log_of(settings, database), lambda: 5.0)()
        database.close()

    where = ["--data", str(tmp_path)]
    run(chats())
    assert main(["audit", "key", *where]) == 0
    key = capsys.readouterr().out.strip()
    export = tmp_path / "trail.jsonl"
    assert main(["audit", "export", "--out", str(export), *where]) == 0
    head = tmp_path / "audit-head.note"
    assert main(["audit", "verify", str(export), "--key", key, "--since", str(head)]) == 0
    assert "sound: 2 events, 2 of them signed, 1 valid checkpoints" in capsys.readouterr().out
    assert main(["audit", "check", *where]) == 0
    export.write_text(export.read_text().replace('"n":1,', '"n":2,'))
    capsys.readouterr()
    assert main(["audit", "verify", str(export)]) == 1
    assert "WRONG  events 1 to 1 were removed" in capsys.readouterr().out

    async def tampers() -> None:
        database = new_database(tmp_path / "quitbutton.sqlite3")
        await database.write(lambda transaction: transaction.execute("DELETE FROM events WHERE seq = 1"))
        database.close()

    run(tampers())
    assert main(["audit", "check", *where]) == 1
    assert "WRONG  event 0 (number 1) was removed" in capsys.readouterr().out
    assert main(["audit", "verify", str(export), "--key", "nonsense"]) == 1
    assert main(["audit", "export", "stray", *where]) == 1


def test_the_start_says_that_the_trail_is_not_sound_and_serves_all_the_same(tmp_path: Path) -> None:
    from quitbutton.audit.trail import HEAD_FILE, audit_log_of, warn_of_faults
    from quitbutton.settings.installation import load
    from quitbutton.stores.sql import SQLStore

    settings = load(None, {}, data=tmp_path)

    async def scene() -> None:
        database = new_database(tmp_path / "quitbutton.sqlite3")
        play = Play([say("Hi.")], store=SQLStore(database))
        trail = audit_log_of(settings, database)
        await play.says("one")
        await trail.append(1.0)
        assert await warn_of_faults(trail) == []
        note = signed(Checkpoint("quitbutton", 9, bytes(32)).text, trail.signer.key, trail.signer.sign)
        (tmp_path / HEAD_FILE).write_text(note, "utf-8")
        assert "rolled back" in (await warn_of_faults(trail))[0]
        database.close()

    run(scene())


def rewritten(transaction: Transaction) -> None:
    """What somebody with the database but without the key can do: another event 2, and all nodes made anew."""
    transaction.execute("UPDATE events SET body = replace(body, 'abuse', 'harm') WHERE seq = 3")
    rows = transaction.execute("SELECT seq, at, kind, tenant, conversation, message, body FROM events ORDER BY seq")
    nodes: dict[tuple[int, int], bytes] = {}
    for n, _ in enumerate(transaction.execute("SELECT n FROM leaves")):
        nodes |= dict(grown(n, hash_of(leaf_of(rows[n])), nodes.__getitem__))
    for (level, n), one in nodes.items():
        given = {"level": level, "n": n, "hash": one}
        transaction.execute("UPDATE nodes SET hash = :hash WHERE level = :level AND n = :n", given)


REWRITTEN = [
    ("DELETE FROM checkpoints", "none of its 11 events is signed"),
    ("DELETE FROM checkpoints WHERE size > 4", "covers 4 events and it has 11"),
    ("UPDATE checkpoints SET size = 11 + size WHERE size < 11", "covers 5 events and it has 11"),
    ("UPDATE checkpoints SET note = replace(note, 'time 3', 'time 4')", "forged or broken"),
    ("DELETE FROM checkpoints WHERE size < 11", "are not those that were signed"),
    ("DELETE FROM leaves", "covers 11 events and it has 0"),
]


@pytest.mark.parametrize(("statement", "said"), REWRITTEN)
def test_a_log_that_was_rewritten_is_signed_no_further(statement: str, said: str) -> None:
    async def scene() -> None:
        trail = Trail()
        await trail.grows()
        database = trail.case.play.store._database
        await database.write(rewritten)
        await database.write(lambda transaction: transaction.execute(statement))
        before = await trail.log.checkpoints()
        await trail.case.play.sends([{"role": "user", "content": "one more"}], user="bob")
        with pytest.raises(NotSound, match=said):
            await trail.log.append(4.0)
        assert await trail.log.checkpoints() == before
        assert not (await check_log(trail.log, is_signed_by)).is_sound

    run(scene())


def test_events_in_the_log_without_a_checkpoint_are_a_fault_and_waiting_ones_are_none() -> None:
    async def scene() -> None:
        trail = Trail()
        await trail.grows()
        await trail.case.play.sends([{"role": "user", "content": "one more"}], user="bob")
        assert (await check_log(trail.log, is_signed_by)).problems == [], "it waits"
        database = trail.case.play.store._database
        await database.write(lambda transaction: transaction.execute("DELETE FROM checkpoints WHERE size = 11"))
        problems = (await check_log(trail.log, is_signed_by)).problems
        assert problems == ["the last 6 events in the log are signed by no checkpoint"]

    run(scene())


@pytest.mark.sqlite("the file is copied and put back")
def test_the_note_of_a_database_that_was_rolled_back_is_kept_and_chats_go_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    import shutil

    from quitbutton.audit.trail import audit_log_of, logging_job, memory_of, warn_of_faults
    from quitbutton.settings.installation import load
    from quitbutton.stores.sql import SQLStore

    settings = load(None, {}, data=tmp_path)
    file = tmp_path / "quitbutton.sqlite3"

    async def chats(*texts: str) -> list[str]:
        database = new_database(file)
        play = Play([say("Hi.") for _ in texts], store=SQLStore(database))
        trail = audit_log_of(settings, database)
        job = logging_job(trail, lambda: 5.0)
        faults = await warn_of_faults(trail)
        for text in texts:
            await play.sends([{"role": "user", "content": text}])
            await job()
        database.close()
        return faults

    assert run(chats("one")) == []
    shutil.copy(file, tmp_path / "old")
    assert run(chats("two", "three")) == []
    kept = memory_of(settings).read()
    assert kept is not None
    assert kept.startswith("quitbutton\n3\n")
    shutil.copy(tmp_path / "old", file)
    caplog.clear()
    assert "rolled back" in run(chats("other"))[0]
    assert "signed no further, since the database was rolled back: it had 3 events" in caplog.text
    run(chats("more", "and more"))
    assert memory_of(settings).read() == kept
    assert "it had 3 events in its log and has 1 now" in run(chats())[0], "nothing was signed meanwhile"


def test_an_unsound_trail_is_said_once_and_raises_nothing(caplog: pytest.LogCaptureFixture) -> None:
    from quitbutton.audit.trail import logging_job

    async def scene() -> None:
        trail = Trail()
        await trail.grows()
        database = trail.case.play.store._database
        await database.write(lambda transaction: transaction.execute("DELETE FROM checkpoints"))
        await trail.case.play.sends([{"role": "user", "content": "one more"}], user="bob")
        job = logging_job(trail.log, lambda: 9.0)
        for _ in range(3):
            await job()

    run(scene())
    assert caplog.text.count("The audit log is signed no further") == 1


@pytest.mark.parametrize("end", ["\u2028", "\u2029", "\x85", "\x1e", "\x0b"])
def test_a_name_with_another_line_end_leaves_a_sound_trail_sound(
    end: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from quitbutton.cli.main import main

    async def scene() -> list[str]:
        trail = Trail()
        database = trail.case.play.store._database
        await trail.case.ends()
        changed = {"model": json.dumps({"model": f"m{end}x"}, ensure_ascii=False)}
        await database.write(lambda transaction: transaction.execute("UPDATE events SET body = :model", changed))
        await trail.log.append(1.0)
        return [line async for line in trail.log.export()]

    export = tmp_path / "trail.jsonl"
    export.write_text("".join(run(scene())), "utf-8")
    assert main(["audit", "verify", str(export)]) == 0, capsys.readouterr().out


def test_a_log_that_grows_while_it_is_exported_or_checked_is_sound() -> None:
    class Busy(AuditLog):
        """Another gateway logs a turn after the last page was read."""

        async def events(self, start: int, limit: int = 500) -> list[Logged]:
            page = await super().events(start, limit)
            if not page:
                await trail.case.play.sends([{"role": "user", "content": f"after {start}"}], user="bob")
                await trail.log.append(4.0)
            return page

    trail = Trail()

    async def scene() -> None:
        await trail.grows()
        busy = Busy(trail.case.play.store._database, trail.signer, trail.log.memory)
        assert trail.problems([line async for line in busy.export()]) == []
        assert (await check_log(busy, is_signed_by)).problems == []

    run(scene())


def test_a_signature_line_ends_at_a_line_feed_alone() -> None:
    key = VerifierKey.read(PETER)
    with pytest.raises(ValueError, match="base64"):
        opened(NOTE[:-1] + "\u2028\n", key, check(key))


def test_an_operator_accepts_a_restored_backup_and_no_log_that_is_not_sound(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from quitbutton.audit.trail import audit_log_of
    from quitbutton.cli.main import main
    from quitbutton.settings.installation import load
    from quitbutton.stores.sql import SQLStore
    from quitbutton.stores.sqlite import SQLite

    where = ["--data", str(tmp_path)]

    async def does(statement: str = "", text: str = "") -> None:
        database = SQLite(tmp_path / "quitbutton.sqlite3")
        play = Play([say("Hi.")], store=SQLStore(database))
        if text:
            await play.says(text)
            await audit_log_of(load(None, {}, data=tmp_path), database).append(5.0)
        if statement:
            await database.write(lambda transaction: transaction.execute(statement))
        database.close()

    run(does(text="one"))
    (tmp_path / "quitbutton.sqlite3").rename(tmp_path / "kept")
    assert main(["audit", "check", *where]) == 1
    assert "a checkpoint covers 1 events, the log has 0" in capsys.readouterr().out
    (tmp_path / "kept").replace(tmp_path / "quitbutton.sqlite3")
    head = (tmp_path / "audit-head.note").read_text()
    (tmp_path / "audit-head.note").unlink()
    assert main(["audit", "check", *where]) == 1
    assert "audit-head.note" in capsys.readouterr().out
    assert main(["audit", "accept", *where]) == 0
    assert capsys.readouterr().out == "accepted: the log goes on from 1 events\n"
    assert (tmp_path / "audit-head.note").read_text() == head
    assert main(["audit", "head", *where]) == 0
    assert capsys.readouterr().out == head
    assert main(["audit", "accept", *where]) == 0
    assert "the note before is" in capsys.readouterr().out
    assert main(["audit", "check", *where]) == 0
    run(does("UPDATE events SET body = '{}'"))
    assert main(["audit", "accept", *where]) == 1
    assert "is not sound in itself" in capsys.readouterr().err
