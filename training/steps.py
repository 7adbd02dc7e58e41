"""The steps of the training, each by its name on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from training import branch, export, languages, messages, replies, scores
from training.branch import Judged
from training.cache import Cache
from training.data import authored, pool
from training.data.replies import Reply
from training.data.replies import replies as all_replies
from training.data.rows import Row
from training.folds import FOLDS
from training.progress import say
from training.scores import LeftOut

FINAL_SEED = 100


@dataclass
class Steps:
    """The data, read once, and what is done with it."""

    data: Path
    folder: Path
    fold: int | None = None

    @cached_property
    def talks(self) -> list[authored.Talk]:
        """The conversations written for the project."""
        return authored.talks()

    @cached_property
    def rows(self) -> list[Row]:
        """What the reader of messages is trained and measured on."""
        return pool.pool(self.data, self.talks)

    @cached_property
    def answers(self) -> list[Reply]:
        """What the reader of replies is trained and measured on."""
        return all_replies(self.data, self.talks)

    @cached_property
    def cache(self) -> Cache:
        """Results about messages."""
        return Cache(self.folder, pool.digest(self.rows))

    @cached_property
    def reply_cache(self) -> Cache:
        """Results about replies."""
        return Cache(self.folder, pool.digest(self.answers))

    def features(self) -> None:
        """First-layer features of messages and replies."""
        messages.store(self.folder, self.rows)
        replies.store(self.folder, self.answers)
        say(f"{len(self.rows)} rows, {len(self.answers)} replies")

    def fit(self) -> None:
        """The network on all rows."""
        if not self.cache.has("network"):
            store = messages.store(self.folder, self.rows)
            network = messages.fitted(self.rows, store, np.arange(len(self.rows)), FINAL_SEED)
            self.cache.keep("network", network.exported())

    def folds(self) -> None:
        """What networks read that did not learn it."""
        for number in range(len(FOLDS)) if self.fold is None else (self.fold,):
            if not self.cache.has(f"scores{number}"):
                scores.run_fold(number, self.rows, messages.store(self.folder, self.rows), self.cache)

    @cached_property
    def left_out(self) -> LeftOut:
        """Every row by a network that learned neither it nor its family."""
        return scores.left_out(self.rows, self.cache)

    @cached_property
    def judged(self) -> Judged:
        """The layers over the branch, and every conversation by a layer that learned neither its author nor its family."""
        read = self.left_out.read
        return branch.fitted(self.talks, branch.reads_by_talk(self.rows, read, self.talks), self.rows, read)

    def branch(self) -> None:
        """The layer over the branch, and the thresholds, said aloud."""
        say(f"thresholds: {branch.thresholds_of(self.judged)}")

    def replies(self) -> None:
        """The reader of replies on all of them, and by source left out."""
        if self.reply_cache.has("replies"):
            return
        store = replies.store(self.folder, self.answers)
        self.reply_cache.keep("reply_scores", {"logits": replies.left_out_logits(self.answers, store)})
        network = replies.fitted(self.answers, store, np.arange(len(self.answers)), FINAL_SEED)
        self.reply_cache.keep("replies", network.exported())

    def export(self) -> None:
        """The shipped weights of both readers."""
        arrays = self.cache.load("network", "fit")
        layer = self.judged.layer
        eyes = languages.eyes(self.judged.scored, branch.thresholds_by_fold(self.judged))
        meta = export.reader_meta(self.cache.digest, branch.thresholds_of(self.judged), eyes)
        export.write("reader", arrays | layer.arrays(), meta)
        answers = self.reply_cache.load("replies", "replies")
        logits = self.reply_cache.load("reply_scores", "replies")["logits"]
        limits = replies.thresholds_of(self.answers, logits)
        export.write("replies", answers, export.replies_meta(self.reply_cache.digest, limits))

    def report(self) -> None:
        """The measured parts of the pages."""
        from training.report.page import write  # noqa: PLC0415 - only this step needs it

        reply_logits = self.reply_cache.load("reply_scores", "replies")["logits"]
        write(self.rows, self.left_out, self.judged, self.answers, reply_logits)
