"""The rules of the ladder: verdicts, standings, transitions, and the policy they follow."""
