-- What stands beside the events, to be held against them.

-- name: all_events
SELECT seq, at, kind, tenant, conversation, message, body FROM events WHERE seq > :seq ORDER BY seq LIMIT :limit;

-- name: all_turns
SELECT address, parent, base, rung, redirections, clean_turns, crisis_turns, asked, evidence, end_id, brought,
       possible_turns
FROM turns WHERE address > :after ORDER BY address LIMIT :limit;

-- name: all_ends
SELECT id, address, conversation, tenant, reason, decided_by, policy, message, evidence, model, ended_at, reopened_at, is_draft
FROM ends WHERE id > :after ORDER BY id LIMIT :limit;

-- name: all_appeals
SELECT id, end_id, source, state, opened_at, decided_at, decided_by FROM appeals WHERE id > :after ORDER BY id LIMIT :limit;

-- name: all_words
SELECT message, speaker, request_id, salt, body FROM words
WHERE (message, speaker, request_id) > (:message, :speaker, :request_id) ORDER BY message, speaker, request_id LIMIT :limit;

-- name: all_heads
SELECT c.id, c.head FROM conversations c WHERE c.id > :after ORDER BY c.id LIMIT :limit;

-- name: all_skips
SELECT first, address, path FROM skips WHERE (first, address) > (:first, :address) ORDER BY first, address LIMIT :limit;

-- name: all_ended
SELECT address FROM turns WHERE rung = 'ended' AND address > :after ORDER BY address LIMIT :limit;

-- name: free_below_ended
SELECT t.address FROM turns p JOIN turns t ON t.parent = p.address WHERE p.rung = 'ended' AND t.rung <> 'ended' LIMIT :limit;

-- name: free_at_ends
SELECT ends.id FROM ends LEFT JOIN turns ON turns.address = ends.address
WHERE ends.reopened_at IS NULL AND (turns.rung IS NULL OR turns.rung <> 'ended') ORDER BY ends.id LIMIT :limit;

-- name: ended_for_nothing
SELECT t.address FROM turns t
WHERE t.rung = 'ended' AND NOT EXISTS (SELECT 1 FROM ends e WHERE e.id = t.end_id AND e.reopened_at IS NULL) LIMIT :limit;

-- name: ended_alone
SELECT t.address FROM turns t
WHERE t.rung = 'ended' AND NOT EXISTS (SELECT 1 FROM ends e WHERE e.address = t.address AND e.reopened_at IS NULL)
  AND NOT EXISTS (SELECT 1 FROM turns p WHERE p.address = t.parent AND p.rung = 'ended') LIMIT :limit;

-- name: children_of
SELECT address FROM turns WHERE parent = :address;

-- name: ends_reaching
WITH RECURSIVE above (address, parent) AS (
    SELECT address, parent FROM turns WHERE address = :address
    UNION
    SELECT turns.address, turns.parent FROM turns JOIN above ON turns.address = above.parent
)
SELECT ends.id FROM ends WHERE ends.address IN (SELECT address FROM above) AND ends.reopened_at IS NOT NULL;
