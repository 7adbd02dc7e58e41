-- The Merkle log over the events.

-- name: log_end
SELECT n, seq FROM leaves ORDER BY n DESC LIMIT 1;

-- name: events_to_log
SELECT seq, at, kind, tenant, conversation, message, body FROM events
WHERE seq > :seq AND seq <= :settled ORDER BY seq LIMIT :limit;

-- name: put_leaf
INSERT INTO leaves (n, seq) VALUES (:n, :seq);

-- name: put_node
INSERT INTO nodes (level, n, hash) VALUES (:level, :n, :hash);

-- name: node
SELECT hash FROM nodes WHERE level = :level AND n = :n;

-- name: put_checkpoint
INSERT INTO checkpoints (size, note, at) VALUES (:size, :note, :at);

-- name: checkpoint
SELECT note FROM checkpoints WHERE size = :size;

-- name: cosign_checkpoint
UPDATE checkpoints SET note = :note WHERE size = :size;

-- name: last_checkpoint
SELECT size, note, at FROM checkpoints ORDER BY size DESC LIMIT 1;

-- name: checkpoints
SELECT size, note, at FROM checkpoints WHERE size > :after ORDER BY size LIMIT :limit;

-- name: logged
SELECT leaves.n, nodes.hash, leaves.seq, events.at, events.kind, events.tenant, events.conversation, events.message, events.body
FROM leaves JOIN nodes ON nodes.level = 0 AND nodes.n = leaves.n LEFT JOIN events ON events.seq = leaves.seq
WHERE leaves.n >= :start ORDER BY leaves.n LIMIT :limit;

-- name: logged_before
SELECT leaves.n, nodes.hash, leaves.seq, events.at, events.kind, events.tenant, events.conversation, events.message, events.body
FROM leaves JOIN nodes ON nodes.level = 0 AND nodes.n = leaves.n LEFT JOIN events ON events.seq = leaves.seq
WHERE leaves.n < :before ORDER BY leaves.n DESC LIMIT :limit;

-- name: leaf_of
SELECT n FROM leaves WHERE seq = :seq;

-- name: strays
SELECT COUNT(*) FROM events WHERE seq <= :seq AND NOT EXISTS (SELECT 1 FROM leaves WHERE leaves.seq = events.seq);

-- name: unlogged
SELECT COUNT(*) FROM events WHERE seq > :seq;
