-- What turns on a ladder are known again by where a client sends its history rewritten: keyed digests of lines, 8 bytes each.
CREATE TABLE traces (
    root         {blob} NOT NULL,
    tail         {blob} NOT NULL,
    address      {blob} NOT NULL,
    conversation TEXT NOT NULL,
    words        {blob} NOT NULL,
    reply        {blob} NOT NULL,
    said         {blob} NOT NULL,
    users        INTEGER NOT NULL,
    alone        INTEGER NOT NULL,
    opening      {blob} NOT NULL,
    at           DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (root, tail, address, said)
) {tail};
CREATE INDEX traces_conversation ON traces (conversation);
CREATE INDEX traces_at ON traces (at);
