"""Benchmarks: side by side with a bare relay, in one run."""
