"""What operators see: metrics, traces and log lines of requests. Never a word of a user, never a key."""
