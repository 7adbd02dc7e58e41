"""Mean-pooled sentence vectors of a BERT in ONNX, with the word pieces that quitbutton ships."""

import importlib.util
from pathlib import Path

import numpy as np
import onnxruntime as ort

ASSESSORS = Path(__file__).parents[3] / "src" / "quitbutton" / "assessors"
LONGEST = 128


def _pieces():
    spec = importlib.util.spec_from_file_location("wordpiece", ASSESSORS / "wordpiece.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.WordPiece(ASSESSORS / "weights" / "vocab.txt")


def encoder(model):
    """A function from a text to its vector."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    names, pieces = [each.name for each in session.get_inputs()], _pieces()

    def encode(text):
        ids = np.array([pieces.encode(text, LONGEST)], dtype=np.int64)
        given = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        found = session.run(None, {name: given[name] for name in names})
        tokens = next(each for each in found if each.ndim == 3)
        mean = tokens[0].mean(axis=0)
        return mean / max(float(np.linalg.norm(mean)), 1e-9)

    return encode
