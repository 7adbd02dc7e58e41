-- What the operators' console lists, counts and looks up. Pages go on from the last row (time, id), by an index.

-- name: lock_counted
UPDATE meta SET value = value WHERE name = 'counted';

-- name: move_counted
UPDATE meta SET value = :value WHERE name = 'counted';

-- name: events_to_count
SELECT seq, at, kind, body FROM events WHERE seq > :seen AND seq <= :settled ORDER BY seq LIMIT :limit;

-- name: is_uncounted
SELECT 1 FROM events WHERE seq > (SELECT CAST(value AS BIGINT) FROM meta WHERE name = 'counted') AND seq <= :settled LIMIT 1;

-- name: uncounted
SELECT COALESCE((SELECT MAX(seq) FROM events), 0) - (SELECT CAST(value AS BIGINT) FROM meta WHERE name = 'counted');

-- name: add_to_day
INSERT INTO daily (day, mode, name, count) VALUES (:day, :mode, :name, :count)
ON CONFLICT (day, mode, name) DO UPDATE SET count = daily.count + excluded.count;

-- name: put_request
INSERT INTO requests (id, seq) VALUES (:id, :seq) ON CONFLICT (id) DO UPDATE SET seq = excluded.seq;

-- name: daily
SELECT day, mode, name, count FROM daily WHERE day >= :first AND day <= :last ORDER BY day;

-- name: daily_of
SELECT day, mode, name, count FROM daily WHERE name = :name ORDER BY day;

-- name: first_day
SELECT MIN(day) FROM daily;

-- name: stops_by_day
WITH RECURSIVE days (day) AS (
    SELECT CAST(:first AS BIGINT) UNION ALL SELECT day + 1 FROM days WHERE day < :last
)
SELECT day, (SELECT COUNT(*) FROM receipts WHERE at >= day * 86400.0 AND at < (day + 1) * 86400.0) FROM days;

-- name: open_appeals
SELECT COUNT(*), COALESCE(SUM(CASE WHEN due_at < :now THEN 1 ELSE 0 END), 0) FROM appeals WHERE state = 'open';

-- name: deliveries_by_state
SELECT COUNT(*) FROM deliveries WHERE state = :state;

-- name: recent_conversations
SELECT c.id, t.rung, t.redirections, t.crisis_turns, t.possible_turns, c.created_at, c.updated_at, c.tenant
FROM conversations c JOIN turns t ON t.address = c.head
WHERE c.is_draft = 0 AND c.updated_at >= :since AND (c.updated_at < :before OR (c.updated_at = :before AND c.id < :before_id))
ORDER BY c.updated_at DESC, c.id DESC LIMIT :limit;

-- name: conversations_on_rung
SELECT c.id, t.rung, t.redirections, t.crisis_turns, t.possible_turns, c.created_at, c.updated_at, c.tenant
FROM conversations c JOIN turns t ON t.address = c.head
WHERE c.rung = :rung AND c.is_draft = 0 AND c.updated_at >= :since
    AND (c.updated_at < :before OR (c.updated_at = :before AND c.id < :before_id))
ORDER BY c.updated_at DESC, c.id DESC LIMIT :limit;

-- name: ends_page
SELECT id, reason, decided_by, ended_at, conversation, message, policy, explanation, evidence, model, reopened_at FROM ends
WHERE is_draft = 0 AND ended_at >= :since AND (ended_at < :before OR (ended_at = :before AND id < :before_id)) {filters}
ORDER BY ended_at DESC, id DESC LIMIT :limit;

-- name: events_page
SELECT seq, at, kind, conversation, message, body FROM events
WHERE kind = :kind AND kind <> 'turn.pass' AND at >= :since AND (at < :before OR (at = :before AND seq < :before_seq))
ORDER BY at DESC, seq DESC LIMIT :limit;

-- name: presses_at
SELECT message, request_id, body FROM words WHERE speaker = 'press' AND message IN (:addresses);

-- name: conversation_row
SELECT c.id, t.rung, t.redirections, t.crisis_turns, t.possible_turns, c.created_at, c.updated_at, c.tenant
FROM conversations c JOIN turns t ON t.address = c.head WHERE c.id = :id;

-- name: ladder_page
SELECT seq, at, kind, message, body FROM events WHERE conversation = :conversation AND seq < :before
ORDER BY seq DESC LIMIT :limit;

-- name: words_between
SELECT message, request_id, speaker, body FROM words
WHERE conversation = :conversation AND at >= :first AND at <= :last;

-- name: turn_near
SELECT address, parent, conversation, brought FROM turns WHERE address >= :from AND address < :to LIMIT 1;

-- name: appeals_of_conversation
SELECT a.id, a.end_id, a.tenant, a.source, a.body, a.state, a.opened_at, a.due_at, a.decided_at, a.decided_by, a.reason
FROM ends e JOIN appeals a ON a.end_id = e.id WHERE e.conversation = :conversation;

-- name: conversation_exists
SELECT id FROM conversations WHERE id = :id;

-- name: request_place
SELECT e.conversation, e.message FROM requests r JOIN events e ON e.seq = r.seq WHERE r.id = :id;

-- name: key_name
SELECT name FROM keys WHERE digest = :digest;

-- name: names_of_models
WITH RECURSIVE names (name) AS (
    SELECT MIN(model) FROM ends
    UNION ALL
    SELECT (SELECT MIN(model) FROM ends WHERE model > names.name) FROM names WHERE names.name IS NOT NULL
)
SELECT name FROM names WHERE name IS NOT NULL LIMIT 100;

-- name: names_of_policies
WITH RECURSIVE names (name) AS (
    SELECT MIN(policy) FROM ends
    UNION ALL
    SELECT (SELECT MIN(policy) FROM ends WHERE policy > names.name) FROM names WHERE names.name IS NOT NULL
)
SELECT name FROM names WHERE name IS NOT NULL LIMIT 100;
