"""Assessors: what is going on here? Each answers with a verdict."""
