"""Public rows that were labelled anew by reading them, since their own labels say something else."""

from __future__ import annotations

from pathlib import Path

from training.data.authored import FOLDER, targets_of
from training.data.rows import MODES, Raw, Row, read, said_by_user
from training.data.sources import SOURCES

LABELLED = ("counsel_chat", "diasafety", "mlc_v05_vulnerable", "vera_mh")
"""By reading them they are burnt for measuring: see `data/ledger.md`."""


def texts_of(source: str, raw: Raw) -> dict[str, str]:
    """A line's texts by their ids: each turn of a VERA-MH conversation, else the newest message."""
    said = said_by_user(raw)
    if source == "vera_mh":
        return {f"{raw['id']}#{place}": text for place, text in enumerate(said)}
    return {raw["id"]: said[-1]}


def rows(folder: Path, labels: Path = FOLDER / "labels") -> list[Row]:
    """The labelled rows. `folder` holds the public rows, `labels` what was said of them."""
    family = {source.name: source.family for source in SOURCES}
    found = []
    for source in LABELLED:
        known = {label["id"]: label for label in read(labels, source)}
        for raw in read(folder, source):
            for key, text in texts_of(source, raw).items():
                if text.strip() and (label := known.get(key)):
                    found.append(
                        Row(
                            text,
                            source,
                            family[source],
                            f"{source}:{key}",
                            targets_of(label),
                            mode=MODES.index(label["mode"]),
                            kind=f"read: {label['crisis']}",
                        )
                    )
    return found
