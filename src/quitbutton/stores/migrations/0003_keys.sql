-- API keys, by a keyed digest that is also their tenant; the sessions of people signed in; sign-ins by OIDC under way.
CREATE TABLE keys (
    id                  TEXT PRIMARY KEY,
    digest              TEXT NOT NULL UNIQUE,
    name                TEXT NOT NULL,
    role                TEXT NOT NULL CHECK (role IN ('chat', 'operator', 'auditor')),
    policy              TEXT,
    requests_per_minute INTEGER,
    max_body            BIGINT,
    retention           TEXT CHECK (retention IN ('none', 'exits', 'all')),
    expires_at          DOUBLE PRECISION,
    created_at          DOUBLE PRECISION NOT NULL,
    created_by          TEXT NOT NULL,
    revoked_at          DOUBLE PRECISION,
    last_used_at        DOUBLE PRECISION
);
CREATE INDEX keys_role ON keys (role);

CREATE TABLE sessions (
    digest     TEXT PRIMARY KEY,
    key_digest TEXT,
    name       TEXT NOT NULL,
    role       TEXT NOT NULL CHECK (role IN ('operator', 'auditor')),
    created_at DOUBLE PRECISION NOT NULL,
    seen_at    DOUBLE PRECISION NOT NULL
);
CREATE INDEX sessions_created ON sessions (created_at);

CREATE TABLE sign_ins (
    digest     TEXT PRIMARY KEY,
    nonce      TEXT NOT NULL,
    verifier   TEXT NOT NULL,
    created_at DOUBLE PRECISION NOT NULL
);
