-- The operators' console: counts by day, which event a request became, and indexes for its lists.
-- Clean turns are most of the record and in no list by kind, so that they cost the index nothing.
CREATE TABLE daily (
    day   INTEGER NOT NULL,
    mode  TEXT NOT NULL,
    name  TEXT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (day, mode, name)
) {tail};
CREATE TABLE requests (
    id  TEXT PRIMARY KEY,
    seq BIGINT NOT NULL
) {tail};
INSERT INTO meta (name, value) VALUES ('counted', '0') ON CONFLICT (name) DO NOTHING;
CREATE INDEX events_kind ON events (kind, at, seq) WHERE kind <> 'turn.pass';
-- Where its newest turn stands, beside the conversation: a list by rung must not pass over all turns that once stood there.
ALTER TABLE conversations ADD COLUMN rung TEXT NOT NULL DEFAULT 'open';
UPDATE conversations SET rung = COALESCE((SELECT turns.rung FROM turns WHERE turns.address = conversations.head), 'open');
CREATE INDEX conversations_updated ON conversations (updated_at, id);
CREATE INDEX conversations_rung ON conversations (rung, updated_at, id);
CREATE INDEX turns_end ON turns (end_id) WHERE end_id IS NOT NULL;
CREATE INDEX ends_reason ON ends (reason, ended_at, id);
CREATE INDEX ends_decided_by ON ends (decided_by, ended_at, id);
CREATE INDEX ends_model ON ends (model, ended_at, id);
CREATE INDEX ends_policy ON ends (policy, ended_at, id);
CREATE INDEX receipts_at ON receipts (at);
CREATE INDEX deliveries_created ON deliveries (state, created_at, id);
CREATE INDEX appeals_end ON appeals (end_id);
