-- 1 for a message that only came within a longer history, as the last before the newest: no turn of its own, and nobody judged it.
ALTER TABLE turns ADD COLUMN brought INTEGER NOT NULL DEFAULT 0;
