-- Who is told of events, how far each is in the record, and what is on its way.
CREATE TABLE webhooks (
    id         TEXT PRIMARY KEY,
    url        TEXT NOT NULL,
    types      TEXT NOT NULL,
    secret     TEXT NOT NULL,
    seen       BIGINT NOT NULL,
    created_at DOUBLE PRECISION NOT NULL
) {tail};

CREATE TABLE deliveries (
    id         TEXT PRIMARY KEY,
    webhook    TEXT NOT NULL,
    type       TEXT NOT NULL,
    body       TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'dead')),
    attempts   INTEGER NOT NULL,
    next_at    DOUBLE PRECISION NOT NULL,
    created_at DOUBLE PRECISION NOT NULL,
    status     INTEGER,
    error      TEXT
) {tail};
CREATE INDEX deliveries_due ON deliveries (state, next_at);
CREATE INDEX deliveries_webhook ON deliveries (webhook, created_at);
