"""Drives best-profanity."""

from best_profanity import predict
from serve import serve

serve(lambda text: {"abuse": float(predict([text])[0])})
