"""The gateway: the ASGI application and its pages."""
