"""Sizes of classes, and random Gram matrices."""

import numpy as np
from hypothesis import strategies as st

SIZES = st.lists(st.integers(1, 6), min_size=1, max_size=7)


def gram_of(seed, N, scale=1.0):
    features = np.random.default_rng(seed).standard_normal((N, N)) * scale
    return features @ features.T
