"""The guard inside other stacks: one small module for each, which alone imports that package."""
