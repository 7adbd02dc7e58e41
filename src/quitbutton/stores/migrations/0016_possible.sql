-- Turns for which a possible crisis still keeps anything from warning and ending.
ALTER TABLE turns ADD COLUMN possible_turns INTEGER NOT NULL DEFAULT 0;
