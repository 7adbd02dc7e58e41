-- Rows at the end of their table, and small indexes over them: a turn's random key then moves a page of an index, not one of
-- rows, and fewer pages lie on the way to it.
CREATE TABLE turns_anew (
    address      BLOB NOT NULL PRIMARY KEY,
    parent       BLOB NOT NULL,
    base         BLOB NOT NULL,
    conversation TEXT NOT NULL,
    rung         TEXT NOT NULL CHECK (rung IN ('open', 'redirected', 'warned', 'ended')),
    redirections INTEGER NOT NULL,
    clean_turns  INTEGER NOT NULL,
    crisis_turns INTEGER NOT NULL,
    asked        INTEGER NOT NULL,
    evidence     TEXT NOT NULL,
    end_id       TEXT,
    created_at   DOUBLE PRECISION NOT NULL,
    updated_at   DOUBLE PRECISION NOT NULL,
    CHECK ((rung = 'ended') = (end_id IS NOT NULL))
);
INSERT INTO turns_anew (address, parent, base, conversation, rung, redirections, clean_turns, crisis_turns, asked, evidence,
                        end_id, created_at, updated_at)
SELECT address, parent, base, conversation, rung, redirections, clean_turns, crisis_turns, asked, evidence, end_id, created_at,
       updated_at
FROM turns;
DROP TABLE turns;
ALTER TABLE turns_anew RENAME TO turns;
CREATE INDEX turns_parent ON turns (parent);
CREATE INDEX turns_end ON turns (end_id) WHERE end_id IS NOT NULL;
CREATE INDEX turns_ended ON turns (address) WHERE rung = 'ended';

CREATE TABLE conversations_anew (
    id         TEXT NOT NULL PRIMARY KEY,
    tenant     TEXT NOT NULL,
    head       BLOB NOT NULL,
    created_at DOUBLE PRECISION NOT NULL,
    updated_at DOUBLE PRECISION NOT NULL,
    root       BLOB,
    rung       TEXT NOT NULL DEFAULT 'open',
    is_draft   INTEGER NOT NULL DEFAULT 0
);
INSERT INTO conversations_anew (id, tenant, head, created_at, updated_at, root, rung, is_draft)
SELECT id, tenant, head, created_at, updated_at, root, rung, is_draft FROM conversations;
DROP TABLE conversations;
ALTER TABLE conversations_anew RENAME TO conversations;
CREATE INDEX conversations_updated ON conversations (updated_at, id);
CREATE INDEX conversations_rung ON conversations (rung, updated_at, id);
