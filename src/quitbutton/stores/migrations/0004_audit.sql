-- The Merkle log over the events: which event each leaf is, the hashes of whole subtrees, and the signed checkpoints.
CREATE TABLE leaves (
    n   BIGINT PRIMARY KEY,
    seq BIGINT NOT NULL UNIQUE
) {tail};

CREATE TABLE nodes (
    level INTEGER NOT NULL,
    n     BIGINT NOT NULL,
    hash  {blob} NOT NULL,
    PRIMARY KEY (level, n)
) {tail};

CREATE TABLE checkpoints (
    size BIGINT PRIMARY KEY,
    note TEXT NOT NULL,
    at   DOUBLE PRECISION NOT NULL
) {tail};
