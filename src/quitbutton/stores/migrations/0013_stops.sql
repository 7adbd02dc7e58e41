-- Stops that were asked of a process that has no such turn: whichever has it takes them up.
CREATE TABLE stops (
    request_id TEXT PRIMARY KEY,
    tenant     TEXT NOT NULL,
    taken      INTEGER NOT NULL DEFAULT 0,
    at         DOUBLE PRECISION NOT NULL
) {tail};
