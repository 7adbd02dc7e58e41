"""Evaluation of assessors on labelled rows: pure functions over what they answered."""
