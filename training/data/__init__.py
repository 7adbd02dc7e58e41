"""What the readers learn from: public rows, conversations and replies written for the project, rows labelled by reading."""
