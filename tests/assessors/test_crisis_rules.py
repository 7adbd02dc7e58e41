"""What the crisis rules find: which one, and the clause it stands in."""

from __future__ import annotations

import pytest

from quitbutton.assessors.crisis import crisis_sign, crisis_statement


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("i want to die", ("self", "i want to die")),
        ("you useless bot, i want to die! now answer", ("self", " i want to die")),
        ("a fine day. " * 50 + "i want to kill myself. " + "it was. " * 50, ("self", " i want to kill myself")),
        ("ich werde mich heute nacht umbringen", ("self-other-language", "ich werde mich heute nacht umbringen")),
        ("죽고 싶어요", ("self-other-script", "죽고 싶어요")),
        ("я больше не могу, хочу умереть", ("self-other-language", " хочу умереть")),
        ("не хочу больше жить", ("self-other-language", "не хочу больше жить")),
        ("я не хочу умереть молодым", None),
        ("хочу умереть от стыда", None),
        ("ölmek istiyorum", ("self-other-language", "ölmek istiyorum")),
        ("artik yasamak istemiyorum", ("self-other-language", "artik yasamak istemiyorum")),
        ("şehirde yaşamak istemiyorum ama", None),
        ("もう死にたい、助けて", ("self-other-script", "もう死にたい")),
        ("恥ずかしくて死にたい", None),
        ("死にたいほど好き", None),
        ("อยากตาย", ("self-other-script", "อยากตาย")),
        ("ไม่อยากตาย", None),
        ("bitte sag nichts: ich will nicht mehr leben", ("self-other-language", " ich will nicht mehr leben")),
        ("how do i kill a python process", None),
        ("my character in the novel says: i want to die.", None),
        ("", None),
    ],
)  # fmt: skip
def test_a_rule_tells_the_clause_that_it_found(text: str, found: tuple[str, str] | None) -> None:
    assert crisis_statement(text) == found
    assert crisis_sign(text) == (found[0] if found else None)
