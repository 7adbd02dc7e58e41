"""Recorded or written conversations, taken through the rules once more."""
