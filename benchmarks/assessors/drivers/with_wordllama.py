"""Drives wordllama from the files in its wheel: it looks for its tokenizer under another name and would download it."""

from pathlib import Path

import numpy as np
import wordllama
from safetensors.numpy import load_file
from serve import serve_vectors
from tokenizers import Tokenizer

folder = Path(wordllama.__file__).parent
(table,) = load_file(folder / "weights" / "l2_supercat_256.safetensors").values()
pieces = Tokenizer.from_file(str(folder / "tokenizers" / "l2_supercat_tokenizer_config.json"))


def encode(text):
    """The mean of the vectors of the text's pieces, of length one."""
    ids = pieces.encode(text, add_special_tokens=False).ids
    mean = table[ids].astype(np.float32).mean(axis=0) if ids else np.zeros(table.shape[1], np.float32)
    return mean / max(float(np.linalg.norm(mean)), 1e-9)


serve_vectors(encode)
