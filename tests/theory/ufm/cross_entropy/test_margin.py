"""Margins, the largest margin, KKT points, the landscape and the flow against independent computations."""

import matplotlib as mpl
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from theory.ufm import cross_entropy

mpl.use("Agg")


def drawn(K, n, m, seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    return scale * rng.normal(size=(K, m)), scale * rng.normal(size=(m, K * n))


def test_margins_by_loops():
    A, F = drawn(3, 2, 4)
    for s, q in enumerate(cross_entropy.margins(A, F)):
        k = s // 2
        assert q == pytest.approx(min((A[k] - A[j]) @ F[:, s] for j in range(3) if j != k))


@pytest.mark.parametrize(("K", "n", "m"), [(2, 1, 1), (3, 2, 2), (4, 3, 6)])
def test_the_largest_margin_is_that_of_its_factors(K, n, m):
    A, F = cross_entropy.largest_margin_factors(K, n, 7.5, m)
    assert np.sum(A**2) + np.sum(F**2) == pytest.approx(7.5)
    np.testing.assert_allclose(cross_entropy.margins(A, F), cross_entropy.largest_margin(K, n, 7.5), rtol=1e-12)
    assert cross_entropy.margin_bound(A, F) == pytest.approx(cross_entropy.largest_margin(K, n, 7.5))
    assert cross_entropy.risk(A, F) == pytest.approx(cross_entropy.sphere_minimum(K, n, 7.5), rel=1e-12)


def test_the_gradients_of_the_constraints_are_those_of_their_values():
    A, F = drawn(3, 2, 2)
    dA, dF = drawn(3, 2, 2, seed=1)
    values, gradients = cross_entropy.constraint_gradients(A, F)
    h = 1e-6
    plus, minus = (cross_entropy.constraint_gradients(A + s * dA, F + s * dF)[0] for s in (h, -h))
    step = np.concatenate([dA.ravel(), dF.ravel()])
    np.testing.assert_allclose(gradients @ step, (plus - minus) / (2 * h), atol=1e-8)
    np.testing.assert_allclose(gradients @ np.concatenate([A.ravel(), F.ravel()]), 2 * values)


@pytest.mark.parametrize(("K", "n"), [(3, 1), (4, 2), (7, 1)])
def test_kkt_points(K, n):
    for A, F in (cross_entropy.polygon_kkt_point(K, n), cross_entropy.largest_margin_factors(K, n, 3)):
        found = cross_entropy.kkt_residual(A, F)
        assert max(found.stationarity, found.complementarity) < 1e-10
        assert found.multipliers.min() >= 0
    A, F = cross_entropy.polygon_kkt_point(K, n)
    assert cross_entropy.margins(A, F).min() == pytest.approx(1)
    assert (np.sum(A**2) + np.sum(F**2)) / 2 == pytest.approx(n**0.5 * K / (1 - np.cos(2 * np.pi / K)))
    assert cross_entropy.kkt_residual(A * 2 + 0.1 * np.eye(K, 2), F).stationarity > 1e-2


def test_descent_along_tangents():
    square = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
    square3 = np.hstack([square, np.zeros((4, 1))])
    A, F = cross_entropy.largest_margin_factors(4, 1, 8)
    assert cross_entropy.tangent_descent(A, F) is None
    assert cross_entropy.tangent_descent(A, F, "line").order == 2
    assert cross_entropy.tangent_descent(square, square.T) is None  # the best of its width
    found = cross_entropy.tangent_descent(square3, square3.T)
    radius = np.sqrt(8)
    for delta in (0.01, 0.05):
        A, F = square3 + delta * found.dA, square3.T + delta * found.dF
        scale = radius / np.sqrt(np.sum(A**2) + np.sum(F**2))
        assert cross_entropy.risk(A * scale, F * scale) < cross_entropy.risk(square3, square3.T)
    A, F = drawn(3, 2, 2)
    found = cross_entropy.tangent_descent(A, F)
    assert found.order == 1
    assert np.sum(found.dA * A) + np.sum(found.dF * F) == pytest.approx(0, abs=1e-12)
    A, F = A + 1e-6 * found.dA, F + 1e-6 * found.dF
    assert cross_entropy.risk(A, F) - cross_entropy.risk(*drawn(3, 2, 2)) == pytest.approx(
        1e-6 * found.derivative, rel=1e-4
    )


def test_the_origin_descends():
    found = cross_entropy.tangent_descent(np.zeros((3, 1)), np.zeros((1, 3)))
    assert found.order == 2
    assert found.derivative == pytest.approx(-1 / 3)


def test_where_the_whole_gradient_is_cancellation():
    rng = np.random.default_rng(0)
    A, F = np.ones((3, 1)) * rng.normal(size=2), rng.normal(size=(2, 1)) * np.ones(3)
    assert cross_entropy.sphere_multiplier(A, F)[1] < 1e-15
    found = cross_entropy.tangent_descent(A, F)
    assert found.order == 2
    assert cross_entropy.risk(A + 0.01 * found.dA, F + 0.01 * found.dF) < np.log(3) - 1e-6


def test_the_flow_against_an_integrator_of_the_definition():
    A, F = drawn(3, 2, 2)

    def velocity(t, x):
        dA, dF, _ = cross_entropy.gradient(x[:6].reshape(3, 2), x[6:18].reshape(2, 6))
        speed = cross_entropy.risk(x[:6].reshape(3, 2), x[6:18].reshape(2, 6))
        return np.concatenate([-dA.ravel(), -dF.ravel(), [speed]])

    start = np.concatenate([A.ravel(), F.ravel(), [0]])
    exact = solve_ivp(velocity, (0, 200), start, method="DOP853", rtol=1e-12, atol=1e-12).y[:, -1]
    flow = cross_entropy.gradient_flow(A, F, longest=exact[-1], norm2=1e6, rtol=1e-10, times=3)
    np.testing.assert_allclose(flow.A[-1].ravel(), exact[:6], rtol=1e-6)
    np.testing.assert_allclose(flow.F[-1].ravel(), exact[6:18], rtol=1e-6)


def test_the_flow_conserves_and_ends_where_it_should():
    A, F = drawn(3, 1, 3)
    flow = cross_entropy.gradient_flow(A, F, norm2=1e3)
    assert flow.norm2[-1] == pytest.approx(1e3, rel=1e-5)
    kept = [a.T @ a - f @ f.T for a, f in zip(flow.A, flow.F, strict=True)]
    np.testing.assert_allclose(kept, np.broadcast_to(kept[0], np.shape(kept)), atol=1e-4)
    assert (np.diff(flow.log_risk) < 0).all()
    assert "K = 3, n = 1, m = 3" in repr(flow)
    assert len(flow.plot().lines) == 2


@pytest.mark.parametrize("scale", [0.1, 3.0, 40.0])
def test_log_risk(scale):
    A, F = drawn(3, 2, 2, scale=scale)
    assert cross_entropy.log_risk(A, F) == pytest.approx(np.log(cross_entropy.risk(A, F)), rel=1e-13, abs=1e-13)
    A, F = cross_entropy.largest_margin_factors(3, 2, 10 * scale)
    expected = np.log(cross_entropy.sphere_minimum(3, 2, 10 * scale))
    assert cross_entropy.log_risk(A, F) == pytest.approx(expected, rel=1e-13)


def test_wrong_arguments():
    A, F = drawn(2, 1, 1)
    with pytest.raises(ValueError, match="must separate all samples"):
        cross_entropy.kkt_residual(A * 0, F)
    with pytest.raises(ValueError, match="K must be an integer ≥ 3"):
        cross_entropy.polygon_kkt_point(2)
    with pytest.raises(ValueError, match="m must be an integer ≥ 3"):
        cross_entropy.largest_margin_factors(4, 1, 1, 2)
    for K, n, m, named in ((10_001, 1, None, "K"), (2, 10**6 + 1, None, "n"), (2, 1, 10**6 + 1, "m")):
        with pytest.raises(ValueError, match=f"{named} must be an integer .*≤"):
            cross_entropy.largest_margin_factors(K, n, 1, m)
    with pytest.raises(ValueError, match="norm2 must be a finite real number ≥ 0"):
        cross_entropy.largest_margin(3, 1, -1)
    with pytest.raises(ValueError, match="along must be one of"):
        cross_entropy.tangent_hessian(A, F, "circle")
    with pytest.raises(ValueError, match="at most 3000"):
        cross_entropy.tangent_hessian(np.ones((2, 1000)), np.ones((1000, 2)))
    for norm2 in (0, 1e-3, 1e8):
        with pytest.raises(ValueError, match="norm2 must be"):
            cross_entropy.gradient_flow(A, F, norm2=norm2)
    with pytest.raises(ValueError, match="F must have 1 rows"):
        cross_entropy.gradient_flow(A, np.ones((2, 2)))
