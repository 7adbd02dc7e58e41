"""Trains the local assessor and the refusal check, and measures them. Needs scikit-learn; nothing here runs in service."""
