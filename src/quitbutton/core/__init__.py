"""The rules of the quit button: plain functions of values, standard library only."""
