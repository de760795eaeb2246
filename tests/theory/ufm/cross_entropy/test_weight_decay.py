"""Cross-entropy with weight decay: risk, bounds, optimum, certificate and way down against independent computations."""

import matplotlib as mpl
import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize
from scipy.special import logsumexp

from theory.ufm import cross_entropy

mpl.use("Agg")

LAMS = (0.05, 0.02, 0.3)


def drawn(K, n, m, seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    return scale * rng.normal(size=(K, m)), scale * rng.normal(size=(m, K * n)), scale * rng.normal(size=K)


def by_definition(A, F, b, lams=LAMS):
    H = A @ F + b[:, None]
    labels = np.repeat(np.arange(len(A)), F.shape[1] // len(A))
    risk = np.mean(logsumexp(H, axis=0) - H[labels, np.arange(F.shape[1])])
    return risk + (lams[0] * np.sum(A**2) + lams[1] * np.sum(F**2) + lams[2] * np.sum(b**2)) / 2


def flat(A, F, b):
    return np.concatenate([A.ravel(), F.ravel(), b])


def parts(x, K, m):
    return x[: K * m].reshape(K, m), x[K * m : -K].reshape(m, -1), x[-K:]


@pytest.mark.parametrize(("K", "n", "m"), [(2, 1, 1), (3, 2, 4), (5, 1, 2)])
def test_risk_gradient_and_curvature(K, n, m):
    point, direction = drawn(K, n, m), drawn(K, n, m, seed=1)
    assert cross_entropy.regularised_risk(*point, lams=LAMS) == pytest.approx(by_definition(*point), rel=1e-13)
    numeric = approx_fprime(flat(*point), lambda x: by_definition(*parts(x, K, m)), 1e-7)
    np.testing.assert_allclose(flat(*cross_entropy.regularised_gradient(*point, lams=LAMS)), numeric, atol=1e-5)
    h = 1e-3
    slopes = [
        flat(
            *cross_entropy.regularised_gradient(*(p + s * d for p, d in zip(point, direction, strict=True)), lams=LAMS)
        )
        for s in (h, -h)
    ]
    second = (slopes[0] - slopes[1]) @ flat(*direction) / (2 * h)
    found = cross_entropy.regularised_curvature(*point, direction, lams=LAMS)
    assert found == pytest.approx(second, rel=1e-4)


def test_bounds_from_below():
    for seed in range(20):
        A, F, b = drawn(4, 3, 3, seed=seed, scale=0.7)
        risk = cross_entropy.regularised_risk(A, F, b, lams=LAMS)
        best = cross_entropy.ce_lower_bound(A, F, lams=LAMS)
        assert cross_entropy.nuclear_risk(A @ F, b, lams=LAMS) < risk
        assert best < risk
        assert all(cross_entropy.ce_lower_bound(A, F, c1, lams=LAMS) <= best + 1e-12 for c1 in (0.1, 1, 10, "2.5"))
    A, F = cross_entropy.largest_margin_factors(4, 3, 20)
    assert cross_entropy.ce_lower_bound(A, F) == pytest.approx(cross_entropy.risk(A, F), rel=1e-12)
    c1 = np.exp(20 / 2 / 3 / np.sqrt(3)) / 3
    assert cross_entropy.ce_lower_bound(A, F, c1) == pytest.approx(cross_entropy.risk(A, F), rel=1e-12)


@pytest.mark.parametrize(("K", "n", "m"), [(2, 1, 1), (3, 4, 5), (6, 2, 5)])
def test_the_optimum_collapses_and_no_descent_is_lower(K, n, m):
    best = cross_entropy.ce_optimum(K, n, 0.01, 0.03, m=m)
    assert best.regime == "collapsed"
    assert best.A.shape == (K, m)
    assert best.loss == pytest.approx(by_definition(best.A, best.F, best.b, (0.01, 0.03, 1)), rel=1e-12)
    assert best.bound == best.loss
    np.testing.assert_allclose(cross_entropy.margins(best.A, best.F), best.scale, rtol=1e-9)
    assert cross_entropy.nuclear_risk(best.A @ best.F, lams=(0.01, 0.03, 1)) == pytest.approx(best.loss, rel=1e-12)
    for seed in range(3):
        found = minimize(
            lambda x: by_definition(*parts(x, K, m), (0.01, 0.03, 0.1)),
            flat(*drawn(K, n, m, seed=seed)),
            jac=lambda x: flat(*cross_entropy.regularised_gradient(*parts(x, K, m), lams=(0.01, 0.03, 0.1))),
            tol=1e-9,
        )
        assert found.fun == pytest.approx(best.loss, rel=1e-6)


def test_the_minimum_is_zero_from_the_threshold_on():
    for K, n in ((2, 1), (5, 3)):
        mu = 1 / (K * np.sqrt(n))
        for share in (1 + 1e-9, 2, 100):
            best = cross_entropy.ce_optimum(K, n, mu * share * 3, mu * share / 3)
            assert best.regime == "zero"
            assert best.loss == pytest.approx(np.log(K), rel=1e-14)
            assert not best.A.any()
            assert not best.F.any()
        assert cross_entropy.ce_optimum(K, n, mu * 3 * 0.999, mu / 3).regime == "collapsed"
    assert cross_entropy.ce_optimum(4, 1, 1, 1, m=1).regime == "zero"


def test_extreme_decay():
    best = cross_entropy.ce_optimum(3, 1, 1e-200, 1e-200)
    assert best.scale == pytest.approx(200 * np.log(10), rel=1e-12)
    assert best.loss == pytest.approx(2e-200 * (best.scale + 1), rel=1e-12)
    assert cross_entropy.ce_optimum(3, 1, 1e200, "1e-205").regime == "collapsed"
    close = cross_entropy.ce_optimum(2, 1, 0.5 * (1 - 1e-9), 0.5)
    assert close.scale == pytest.approx(1e-9, rel=1e-5)  # t = 2(1 − Ks) to first order, s = (1 − 1e-9/2)/2


def test_below_the_width_the_minimum_is_searched():
    best = cross_entropy.ce_optimum(3, 2, 0.05, 0.05, m=1, starts=5)
    assert best.regime == "searched"
    assert best.loss == pytest.approx(by_definition(best.A, best.F, best.b, (0.05, 0.05, 0)), rel=1e-12)
    assert not best.b.any()
    assert best.bound == cross_entropy.ce_optimum(3, 2, 0.05, 0.05).loss < best.loss
    with_bias = cross_entropy.ce_optimum(3, 2, 0.05, 0.05, m=1, lam_b=0.01, starts=5)
    assert with_bias.loss < best.loss
    assert with_bias.b.any()
    assert with_bias.loss == pytest.approx(by_definition(with_bias.A, with_bias.F, with_bias.b, (0.05, 0.05, 0.01)))
    assert with_bias.scale == pytest.approx(
        min(
            (with_bias.A @ with_bias.F + with_bias.b[:, None])[k, 2 * k]
            - np.delete((with_bias.A @ with_bias.F + with_bias.b[:, None])[:, 2 * k], k).max()
            for k in range(3)
        )
    )


def test_balanced_factors():
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(4, 2)) @ rng.normal(size=(2, 6))
    nuclear = np.linalg.svd(Z, compute_uv=False).sum()
    for m in (2, 3, 4, 9, None):
        A, F = cross_entropy.balanced_factors(Z, 0.2, 3, m)
        assert A.shape[1] == F.shape[0] == (4 if m is None else m)
        np.testing.assert_allclose(A @ F, Z, atol=1e-12)
        assert 0.1 * np.sum(A**2) + 1.5 * np.sum(F**2) == pytest.approx(np.sqrt(0.6) * nuclear)
        assert 0.2 * np.sum(A**2) == pytest.approx(3 * np.sum(F**2))
    with pytest.raises(ValueError, match=r"m = 1; m must be at least 2, the rank of Z"):
        cross_entropy.balanced_factors(Z, 1, 1, 1)


def test_certificates():
    lams = (0.02, 0.3, 0.1)
    best = cross_entropy.ce_optimum(4, 1, *lams[:2], m=3)
    found = cross_entropy.is_global(best.A, best.F, lams=lams)
    assert found
    assert found.gap == pytest.approx(0, abs=1e-12)
    assert found.spectral_norm == pytest.approx(found.threshold) == pytest.approx(np.sqrt(0.006))
    assert cross_entropy.escape_direction(best.A, best.F, lams=lams) is None
    origin = np.zeros((4, 3)), np.zeros((3, 4))
    found = cross_entropy.is_global(*origin, lams=lams)
    assert not found
    assert found.gap == pytest.approx(np.log(4) - best.loss)
    assert found.spectral_norm == pytest.approx(1 / 4)
    assert cross_entropy.is_global(*origin, lams=(0.5, 0.2, 0))


def test_the_way_down_goes_down():
    lams = (0.001, 0.1, 0.2)
    low = cross_entropy.ce_optimum(4, 2, *lams[:2], m=2, lam_b=lams[2], starts=8)
    assert cross_entropy.is_global(low.A, low.F, low.b, lams=lams, tolerance=1e-5).verdict == "unknown"
    assert cross_entropy.escape_direction(low.A, low.F, low.b, lams=lams, tolerance=1e-5) is None
    A, F = np.pad(low.A, ((0, 0), (0, 1))), np.pad(low.F, ((0, 1), (0, 0)))
    certificate = cross_entropy.is_global(A, F, low.b, lams=lams, tolerance=1e-5)
    assert certificate.verdict == "not global"
    found = cross_entropy.escape_direction(A, F, low.b, lams=lams, tolerance=1e-5)
    assert found.curvature == pytest.approx(2 * (certificate.threshold - certificate.spectral_norm), rel=1e-4)
    start = by_definition(A, F, low.b, lams)
    t = 0.05
    assert by_definition(A + t * found.dA, F + t * found.dF, low.b, lams) == pytest.approx(
        start + found.curvature * t**2 / 2, abs=1e-6
    )
    assert by_definition(A + t * found.dA, F + t * found.dF, low.b, lams) < start


def test_results_show_themselves():
    for best in (cross_entropy.ce_optimum(3, 2, 0.1, 0.1), cross_entropy.ce_optimum(3, 1, 0.01, 0.1, m=1, starts=2)):
        assert best.regime in best._repr_html_()
        assert ("lower bound" in best._repr_html_()) == (best.regime == "searched")
        assert best.regime in repr(best)
        ax = best.plot()
        assert np.asarray(ax.images[0].get_array()).shape == (3, 3)
        assert best.plot(ax) is ax
    found = cross_entropy.is_global(np.zeros((2, 1)), np.zeros((1, 2)), lams=(1, 1, 1))
    assert "global" in found._repr_html_()


def test_wrong_input():
    A, F, b = drawn(3, 1, 2)
    with pytest.raises(ValueError, match="A, F and b must be a critical point"):
        cross_entropy.is_global(A, F, b, lams=LAMS)
    with pytest.raises(ValueError, match="critical point"):
        cross_entropy.escape_direction(A, F, b, lams=LAMS)
    with pytest.raises(ValueError, match="K = 1"):
        cross_entropy.ce_optimum(1, 1, 1, 1)
    with pytest.raises(ValueError, match=r"lam_A = -1"):
        cross_entropy.ce_optimum(3, 1, -1, 1)
    with pytest.raises(ValueError, match=r"lam_F = 0"):
        cross_entropy.balanced_factors(A, 1, 0)
    with pytest.raises(ValueError, match=r"lam_b = -0.1"):
        cross_entropy.ce_optimum(3, 1, 1, 1, lam_b=-0.1)
    with pytest.raises(ValueError, match="m = 0"):
        cross_entropy.ce_optimum(3, 1, 1, 1, m=0)
    with pytest.raises(ValueError, match=r"lams\[0\] = 0"):
        cross_entropy.regularised_risk(A, F, b, lams=(0, 1, 1))
    with pytest.raises(ValueError, match="lams"):
        cross_entropy.regularised_risk(A, F, b, lams=(1, 1))
    with pytest.raises(ValueError, match=r"c1 = 0"):
        cross_entropy.ce_lower_bound(A, F, 0)
    with pytest.raises(ValueError, match="b has shape"):
        cross_entropy.nuclear_risk(A @ F, np.zeros(2), lams=LAMS)
    with pytest.raises(ValueError, match="direction has shapes"):
        cross_entropy.regularised_curvature(A, F, b, (A[:, :1], F[:1], b), lams=LAMS)
    with pytest.raises(TypeError, match="lam_A"):
        cross_entropy.ce_optimum(3, 1, None, 1)
