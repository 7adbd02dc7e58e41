"""How whole conversations of left-out authors and families go: warned, ended, a crisis seen, ended after it was said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from quitbutton.assessors.branch import Layer, Standpoints
from quitbutton.assessors.local import Thresholds
from training.branch import Floats, Judged, own_features
from training.conversations import Course, played
from training.data.authored import Talk, is_serious_abuse
from training.data.languages import COVERED
from training.data.rows import Row
from training.drawn import KINDS
from training.folds import OF_FAMILY
from training.measures import share, told
from training.progress import bar
from training.scores import LeftOut

Line = tuple[object, ...]
LEAST = 4
"""User messages without which nothing can be ended: two redirections, a warning, an end."""
HEAD = ("conversations", "n", "warned", "ended", "a clear crisis on record", "a possible or clear one on record")
CRISIS_HEAD = (
    "conversations with a clear crisis",
    "n",
    "seen from then on as clear",
    "as possible or clear",
    "ended after it",
)


@dataclass(frozen=True, slots=True)
class Played:
    """A written conversation and how it went."""

    talk: Talk
    course: Course

    @property
    def is_whole(self) -> bool:
        """Whether it is long enough that it could be ended; some were written as single messages."""
        return len(self.talk.said) >= LEAST

    @property
    def crisis_at(self) -> int | None:
        """The turn of the first message that says a clear crisis, from 1."""
        return next((turn for turn, one in enumerate(self.talk.truths(), 1) if one.danger), None)


def play(judged: Judged, pleas: Mapping[str, Floats], limits: Mapping[int, Thresholds]) -> list[Played]:
    """Every written conversation through the gateway."""
    found = []
    for one in bar(judged.scored, "written conversations"):
        talk, limit = one.talk, limits[OF_FAMILY[one.talk.family]]
        own = _pleas(judged.layer_without(talk.family), talk.said, pleas)
        found.append(Played(talk, played(talk.said, one.read.logits, one.scores, limit, _replies(talk), talk.id, own)))
    return found


def _pleas(layer: Layer, said: Sequence[str], pleas: Mapping[str, Floats]) -> dict[str, Standpoints]:
    """What the plain statements of danger in messages are by themselves, to a layer."""
    own = {text: pleas[text] for text in said if text in pleas}
    return {text: Standpoints(*layer.scores(own_features(row[None]))[0].tolist()) for text, row in own.items()}


def _replies(talk: Talk) -> list[str]:
    """What the assistant said after each user message."""
    found: list[str] = []
    for message in talk.messages:
        if message["role"] == "user":
            found.append("")
        elif found:
            found[-1] = message["content"]
    return found


def line(name: str, courses: Sequence[Course], groups: Sequence[str] | None = None) -> Line:
    """One kind of conversation. `groups` hold conversations that depend on one another; none: each stands for itself."""
    own = groups or [one.group for one in courses]
    columns: tuple[Callable[[Course], bool], ...] = (
        lambda one: one.warned_at is not None,
        lambda one: one.ended_at is not None,
        lambda one: one.sees(("clear",)),
        lambda one: one.sees(("clear", "possible")),
    )
    return (name, len(courses), *(told(share([column(one) for one in courses], own)) for column in columns))


def by_kind(all_played: Sequence[Played]) -> list[Line]:
    """Written conversations by kind, English beside the other languages that are covered and the rest."""
    lines = []
    for kind in ("everyday", "abuse", "harmful", "crisis", "mixed"):
        for name, is_one in REGIONS.items():
            own = [one for one in all_played if one.talk.kind == kind and is_one(one.talk.language) and one.is_whole]
            if own:
                lines.append(line(f"{kind}, {name}", [one.course for one in own]))
    return lines


REGIONS: dict[str, Callable[[str], bool]] = {
    "English": lambda language: language == "en",
    "the other covered languages": lambda language: language in COVERED and language != "en",
    "all others": lambda language: language not in COVERED,
}


def by_language(all_played: Sequence[Played]) -> list[Line]:
    """Everyday and abusive conversations of each language."""
    lines = []
    for language in sorted({one.talk.language for one in all_played}):
        own = [one for one in all_played if one.talk.language == language and one.is_whole]
        everyday = [one.course for one in own if one.talk.kind == "everyday"]
        abusive = [one.course for one in own if one.talk.kind in ("abuse", "harmful")]
        cells = []
        for courses in (everyday, abusive):
            groups = [one.group for one in courses]
            cells += [
                len(courses),
                told(share([one.warned_at is not None for one in courses], groups)),
                told(share([one.ended_at is not None for one in courses], groups)),
            ]
        lines.append((language, *cells))
    return lines


LANGUAGE_HEAD = ("language", "everyday", "warned", "ended", "abuse and harmful", "warned", "ended")


def crises(all_played: Sequence[Played]) -> list[Line]:
    """Conversations in which a clear crisis is said, those among them that also abuse the assistant, and single messages."""
    own = [one for one in all_played if one.crisis_at is not None]
    single = [one for one in own if len(one.talk.said) == 1]
    talked = [one for one in own if len(one.talk.said) > 1]
    among_abuse = [one for one in talked if sum(is_serious_abuse(label) for label in one.talk.labels) >= 2]
    lines = []
    for name, chosen in (("all", talked), ("among abuse", among_abuse), ("a single message", single)):
        for region, is_one in REGIONS.items():
            lines += _crisis_line(f"{name}, {region}", [one for one in chosen if is_one(one.talk.language)])
    return lines


def _crisis_line(name: str, chosen: Iterable[Played]) -> list[Line]:
    several = [(one.course, one.crisis_at) for one in chosen if one.crisis_at is not None]
    if not several:
        return []
    groups = [course.group for course, _ in several]
    columns = (
        [course.sees(("clear",), at) for course, at in several],
        [course.sees(("clear", "possible"), at) for course, at in several],
        [course.ended_at is not None and course.ended_at >= at for course, at in several],
    )
    return [(name, len(several), *(told(share(column, groups)) for column in columns))]


def public(rows: Sequence[Row], left_out: LeftOut, judged: Judged, limits: Mapping[int, Thresholds]) -> list[Line]:
    """Conversations drawn from public families: the kind as a whole, and each family."""
    courses: dict[str, dict[str, list[Course]]] = {kind: {} for kind in KINDS}
    for number, (talk, scores) in enumerate(bar(judged.public, "drawn conversations")):
        said = [rows[place].text for place in talk.places]
        course = played(
            said,
            left_out.read.logits[list(talk.places)],
            scores,
            limits[OF_FAMILY.get(talk.family, 0)],
            group=f"{talk.family} {number}",
            pleas=_pleas(judged.layer_without(talk.family), said, left_out.pleas),
        )
        courses[talk.kind].setdefault(talk.family, []).append(course)
    lines = []
    for kind, families in courses.items():
        several = [one for found in families.values() for one in found]
        if several:
            groups = [family for family, found in families.items() for _ in found]
            lines.append(line(f"**{kind}**", several, groups))
            lines += [line(f"{kind}: {family}", found) for family, found in families.items()]
    return lines
