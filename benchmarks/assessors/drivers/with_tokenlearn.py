"""Drives tokenlearn-static-model, which comes without numpy."""

from array import array
from base64 import b64encode

from serve import serve
from static_model import get_embeddings

serve(lambda text: {"vector": b64encode(array("f", get_embeddings(text)).tobytes()).decode()})
