"""The error of the nearest mean on new classes."""

import numpy as np
import pytest

from theory.generalisation import cdnv, class_moments, ncc_error, transfer_error_bound


@pytest.mark.parametrize(("t", "n"), [(2, 1), (2, 5), (5, 1), (5, 5)])
@pytest.mark.parametrize("tailed", [False, True])
def test_few_shots_err_less_often_than_the_bound(t, n, tailed):
    rng, m, trials = np.random.default_rng(t), 6, 4000
    means = rng.normal(size=(t, m))
    spread = rng.uniform(0.4, 0.9, size=t)

    def draw(size):
        noise = rng.standard_t(3, size) / np.sqrt(3) if tailed else rng.normal(size=size)  # both of variance 1
        return means[:, None] + spread[:, None, None] * noise

    centres = draw((t, trials * n, m)).reshape(t, trials, n, m).mean(axis=2)
    tests = draw((t, trials, m))
    distances = np.linalg.norm(tests[:, None] - centres, axis=-1)
    error = (distances.argmin(axis=1) != np.arange(t)[:, None]).mean()
    average = cdnv(means.T, m * spread**2).sum() / (t * (t - 1))
    assert 0 < error <= transfer_error_bound(average, t, n)


@pytest.mark.parametrize("p", [0.01, 0.001])
def test_no_smaller_factor_will_do_for_many_shots(p):
    # One sample in 1/p is just past the middle, on the other class's side; with the true means as centres.
    rare = round(1 / p) - 1
    features = np.array([[0.0] * rare + [1.0] + [1.999] * rare + [0.999]])
    labels = np.repeat([0, 1], rare + 1)
    moments = class_moments(features, labels)
    error = ncc_error(features, moments.means, labels)
    bound = transfer_error_bound(cdnv(moments.means, moments.variances)[0, 1], 2, 10**9)
    assert error == pytest.approx(p)
    assert error <= bound <= error * (1 + 3 * p + 0.003)


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="classes = 1; classes must be an integer ≥ 2"):
        transfer_error_bound(0.1, 1, 5)
    with pytest.raises(ValueError, match="shots = 0; shots must be an integer ≥ 1"):
        transfer_error_bound(0.1, 2, 0)
    with pytest.raises(ValueError, match=r"cdnv = -0\.1; cdnv must be a finite real number ≥ 0"):
        transfer_error_bound(-0.1, 2, 1)
