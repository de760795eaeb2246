"""Test collapse against loops, its inequalities at their edges, and wrong input."""

import numpy as np
import pytest

from theory import generalisation


@pytest.mark.parametrize("seed", range(5))
def test_against_loops(seed):
    rng = np.random.default_rng(seed)
    K, m, N = 4, 3, 20
    means, F, y = rng.normal(size=(m, K)), rng.normal(size=(m, N)), rng.integers(0, K, N)
    spread = sum(np.linalg.norm(mu - means.mean(axis=1)) ** 2 for mu in means.T) / K
    far = [[np.linalg.norm(f - mu) ** 2 for mu in means.T] for f in F.T]
    found = generalisation.test_collapse(F, means, y)
    assert found.weak == pytest.approx(np.mean([min(row) for row in far]) / spread, rel=1e-12)
    assert found.strong == pytest.approx(np.mean([row[k] for row, k in zip(far, y, strict=True)]) / spread, rel=1e-12)
    assert found.error == np.mean([np.argmin(row) != k for row, k in zip(far, y, strict=True)])
    assert found.error == generalisation.ncc_error(F, means, y)


def test_units_do_not_matter():
    rng = np.random.default_rng(0)
    means, F, y = rng.normal(size=(3, 4)), rng.normal(size=(3, 9)), rng.integers(0, 4, 9)
    turned = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    found = generalisation.test_collapse(F, means, y)
    moved = generalisation.test_collapse(1000 * turned @ F + 5, 1000 * turned @ means + 5, y)
    np.testing.assert_allclose(moved, found, rtol=1e-10)


def test_the_first_of_equally_near_means():
    assert generalisation.ncc_error([[0.5, 0.5]], [[0.0, 1.0]], [0, 1]) == 0.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[0.0]], [[1.0, 1.0]], [0]), "some class means must differ"),
        (([[0.0]], [[1.0]], [0]), "at least 2 columns"),
        (([[0.0]], [[1.0, 2.0], [0.0, 1.0]], [0]), "must have 1 rows"),
        (([[0.0]], [[1.0, 2.0]], [2]), r"labels\[0\] = 2"),
        (([[0.0]], [[1.0, 2.0]], [0.5]), r"labels\[0\] = 0.5"),
        (([[0.0, 1.0]], [[1.0, 2.0]], [1]), "labels has 1 entries"),
        (([[np.nan]], [[1.0, 2.0]], [1]), r"features\[0, 0\] = nan"),
    ],
)
def test_wrong_values(arguments, message):
    with pytest.raises(ValueError, match=message):
        generalisation.test_collapse(*arguments)


def test_wrong_types():
    with pytest.raises(TypeError, match="labels = 1 is a int"):
        generalisation.ncc_error([[0.0]], [[1.0, 2.0]], 1)
