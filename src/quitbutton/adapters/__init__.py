"""Adapters: one per wire protocol; bytes in, values out, and back."""
