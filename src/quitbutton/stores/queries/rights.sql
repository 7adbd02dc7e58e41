-- Words that are kept, statements, appeals.

-- name: put_words
INSERT INTO words (message, speaker, request_id, tenant, conversation, salt, body, at)
VALUES (:message, :speaker, :request_id, :tenant, :conversation, :salt, :body, :at)
ON CONFLICT (message, speaker, request_id) DO NOTHING;

-- name: words_of
SELECT message, speaker, request_id, salt, body, at FROM words WHERE conversation = :conversation
ORDER BY at, speaker DESC;

-- name: erased_since
SELECT seq FROM events WHERE kind = 'words.erased' AND kind <> 'turn.pass' AND at >= :began AND conversation = :conversation LIMIT 1;

-- name: erase_words
DELETE FROM words WHERE conversation = :conversation;

-- name: erase_traces
DELETE FROM traces WHERE conversation = :conversation;

-- name: drop_old_traces
DELETE FROM traces WHERE at < :before;

-- name: erase_explanations
UPDATE ends SET explanation = '' WHERE conversation = :conversation;

-- name: erase_appeal_texts
UPDATE appeals SET body = '', reason = '' WHERE end_id IN (SELECT id FROM ends WHERE conversation = :conversation);

-- name: erase_feedback
DELETE FROM feedback WHERE about IN (SELECT id FROM ends WHERE conversation = :conversation);

-- name: erase_feedback_about
DELETE FROM feedback WHERE about = :about;

-- name: bodies_of
SELECT body FROM events WHERE conversation = :conversation;

-- name: drop_old_words
DELETE FROM words WHERE at < :before;

-- name: old_words
SELECT COUNT(*) FROM words WHERE at < :before;

-- name: conversations_of_root
WITH RECURSIVE below (address, conversation) AS (
    SELECT address, conversation FROM turns WHERE parent = :root
    UNION
    SELECT turns.address, turns.conversation FROM turns JOIN below ON turns.parent = below.address
)
SELECT DISTINCT conversation FROM below;

-- name: tenants
SELECT DISTINCT tenant FROM conversations;

-- name: times_of
SELECT message, MIN(at) FROM events WHERE conversation = :conversation GROUP BY message;

-- name: policy
SELECT body FROM policies WHERE digest = :digest;

-- name: put_appeal
INSERT INTO appeals (id, end_id, tenant, source, body, state, opened_at, due_at)
VALUES (:id, :end_id, :tenant, :source, :body, 'open', :at, :due_at) ON CONFLICT (end_id, source) DO NOTHING;

-- name: appeal
SELECT id, end_id, tenant, source, body, state, opened_at, due_at, decided_at, decided_by, reason
FROM appeals WHERE id = :id;

-- name: appeals_of_end
SELECT id, end_id, tenant, source, body, state, opened_at, due_at, decided_at, decided_by, reason
FROM appeals WHERE end_id = :end_id;

-- name: appeals_in
SELECT id, end_id, tenant, source, body, state, opened_at, due_at, decided_at, decided_by, reason
FROM appeals WHERE state = :state AND (due_at > :after OR (due_at = :after AND id > :after_id))
ORDER BY due_at, id LIMIT :limit;

-- name: decide_appeal
UPDATE appeals SET state = :state, decided_at = :at, decided_by = :by, reason = :reason WHERE id = :id AND state = 'open';

-- name: reopen_turns
UPDATE turns SET rung = 'open', end_id = NULL, redirections = 0, clean_turns = 0, asked = 0, evidence = '[]',
    updated_at = :at
WHERE end_id = :end_id;

-- name: turns_of_end
SELECT address FROM turns WHERE end_id = :end_id;

-- name: below_ends
SELECT t.address, p.end_id FROM turns t JOIN turns p ON p.address = t.parent
WHERE t.rung <> 'ended' AND p.rung = 'ended' AND t.address IN (:addresses);

-- name: paths_of
SELECT address, path FROM skips WHERE address IN (:addresses);

-- name: end_above
WITH RECURSIVE above (address, parent) AS (
    SELECT address, parent FROM turns WHERE address = :address
    UNION
    SELECT turns.address, turns.parent FROM turns JOIN above ON turns.address = above.parent
)
SELECT turns.end_id FROM above JOIN turns ON turns.address = above.address
WHERE turns.end_id IS NOT NULL AND turns.end_id <> :end_id LIMIT 1;

-- name: hold_above
WITH RECURSIVE above (address, parent) AS (
    SELECT address, parent FROM turns WHERE address = :address
    UNION
    SELECT turns.address, turns.parent FROM turns JOIN above ON turns.address = above.parent
)
UPDATE turns SET updated_at = updated_at WHERE address IN (SELECT address FROM above);

-- name: hand_on_turns
UPDATE turns SET end_id = :other, updated_at = :at WHERE end_id = :end_id;

-- name: reopen_end
UPDATE ends SET reopened_at = :at WHERE id = :end_id;

-- name: tenant_of_end
SELECT tenant, address FROM ends WHERE id = :id;

-- name: ends_to_sample
SELECT id, tenant FROM ends WHERE is_draft = 0 AND ended_at >= :since AND id NOT IN (SELECT end_id FROM appeals WHERE source = 'sample');

-- name: reviewed_ends
SELECT ends.policy, ends.model, ends.reason, appeals.source, appeals.state FROM appeals JOIN ends ON ends.id = appeals.end_id
WHERE appeals.state <> 'open' AND ends.ended_at >= :since;
