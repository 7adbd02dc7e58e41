-- Turns, ends, events, receipts, replies.

-- name: turns_at
SELECT address, parent, base, rung, redirections, clean_turns, crisis_turns, asked, evidence, end_id, brought,
       possible_turns
FROM turns WHERE address IN (:addresses);

-- name: head_of
SELECT head FROM conversations WHERE id = :id;

-- name: put_turn
INSERT INTO turns (address, parent, base, conversation, rung, redirections, clean_turns, crisis_turns, asked, evidence,
                   end_id, created_at, updated_at, brought, possible_turns)
VALUES (:address, :parent, :base, :conversation, :rung, :redirections, :clean_turns, :crisis_turns, :asked, :evidence,
        :end_id, :at, :at, :brought, :possible_turns)
ON CONFLICT (address) DO UPDATE SET
    rung = excluded.rung, redirections = excluded.redirections, clean_turns = excluded.clean_turns,
    crisis_turns = excluded.crisis_turns, asked = excluded.asked, evidence = excluded.evidence,
    end_id = excluded.end_id, updated_at = excluded.updated_at, brought = excluded.brought,
    possible_turns = excluded.possible_turns;

-- name: ended_at
SELECT address, end_id FROM turns WHERE rung = 'ended' AND address IN (:addresses);

-- name: put_skip
INSERT INTO skips (first, address, path) VALUES (:first, :address, :path) ON CONFLICT (first, address) DO NOTHING;

-- name: path_begins
SELECT 1 FROM turns WHERE address = :first UNION ALL SELECT 1 FROM skips WHERE first = :first LIMIT 1;

-- name: skips_of
SELECT address, path FROM skips WHERE first = :first;

-- name: skips_above
WITH RECURSIVE above (address, parent) AS (
    SELECT address, parent FROM turns WHERE address = :address
    UNION
    SELECT turns.address, turns.parent FROM turns JOIN above ON turns.address = above.parent
)
SELECT skips.path FROM above JOIN skips ON skips.address = above.address;

-- name: above
WITH RECURSIVE above (address, parent) AS (
    SELECT address, parent FROM turns WHERE address = :address
    UNION
    SELECT turns.address, turns.parent FROM turns JOIN above ON turns.address = above.parent
)
SELECT above.address, above.parent, skips.first FROM above LEFT JOIN skips ON skips.address = above.address;

-- name: end_turn
UPDATE turns SET rung = 'ended', end_id = COALESCE(end_id, :end_id), updated_at = :at WHERE address = :address;

-- name: end_descendants
WITH RECURSIVE below (address) AS (
    SELECT address FROM turns WHERE parent = :address
    UNION
    SELECT turns.address FROM turns JOIN below ON turns.parent = below.address
)
UPDATE turns SET rung = 'ended', end_id = :end_id, updated_at = :at
WHERE address IN (SELECT address FROM below) AND rung <> 'ended';

-- name: below
WITH RECURSIVE below (address) AS (
    SELECT address FROM turns WHERE parent = :address
    UNION
    SELECT turns.address FROM turns JOIN below ON turns.parent = below.address
)
SELECT address FROM below;

-- name: traces_at
SELECT x.root, x.address, x.conversation, x.words, x.reply, x.users, x.alone, x.opening, t.rung, t.redirections, x.at
FROM traces x JOIN turns t ON t.address = x.address WHERE x.root = :root AND x.tail IN (:addresses);

-- name: trace_opens
SELECT 1 FROM traces WHERE root = :root AND opening = :opening LIMIT 1;

-- name: has_traces
SELECT 1 FROM traces WHERE root = :root LIMIT 1;

-- name: put_trace
INSERT INTO traces (root, tail, address, conversation, words, reply, said, users, alone, opening, at)
VALUES (:root, :tail, :address, :conversation, :words, :reply, :said, :users, :alone, :opening, :at)
ON CONFLICT (root, tail, address, said) DO NOTHING;

-- name: put_conversation
INSERT INTO conversations (id, tenant, head, root, rung, created_at, updated_at, is_draft)
VALUES (:id, :tenant, :head, :root, :rung, :at, :at, :is_draft)
ON CONFLICT (id) DO UPDATE SET head = excluded.head, rung = excluded.rung, updated_at = excluded.updated_at;

-- name: conversations_of_end
UPDATE conversations SET rung = :rung
WHERE id IN (SELECT conversation FROM turns WHERE end_id = :end_id) AND head IN (SELECT address FROM turns WHERE end_id = :end_id);

-- name: reply
SELECT address, conversation, upstream_id, upstream, owed FROM replies WHERE owner = :owner AND id = :id;

-- name: reply_at
SELECT id, upstream_id, upstream, owed FROM replies WHERE owner = :owner AND address = :address ORDER BY at DESC LIMIT 1;

-- name: put_reply
INSERT INTO replies (owner, id, address, conversation, upstream_id, upstream, owed, at)
VALUES (:owner, :id, :address, :conversation, :upstream_id, :upstream, :owed, :at)
ON CONFLICT (owner, id) DO NOTHING;

-- name: keep_id
INSERT INTO kept_ids (id, owner, upstream, at) VALUES (:id, :owner, :upstream, :at)
ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, upstream = excluded.upstream, at = excluded.at;

-- name: kept_id
SELECT owner, upstream FROM kept_ids WHERE id = :id;

-- name: put_end
INSERT INTO ends (id, address, conversation, tenant, reason, decided_by, policy, message, explanation, evidence, model, ended_at, is_draft)
VALUES (:id, :address, :conversation, :tenant, :reason, :decided_by, :policy, :message, :explanation, :evidence, :model, :at, :is_draft);

-- name: end_by_id
SELECT id, reason, decided_by, ended_at, conversation, message, policy, explanation, evidence, model, reopened_at FROM ends WHERE id = :id;

-- name: ends_of
SELECT id, reason, decided_by, ended_at, conversation, message, policy, explanation, evidence, model, reopened_at FROM ends
WHERE conversation = :conversation ORDER BY ended_at;

-- name: put_event
INSERT INTO events (at, kind, tenant, conversation, message, body)
VALUES (:at, :kind, :tenant, :conversation, :message, :body);

-- name: events_of
SELECT seq, at, kind, message, body FROM events WHERE conversation = :conversation ORDER BY seq;

-- name: conversation
SELECT c.id, t.rung, c.created_at, c.updated_at,
       (SELECT COUNT(DISTINCT message) FROM events WHERE events.conversation = c.id AND message <> '' AND kind <> 'turn.refuse')
FROM conversations c JOIN turns t ON t.address = c.head
WHERE c.id = :id AND c.tenant = :tenant;

-- name: put_policy
INSERT INTO policies (digest, body, first_seen) VALUES (:digest, :body, :at) ON CONFLICT (digest) DO NOTHING;

-- name: put_receipt
INSERT INTO receipts (request_id, tenant, body, at) VALUES (:request_id, :tenant, :body, :at)
ON CONFLICT (request_id) DO NOTHING;

-- name: receipt
SELECT body FROM receipts WHERE request_id = :request_id AND tenant = :tenant;

-- name: put_feedback
INSERT INTO feedback (tenant, about, rating, text, at) VALUES (:tenant, :about, :rating, :text, :at);

-- name: meta
SELECT value FROM meta WHERE name = :name;

-- name: put_meta
INSERT INTO meta (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING;

-- name: probe
INSERT INTO meta (name, value) VALUES ('probe', :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- name: put_stop
INSERT INTO stops (request_id, tenant, at) VALUES (:request_id, :tenant, :at) ON CONFLICT (request_id) DO NOTHING;

-- name: stops
SELECT request_id, tenant FROM stops WHERE taken = 0;

-- name: take_stop
UPDATE stops SET taken = 1 WHERE request_id = :request_id;

-- name: stop_taken
SELECT taken FROM stops WHERE request_id = :request_id;

-- name: drop_stops
DELETE FROM stops WHERE at < :before;
