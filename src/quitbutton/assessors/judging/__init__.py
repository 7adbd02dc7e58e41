"""What judges are asked and how their answers are read: one file per prompt format."""
