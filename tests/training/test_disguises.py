"""Normalisation against the disguises that the report measures, on a harmless sentence."""

from __future__ import annotations

import pytest

from quitbutton.assessors.normal import fold
from quitbutton.training.disguises import DISGUISES

PLAIN = "Please water the orange flowers tonight"


@pytest.mark.parametrize("name", DISGUISES)
def test_a_disguise_hides_and_normalisation_reveals(name: str) -> None:
    hidden = DISGUISES[name](PLAIN)
    assert hidden != PLAIN
    if name != "stretched letters":
        assert fold(hidden).replace(" ", "") == fold(PLAIN).replace(" ", "")
