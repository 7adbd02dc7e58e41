-- What was said, as far as it is kept, behind salted digests; appeals and reviews of ends; whose conversation it is.
-- A reopened branch may end again: an address is unique among the ends in force alone.
CREATE TABLE ends_anew (
    id           TEXT PRIMARY KEY,
    address      {blob} NOT NULL,
    conversation TEXT NOT NULL,
    tenant       TEXT NOT NULL,
    reason       TEXT NOT NULL,
    decided_by   TEXT NOT NULL,
    policy       TEXT NOT NULL,
    message      TEXT NOT NULL,
    explanation  TEXT NOT NULL,
    evidence     TEXT NOT NULL,
    model        TEXT NOT NULL DEFAULT '',
    ended_at     DOUBLE PRECISION NOT NULL,
    reopened_at  DOUBLE PRECISION
);
INSERT INTO ends_anew (id, address, conversation, tenant, reason, decided_by, policy, message, explanation, evidence, ended_at)
SELECT id, address, conversation, tenant, reason, decided_by, policy, message, explanation, evidence, ended_at FROM ends;
DROP TABLE ends;
ALTER TABLE ends_anew RENAME TO ends;
CREATE INDEX ends_conversation ON ends (conversation);
CREATE UNIQUE INDEX ends_in_force ON ends (address) WHERE reopened_at IS NULL;
ALTER TABLE conversations ADD COLUMN root {blob};
CREATE INDEX conversations_root ON conversations (root);
CREATE INDEX ends_ended_at ON ends (ended_at);
CREATE INDEX events_conversation ON events (conversation, seq);

CREATE TABLE words (
    message      TEXT NOT NULL,
    speaker      TEXT NOT NULL CHECK (speaker IN ('user', 'reply')),
    request_id   TEXT NOT NULL,
    tenant       TEXT NOT NULL,
    conversation TEXT NOT NULL,
    salt         {blob} NOT NULL,
    body         TEXT NOT NULL,
    at           DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (message, speaker, request_id)
) {tail};
CREATE INDEX words_conversation ON words (conversation);
CREATE INDEX words_at ON words (at);

CREATE TABLE appeals (
    id         TEXT PRIMARY KEY,
    end_id     TEXT NOT NULL,
    tenant     TEXT NOT NULL,
    source     TEXT NOT NULL CHECK (source IN ('user', 'sample')),
    body       TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('open', 'upheld', 'rejected')),
    opened_at  DOUBLE PRECISION NOT NULL,
    due_at     DOUBLE PRECISION NOT NULL,
    decided_at DOUBLE PRECISION,
    decided_by TEXT,
    reason     TEXT,
    UNIQUE (end_id, source)
) {tail};
CREATE INDEX appeals_state ON appeals (state, due_at);
