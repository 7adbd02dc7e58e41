-- {blob}, {rowid} and {tail} are filled in by each database: its type for bytes, its counting key, its table options.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE turns (
    address      {blob} PRIMARY KEY,
    parent       {blob} NOT NULL,
    base         {blob} NOT NULL,
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
) {tail};
CREATE INDEX turns_parent ON turns (parent);
CREATE INDEX turns_conversation ON turns (conversation);

CREATE TABLE conversations (
    id         TEXT PRIMARY KEY,
    tenant     TEXT NOT NULL,
    head       {blob} NOT NULL,
    created_at DOUBLE PRECISION NOT NULL,
    updated_at DOUBLE PRECISION NOT NULL
) {tail};

CREATE TABLE ends (
    id           TEXT PRIMARY KEY,
    address      {blob} NOT NULL UNIQUE,
    conversation TEXT NOT NULL,
    tenant       TEXT NOT NULL,
    reason       TEXT NOT NULL,
    decided_by   TEXT NOT NULL,
    policy       TEXT NOT NULL,
    message      TEXT NOT NULL,
    explanation  TEXT NOT NULL,
    evidence     TEXT NOT NULL,
    ended_at     DOUBLE PRECISION NOT NULL
);
CREATE INDEX ends_conversation ON ends (conversation);

CREATE TABLE events (
    seq          {rowid},
    at           DOUBLE PRECISION NOT NULL,
    kind         TEXT NOT NULL,
    tenant       TEXT NOT NULL,
    conversation TEXT NOT NULL,
    message      TEXT NOT NULL,
    body         TEXT NOT NULL
);

CREATE TABLE policies (
    digest     TEXT PRIMARY KEY,
    body       TEXT NOT NULL,
    first_seen DOUBLE PRECISION NOT NULL
);

CREATE TABLE receipts (
    request_id TEXT PRIMARY KEY,
    tenant     TEXT NOT NULL,
    body       TEXT NOT NULL,
    at         DOUBLE PRECISION NOT NULL
);

CREATE TABLE feedback (
    id     {rowid},
    tenant TEXT NOT NULL,
    about  TEXT NOT NULL,
    rating TEXT NOT NULL,
    text   TEXT NOT NULL,
    at     DOUBLE PRECISION NOT NULL
);
