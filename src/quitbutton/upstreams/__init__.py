"""Upstreams: what answers."""
