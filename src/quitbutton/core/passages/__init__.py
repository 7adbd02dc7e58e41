"""Passages of a message that are set apart from its author's own words: what `core.provenance` puts together."""
