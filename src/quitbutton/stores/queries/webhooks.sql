-- Webhooks and their deliveries.

-- name: put_webhook
INSERT INTO webhooks (id, url, types, secret, seen, created_at)
VALUES (:id, :url, :types, :secret, (SELECT COALESCE(MAX(seq), 0) FROM events), :at);

-- name: webhooks
SELECT id, url, types, secret, created_at, seen FROM webhooks ORDER BY created_at, id;

-- name: drop_webhook
DELETE FROM webhooks WHERE id = :id;

-- name: drop_deliveries
DELETE FROM deliveries WHERE webhook = :id;

-- name: events_after
SELECT seq, at, kind, conversation, message, body FROM events
WHERE seq > :seen AND seq <= :settled ORDER BY seq LIMIT :limit;

-- name: seen
UPDATE webhooks SET seen = :seen WHERE id = :id AND seen = :before;

-- name: webhook_seen
SELECT seen FROM webhooks WHERE id = :id;

-- name: put_delivery
INSERT INTO deliveries (id, webhook, type, body, state, attempts, next_at, created_at)
VALUES (:id, :webhook, :type, :body, 'waiting', 0, :at, :at) ON CONFLICT (id) DO NOTHING;

-- name: due_deliveries
SELECT id, webhook, type, body, state, attempts, next_at, created_at, status, error FROM deliveries
WHERE state = 'waiting' AND next_at <= :now ORDER BY next_at, id LIMIT :limit;

-- name: claim_delivery
UPDATE deliveries SET next_at = :until, attempts = attempts + 1
WHERE id = :id AND state = 'waiting' AND attempts = :attempts;

-- name: delivery
SELECT id, webhook, type, body, state, attempts, next_at, created_at, status, error FROM deliveries WHERE id = :id;

-- name: settle_delivery
UPDATE deliveries SET state = :state, next_at = :next_at, status = :status, error = :error WHERE id = :id AND attempts = :attempts;

-- name: replay_delivery
UPDATE deliveries SET state = 'waiting', attempts = 0, next_at = :now WHERE id = :id;

-- name: deliveries_in
SELECT id, webhook, type, body, state, attempts, next_at, created_at, status, error FROM deliveries
WHERE state = :state AND (created_at < :before OR (created_at = :before AND id < :before_id))
ORDER BY created_at DESC, id DESC LIMIT :limit;

-- name: drop_old_deliveries
DELETE FROM deliveries WHERE state = 'done' AND created_at < :before;
