"""NOTICE names what is shipped with the package and what it fetches."""

from __future__ import annotations

import re
import tomllib

from quitbutton.upstreams.models import MODELS
from tests.conftest import ROOT

NOTICE = (ROOT / "NOTICE").read_text("utf-8")


def test_every_script_that_is_shipped_is_named() -> None:
    text = (ROOT / "src/quitbutton/gateway/web/vendor/LICENSES.txt").read_text("utf-8")
    shipped = re.findall(r"^=+\n(\S+) \S+ \(.+\)\n=+$", text, re.MULTILINE)
    assert len(shipped) >= 4
    assert [name for name in shipped if name not in NOTICE] == []


def test_every_package_of_weights_is_named_with_its_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    [encoder] = [one for one in project["dependencies"] if "encoder" in one]
    assert encoder.replace("==", " ") in NOTICE
    for model in MODELS.values():
        name = model.wheels[0].partition("==")[0]
        assert name in NOTICE, name
