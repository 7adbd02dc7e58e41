-- API keys, sessions, sign-ins under way.

-- name: put_key
INSERT INTO keys (id, digest, name, role, policy, requests_per_minute, max_body, retention, background, expires_at, created_at, created_by)
VALUES (:id, :digest, :name, :role, :policy, :requests_per_minute, :max_body, :retention, :background, :expires_at, :at, :by)
ON CONFLICT (digest) DO NOTHING;

-- name: key_by_digest
SELECT id, digest, name, role, policy, requests_per_minute, max_body, retention, background, expires_at, created_at, created_by, revoked_at,
       last_used_at
FROM keys WHERE digest = :digest;

-- name: key_by_id
SELECT id, digest, name, role, policy, requests_per_minute, max_body, retention, background, expires_at, created_at, created_by, revoked_at,
       last_used_at
FROM keys WHERE id = :id;

-- name: all_keys
SELECT id, digest, name, role, policy, requests_per_minute, max_body, retention, background, expires_at, created_at, created_by, revoked_at,
       last_used_at
FROM keys ORDER BY created_at, id;

-- name: key_roles
SELECT EXISTS (SELECT 1 FROM keys WHERE role = 'chat'), EXISTS (SELECT 1 FROM keys);

-- name: revoke_key
UPDATE keys SET revoked_at = :at WHERE id = :id AND revoked_at IS NULL;

-- name: use_key
UPDATE keys SET last_used_at = :at WHERE id = :id AND (last_used_at IS NULL OR last_used_at < :at);

-- name: put_session
INSERT INTO sessions (digest, key_digest, name, role, created_at, seen_at)
VALUES (:digest, :key_digest, :name, :role, :at, :at);

-- name: session_by_digest
SELECT digest, key_digest, name, role, created_at, seen_at FROM sessions WHERE digest = :digest;

-- name: see_session
UPDATE sessions SET seen_at = :at WHERE digest = :digest AND seen_at < :at;

-- name: drop_session
DELETE FROM sessions WHERE digest = :digest;

-- name: drop_old_sessions
DELETE FROM sessions WHERE created_at < :created OR seen_at < :seen;

-- name: put_sign_in
INSERT INTO sign_ins (digest, nonce, verifier, created_at) VALUES (:digest, :nonce, :verifier, :at);

-- name: sign_in
SELECT nonce, verifier, created_at FROM sign_ins WHERE digest = :digest;

-- name: drop_sign_in
DELETE FROM sign_ins WHERE digest = :digest OR created_at < :before;
