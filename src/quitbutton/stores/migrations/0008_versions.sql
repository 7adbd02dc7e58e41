-- Policies as versions, and how far each is rolled out.
CREATE TABLE policy_versions (
    name       TEXT NOT NULL,
    n          INTEGER NOT NULL,
    digest     TEXT NOT NULL,
    body       TEXT NOT NULL,
    author     TEXT NOT NULL,
    note       TEXT NOT NULL,
    created_at DOUBLE PRECISION NOT NULL,
    stage      TEXT NOT NULL CHECK (stage IN ('draft', 'shadow', 'share', 'all', 'retired')),
    share      DOUBLE PRECISION NOT NULL,
    changed_at DOUBLE PRECISION NOT NULL,
    changed_by TEXT NOT NULL,
    PRIMARY KEY (name, n)
) {tail};
