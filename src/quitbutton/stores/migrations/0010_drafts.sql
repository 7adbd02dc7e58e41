-- What a policy in shadow would have decided is in no list and no sample of what was done.
ALTER TABLE ends ADD COLUMN is_draft INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN is_draft INTEGER NOT NULL DEFAULT 0;
