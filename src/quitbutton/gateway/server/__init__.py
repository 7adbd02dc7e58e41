"""An ASGI server of our own on llhttp: HTTP/1.1, nothing else, and a request costs it tens of microseconds."""
