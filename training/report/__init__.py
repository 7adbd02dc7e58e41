"""The measured parts of `docs/assessors.md` and `README.md`."""
