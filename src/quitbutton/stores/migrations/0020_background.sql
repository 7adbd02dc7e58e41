-- What a key's headers of background calls are worth; null leaves it to the policy.
ALTER TABLE keys ADD COLUMN background TEXT CHECK (background IN ('trusted', 'anyone', 'never'));
