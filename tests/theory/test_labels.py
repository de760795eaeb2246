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


def test_truth_values_are_labels():
    Y = np.array([[True, False, True], [False, True, False]])
    labelled = labels.as_one_hot(Y)
    assert labelled.dtype == np.float64
    assert np.array_equal(labelled, [[1, 0, 1], [0, 1, 0]])
    assert np.array_equal(labels.class_sizes(Y), [2, 1])


def test_masked_truth_values_are_refused():
    with pytest.raises(TypeError, match="masked"):
        labels.as_one_hot(np.ma.masked_array(np.eye(2, dtype=bool), np.eye(2, dtype=bool)))


def test_classes_larger_than_any_array_are_refused():
    with pytest.raises(ValueError, match=r"sizes\[1\] = 2147483648; .* an integer ≥ 1 and ≤ 2147483647"):
        labels.one_hot([1, 2**31])


@pytest.mark.parametrize(
    ("Y", "message"),
    [
        ([[1, 0], [0, 0]], r"Y has \[0.0, 0.0\] in column 1"),
        ([[1, 1], [0, 1]], r"Y has \[1.0, 1.0\] in column 1"),
        ([[0.5, 1], [0.5, 0]], r"Y has \[0.5, 0.5\] in column 0"),
        ([[1, -1], [0, 2]], r"Y has \[-1.0, 2.0\] in column 1"),
        ([[1, 1], [0, 0]], "Y has no sample in class 1"),
    ],
)
def test_what_is_no_label_matrix_is_refused(Y, message):
    with pytest.raises(ValueError, match=message):
        labels.as_one_hot(Y)


@pytest.mark.parametrize(
    ("numbers", "options", "message"),
    [
        ([0, 3], {"classes": 3}, r"labels\[1\] = 3; labels\[1\] must be an integer ≥ 0 and ≤ 2"),
        ([0, -1], {}, r"labels\[1\] = -1"),
        ([1, 2], {"filled": True}, "labels has no sample in class 0; every class needs one"),
        ([0, 1], {"classes": 3, "filled": True}, "labels has no sample in class 2; every class needs one"),
        ([0], {}, "labels"),
    ],
)
def test_what_is_no_class_number_is_refused(numbers, options, message):
    with pytest.raises(ValueError, match=message):
        labels.check_labels("labels", numbers, samples=2, **options)


def test_class_numbers_are_kept():
    for options in ({}, {"classes": 2}, {"classes": 2, "filled": True}, {"filled": True}, {"classes": 5}):
        numbers = labels.check_labels("labels", [1.0, 0, 1], samples=3, **options)
        assert numbers.dtype == np.int64
        assert numbers.tolist() == [1, 0, 1]
    assert labels.check_labels("labels", [0, 2], samples=2).tolist() == [0, 2]  # a class may be empty
