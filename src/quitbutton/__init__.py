"""A quit button for any AI model, enforced."""

__version__ = "0.1.0"
