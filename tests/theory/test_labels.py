"""theory.labels."""

import numpy as np
import pytest

from theory import labels


def test_sizes_of_shuffled_blocks():
    Y = labels.one_hot([2, 1, 3])
    assert Y.shape == (3, 6)
    assert np.array_equal(labels.class_sizes(Y[:, ::-1]), [2, 1, 3])


@pytest.mark.parametrize("sizes", [[], [0], [2, -1], [1.5]])
def test_sizes_of_classes(sizes):
    with pytest.raises(ValueError, match="sizes"):
        labels.one_hot(sizes)


def test_labels_of_the_wrong_kind():
    with pytest.raises(TypeError, match=r"sizes\[0\] = 'a' is a str"):
        labels.one_hot(["a"])
