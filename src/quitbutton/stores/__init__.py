"""Stores: where standings, ends, events and receipts are kept."""
