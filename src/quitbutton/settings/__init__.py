"""What an operator may set, where it is read from, and the files it stands in."""
