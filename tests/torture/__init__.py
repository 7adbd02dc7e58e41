"""A torture run: many clients and many faults on a few branches, and a checker of what everybody was told."""
