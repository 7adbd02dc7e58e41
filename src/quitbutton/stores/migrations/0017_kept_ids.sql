-- Whose a response or conversation is that a provider keeps: of the key through which it was made. What was made so far stands
-- among the replies.
CREATE TABLE kept_ids (
    id       TEXT NOT NULL PRIMARY KEY,
    owner    {blob} NOT NULL,
    upstream TEXT NOT NULL,
    at       DOUBLE PRECISION NOT NULL
) {tail};
INSERT INTO kept_ids (id, owner, upstream, at) SELECT id, owner, upstream, at FROM replies WHERE TRUE ORDER BY at DESC
ON CONFLICT (id) DO NOTHING;
