"""The gateway's own endpoints, one noun a file."""
