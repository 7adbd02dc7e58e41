"""Makes the generated parts of the docs."""
