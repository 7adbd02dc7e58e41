-- Policies as versions.

-- name: versions
SELECT name, n, body, author, note, created_at, stage, share, changed_at, changed_by FROM policy_versions ORDER BY name, n;

-- name: versions_of
SELECT name, n, body, author, note, created_at, stage, share, changed_at, changed_by FROM policy_versions
WHERE name = :name ORDER BY n;

-- name: put_version
INSERT INTO policy_versions (name, n, digest, body, author, note, created_at, stage, share, changed_at, changed_by)
VALUES (:name, (SELECT COALESCE(MAX(n), 0) + 1 FROM policy_versions WHERE name = :name), :digest, :body, :author, :note, :at,
        'draft', 0, :at, :author);

-- name: retire_others
UPDATE policy_versions SET stage = 'retired', share = 0, changed_at = :at, changed_by = :by
WHERE name = :name AND stage = 'all' AND n <> :n;

-- name: set_stage
UPDATE policy_versions SET stage = :stage, share = :share, changed_at = :at, changed_by = :by WHERE name = :name AND n = :n;
