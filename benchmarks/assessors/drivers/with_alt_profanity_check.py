"""Drives alt-profanity-check."""

from profanity_check import predict_prob
from serve import serve

serve(lambda text: {"abuse": float(predict_prob([text])[0])})
