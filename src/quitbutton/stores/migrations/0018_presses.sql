-- What a model said when it pressed is kept as other words are: the speaker `press`.
CREATE TABLE words_anew (
    message      TEXT NOT NULL,
    speaker      TEXT NOT NULL CHECK (speaker IN ('user', 'reply', 'press')),
    request_id   TEXT NOT NULL,
    tenant       TEXT NOT NULL,
    conversation TEXT NOT NULL,
    salt         {blob} NOT NULL,
    body         TEXT NOT NULL,
    at           DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (message, speaker, request_id)
) {tail};
INSERT INTO words_anew (message, speaker, request_id, tenant, conversation, salt, body, at)
SELECT message, speaker, request_id, tenant, conversation, salt, body, at FROM words;
DROP TABLE words;
ALTER TABLE words_anew RENAME TO words;
CREATE INDEX words_conversation ON words (conversation);
CREATE INDEX words_at ON words (at);
