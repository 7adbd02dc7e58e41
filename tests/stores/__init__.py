"""The stores, one by one, and what happens where they fail."""
