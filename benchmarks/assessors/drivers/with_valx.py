"""Drives valx: hate or offensive speech."""

from serve import serve
from valx import detect_hate_speech

serve(lambda text: {"abuse": float(detect_hate_speech(text)[0] != "No Hate and Offensive Speech")})
