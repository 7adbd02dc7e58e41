"""Witnesses remember how far a log had come, and anybody can prove a roll-back with what they cosigned."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from quitbutton.audit.signer import is_signed_by, signer_of
from quitbutton.audit.witness import Cosigner, Folder, Witnesses, witnesses_of
from quitbutton.cli.main import main
from quitbutton.core.audit.exports import verified
from quitbutton.core.audit.signed_note import COSIGNATURE, VerifierKey, cosigned_at
from quitbutton.core.audit.witnesses import WitnessSettings
from quitbutton.core.errors import SettingsError
from quitbutton.stores.audit import NotSound
from quitbutton.stores.checking import check_log
from tests.audit.database import Lived
from tests.audit.witness import Server, Witness

EXAMPLE = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— witness.example.com/w1 "
    "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)
"""The example of the specification of cosignatures."""
ROLLED_BACK = (
    "DELETE FROM events WHERE seq > 5",
    "DELETE FROM leaves WHERE n > 4",
    "DELETE FROM checkpoints WHERE size > 5",
    "DELETE FROM nodes WHERE ((n + 1) * (1 << level)) > 5",
)


@pytest.fixture
def witness(one: Lived) -> Iterator[tuple[Witness, Server]]:
    made = Witness(one.log.signer.key)
    server = Server(made)
    yield made, server
    server.close()


def shown_to(one: Lived, witness: Witness, server: Server) -> Witnesses:
    return Witnesses(one.log, [Cosigner("w1", server.url, witness.key)], lambda: 50.0)


class Known(VerifierKey):
    """The example's key, of which the specification gives the hash alone."""

    @property
    def hash(self) -> bytes:
        return bytes.fromhex("8d66cf3f")


def test_the_example_of_the_specification_is_read_as_it_says() -> None:
    seen: list[bytes] = []
    key = Known("witness.example.com/w1", bytes(32), COSIGNATURE)
    assert cosigned_at(EXAMPLE, key, lambda signature, data: not seen.append(data)) == 1679315147
    assert seen == [b"cosignature/v1\ntime 1679315147\n" + EXAMPLE.partition("\n\n")[0].encode() + b"\n"]


def test_checkpoints_are_cosigned_and_a_stranger_verifies_it(
    one: Lived, witness: tuple[Witness, Server], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def scene() -> list[str]:
        await one.begins()
        shown = shown_to(one, *witness)
        await shown.round()
        await one.says("one more")
        await one.log.append(51.0)
        await shown.round()
        await shown.round()
        assert witness[0].statuses == [200, 200], "what was cosigned is not sent again"
        assert (await check_log(one.log, is_signed_by)).problems == []
        return [line async for line in one.log.export()]

    lines = asyncio.run(scene())
    found = verified(lines, is_signed_by, one.log.signer.key, None, [witness[0].key])
    assert (found.problems, found.witnessed) == ([], {"witness.example/w1": (13, 1_800_000_013)})
    file = tmp_path / "export.jsonl"
    file.write_text("".join(lines), "utf-8")
    other = Witness(one.log.signer.key).key
    unknown = Witness(one.log.signer.key, "witness.example/w3").key
    given = ["audit", "verify", str(file), "--key", one.log.signer.key.text]
    assert main([*given, "--witness", witness[0].key.text]) == 0
    assert "cosigned by witness.example/w1: the first 13 events, at 2027-01-15T08:00:13Z" in capsys.readouterr().out
    assert main([*given, "--witness", other.text]) == 1
    assert "has cosigned no checkpoint of it" in capsys.readouterr().out
    assert main([*given, "--witness", unknown.text]) == 1
    file.write_text(
        "".join(lines).replace(" witness.example/w1 ", " witness.example/w1 ").replace("time 30", "time 31")
    )
    assert main([*given, "--witness", witness[0].key.text]) == 1


def test_a_forged_cosignature_is_named(one: Lived, witness: tuple[Witness, Server]) -> None:
    async def scene() -> list[str]:
        await one.begins()
        await shown_to(one, *witness).round()
        return [line async for line in one.log.export()]

    lines = asyncio.run(scene())
    start = lines[-1].index(" witness.example/w1 ") + 40
    letter = "A" if lines[-1][start] != "A" else "B"
    forged = [*lines[:-1], lines[-1][:start] + letter + lines[-1][start + 1 :]]
    problems = verified(forged, is_signed_by, one.log.signer.key, None, [witness[0].key]).problems
    assert any("the cosignature of witness.example/w1 is not valid" in problem for problem in problems), problems


def test_a_stranger_proves_a_roll_back_with_what_the_witness_saw(one: Lived, witness: tuple[Witness, Server]) -> None:
    async def scene() -> list[str]:
        await one.begins()
        await shown_to(one, *witness).round()
        await one.does(*ROLLED_BACK)
        return [line async for line in one.log.export()]

    lines = asyncio.run(scene())
    assert verified(lines, is_signed_by, one.log.signer.key).problems == [], "by itself it is sound"
    problems = verified(lines, is_signed_by, one.log.signer.key, witness[0].newest, [witness[0].key]).problems
    assert "the trail was rolled back: it had 12 events once and has 5 now" in problems


def test_where_nothing_is_kept_a_witness_tells_and_a_roll_back_is_signed_no_further(
    one: Lived, witness: tuple[Witness, Server], caplog: pytest.LogCaptureFixture
) -> None:
    async def scene() -> None:
        await one.begins()
        await shown_to(one, *witness).round()
        one.log.has_witnesses = True
        one.head.file.unlink()
        await one.says("and another")
        with pytest.raises(NotSound, match="none has answered yet"):
            await one.log.append(60.0)
        await shown_to(one, *witness).round()
        assert await one.log.append(61.0) is not None, "the witness knows this log"
        await one.says("and one more")
        await one.log.append(62.0)
        await shown_to(one, *witness).round()
        one.head.file.unlink()
        await one.does(*ROLLED_BACK)
        await shown_to(one, *witness).round()
        before = await one.notes()
        assert (one.head.read(), one.log.fault) == (None, one.log.doubt)
        assert "has cosigned 14 events, and the log has 5" in (one.log.doubt or "")
        one.head.begin(before[-1])  # whatever is kept
        await one.says("x")
        with pytest.raises(NotSound, match="has cosigned 14 events"):
            await one.log.append(63.0)
        assert await one.notes() == before

    with caplog.at_level(logging.ERROR):
        asyncio.run(scene())
    assert "was rolled back or rewritten" in caplog.text


def test_a_witness_of_another_past_is_believed(one: Lived, witness: tuple[Witness, Server]) -> None:
    async def scene() -> None:
        await one.begins()
        witness[0].size, witness[0].root = 9, bytes(32)
        await shown_to(one, *witness).round()
        assert witness[0].statuses == [409, 422]
        assert "saw another log: its first 9 events were not these" in (one.log.doubt or "")
        await one.says("x")
        with pytest.raises(NotSound, match="saw another log"):
            await one.log.append(60.0)

    asyncio.run(scene())


def test_a_silent_witness_stops_nothing(one: Lived, caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        await one.begins()
        key = Witness(one.log.signer.key).key
        shown = Witnesses(one.log, [Cosigner("w1", "http://127.0.0.1:9", key)], lambda: 50.0)
        await shown.round()
        await shown.round()
        await one.says("x")
        assert await one.log.append(60.0) is not None

    asyncio.run(scene())
    assert caplog.text.count("the witness w1 has not seen the audit log") == 1


def test_a_folder_remembers_too(one: Lived, tmp_path: Path) -> None:
    async def scene() -> None:
        await one.begins()
        shown = Witnesses(one.log, [Folder("worm", tmp_path / "worm")], lambda: 50.0)
        await shown.round()
        await shown.round()
        assert [file.name for file in (tmp_path / "worm").iterdir()] == ["12.note"]
        assert one.log.doubt is None
        await one.does(*ROLLED_BACK)
        await shown.round()
        assert "holds a checkpoint of 12 events, and the log has 5" in (one.log.doubt or "")

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"url": "ftp://witness"}, "url must begin"),
        ({"url": "https://witness"}, "key must be the witness's verifier key"),
        ({"url": "https://witness", "key": signer_of(None, None).key.text}, "it is not a witness's"),
        ({"url": "file:///srv/notes", "key": "x"}, "which has no key"),
        ({"url": "file://host/notes"}, "file:///FOLDER"),
    ],
)
def test_a_table_that_is_wrong_is_refused(given: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        WitnessSettings(**given)


def test_tables_make_witnesses() -> None:
    key = Witness(signer_of(None, None).key).key
    made = witnesses_of({"w": WitnessSettings("https://w.example/x", key.text), "f": WitnessSettings("file:///srv/n")})
    assert made == [Cosigner("w", "https://w.example/x", key), Folder("f", Path("/srv/n"))]
