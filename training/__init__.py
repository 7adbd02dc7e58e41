"""Trains and measures the shipped readers: from labelled rows to `src/quitbutton/assessors/weights` and `docs/assessors.md`.

`python -m training --help` names the steps. PyTorch is needed here only.
"""
