"""The model's tools: what is offered, and how a call is seen in a reply."""
