-- Where a reply was given, so that a request can go on from its id when the provider keeps the history.
CREATE TABLE replies (
    owner        {blob} NOT NULL,
    id           TEXT NOT NULL,
    address      {blob} NOT NULL,
    conversation TEXT NOT NULL,
    upstream_id  TEXT,
    upstream     TEXT NOT NULL,
    owed         TEXT,
    at           DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (owner, id)
) {tail};
CREATE INDEX replies_address ON replies (owner, address, at);
