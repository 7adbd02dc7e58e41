"""A soak: one gateway at a steady load for a long time, its database restarted under it; nothing may grow or get lost."""
