"""Sizes of classes, and random kernel matrices with ones on the diagonal."""

import numpy as np
from hypothesis import strategies as st

SIZES = st.lists(st.integers(1, 3), min_size=1, max_size=7)


def random_kernel(rng, N, nonnegative=True):
    features = rng.standard_normal((rng.integers(1, N + 2), N))
    features = np.abs(features) if nonnegative else features
    features = features / np.linalg.norm(features, axis=0)
    return features.T @ features
