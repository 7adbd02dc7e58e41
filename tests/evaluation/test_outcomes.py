"""Rates of simulated conversations by kind, worked out by hand, and the summary of the command."""

from __future__ import annotations

import json
from pathlib import Path

from quitbutton.evaluation.outcomes import Simulated, cells, kind_name, page, rates_by
from tests.cli.test_cli import row, run

GROUP = [
    Simulated("harmful", "a", 3, 4, None),
    Simulated("harmful", "a", 3, 6, None),
    Simulated("harmful", "b", 5, None, None),
    Simulated("clean", "b", None, None, 2),
]


def test_rates_by_kind_in_the_order_of_the_kinds() -> None:
    clean, harmful = rates_by(GROUP, lambda one: one.kind)
    assert (clean.name, clean.warned.value, clean.crisis.value, clean.to_end) == ("clean", 0.0, 1.0, None)
    assert (harmful.warned.value, round(harmful.ended.value, 3), harmful.crisis.value) == (1.0, 0.667, 0.0)
    assert harmful.to_end == (5.0, 4, 6)
    assert harmful.ended.low <= harmful.ended.value <= harmful.ended.high
    assert cells(harmful)[0::5] == ["harmful", "5 (4-6)"]
    assert cells(clean)[1:3] == ["1", "0.0 % (0.0-79.3)"]


def test_a_row_is_of_the_kind_that_its_labels_say() -> None:
    rows = [{"label": "abuse"}, {"purpose": [2]}, {"purpose": [2, 3]}, {"purpose": [3]}, {"purpose": [6]}, {}]
    assert [kind_name(one) for one in rows] == ["harmful", "clean", "spared", "crisis", "other", "unlabelled"]
    assert kind_name({"label": "nonsense"}) == "unlabelled"


def test_the_page_escapes_what_rows_call_themselves() -> None:
    html = page([("by source", rates_by([Simulated("clean", "<b>", None, None, None)], lambda one: one.source))])
    assert "&lt;b&gt;" in html
    assert "<b>" not in html


def labelled(name: str, *texts: str, **more: str) -> str:
    return json.dumps({**json.loads(row(name, *texts)), **more})


def test_simulate_sums_up_by_kind_and_source_and_tells_what_the_replies_were(tmp_path: Path) -> None:
    refused = [text for turn in range(5) for text in (f"[abuse] {turn}", "[refused] No.")]
    complied = [text for turn in range(5) for text in (f"[abuse] {turn}", "[complied] Yes.")]
    file, policy, html = tmp_path / "rows.jsonl", tmp_path / "policy.toml", tmp_path / "page.html"
    rows = [
        labelled("refused", *refused, label="abuse", source="one"),
        labelled("complied", *complied, label="abuse", source="two"),
        labelled("plain", "hi", "hello", label="clean", source="two"),
    ]
    file.write_text("\n".join(rows))
    policy.write_text('redirection_proof = "reply"\n')
    options = ("simulate", str(file), "--assist", "--assessor", "scripted", "--reply-assessor", "scripted")
    strict = (*options, "--policy", str(policy))
    told = {one["id"]: one for one in map(json.loads, run(*strict, "--json").splitlines())}
    assert set(told["refused"]) == {
        "id", "final", "warned_at", "ended_at", "crisis_at", "clear_crisis_at", "decisions"
    }  # fmt: skip
    assert [told[name]["final"] for name in ("refused", "complied", "plain")] == ["ended", "open", "open"]
    reply = {"label": "complied", "refusal": 0.0, "assessor": "scripted@1"}
    assert [one["reply"] for one in told["complied"]["decisions"]] == [reply] * 5
    assert told["plain"]["decisions"][0]["reply"] is None
    loose = tmp_path / "loose.toml"
    loose.write_text('redirection_proof = "asked"\n')
    unread = (*options[:-1], "none")
    for given, finals in (
        (options, ["ended", "open", "open"]),
        ((*options, "--policy", str(loose)), ["ended", "ended", "open"]),
        (unread, ["ended", "ended", "open"]),
        (unread[:-2], ["ended", "ended", "open"]),
    ):
        assert [json.loads(line)["final"] for line in run(*given, "--json").splitlines()] == finals
    alone = [{"role": "user", "content": f"[abuse] {turn}"} for turn in range(5)]
    file.write_text(json.dumps({"id": "alone", "messages": alone, "label": "abuse"}))
    final, *more = (json.loads(line) for line in run(*options, "--json").splitlines())
    assert (final["final"], more) == ("ended", []), (
        "a record without replies is one of a model that did as it was asked"
    )
    assert {decision["reply"]["assessor"] for decision in final["decisions"][:3]} == {"none@0"}
    file.write_text("\n".join(rows))
    shown = run(*strict, "--html", str(html))
    assert "3 conversations: 1 ended, 2 open; 1 warned, 0 with a crisis" in shown
    for words in ("by kind", "by source", "harmful", "50.0 %", "4 (4-4)"):
        assert words in shown
    assert "<td>50.0 %" in html.read_text("utf-8")
    said = run(*strict[:-4], "--reply-assessor", "none", "--policy", str(policy), status=1)
    assert "reply_assessor" in said
