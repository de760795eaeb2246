"""Strong neural collapse against independent computations: points, gradients, eigenspaces, flows, the landscape."""

import matplotlib as mpl
import numpy as np
import pytest
import sympy as sp
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from theory.ufm import strong_collapse as sc

mpl.use("Agg")
SIZES = [(2, 1, 1), (3, 2, 4), (4, 3, 2)]


def drawn(K, n, m, seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    return scale * rng.normal(size=(K, m)), scale * rng.normal(size=(m, K * n)), scale * rng.normal(size=K)


def loss_by_loops(A, F, b):
    K, N = len(A), F.shape[1]
    return sum((A[k] @ F[:, i] + b[k] - (i // (N // K) == k)) ** 2 / 2 for k in range(K) for i in range(N))


@pytest.mark.parametrize(("K", "n", "m"), SIZES)
def test_risk_gradient_and_curvature(K, n, m):
    point, step = drawn(K, n, m), drawn(K, n, m, seed=1)
    assert sc.risk(*point) == pytest.approx(loss_by_loops(*point), rel=1e-13)
    assert sc.risk(*point, loss="mse") == pytest.approx(sc.risk(*point) / (K * n), rel=1e-13)

    def along(h):
        return loss_by_loops(*(x + h * d for x, d in zip(point, step, strict=True)))

    # the risk along a line is a quartic: five values determine it
    quartic = np.polynomial.Polynomial.fit([-2, -1, 0, 1, 2], [along(h) for h in (-2, -1, 0, 1, 2)], 4).convert()
    slope = sum((g * d).sum() for g, d in zip(sc.gradient(*point), step, strict=True))
    assert slope == pytest.approx(quartic.coef[1], rel=1e-9)
    assert sc.curvature(*point, *step) == pytest.approx(2 * quartic.coef[2], rel=1e-9)
    assert sc.gradient(*point, loss="mse")[0] == pytest.approx(sc.gradient(*point)[0] / (K * n), rel=1e-13)


@pytest.mark.parametrize(("K", "n", "m"), [(2, 1, 1), (3, 4, 2), (5, 2, 9)])
def test_the_point(K, n, m):
    A, F, b = sc.snc_point(K, n, m)
    assert (A.shape, F.shape, b.shape) == ((K, m), (m, K * n), (K,))
    assert sc.risk(A, F, b) == pytest.approx(0, abs=1e-25)
    np.testing.assert_allclose(A @ A.T, n**0.5 * (np.eye(K) - 1 / K), atol=1e-13)
    assert max(sc.snc_errors(A, F, b)) < 1e-13
    assert "δ" in sc.snc_errors(A, F, b)._repr_html_()
    np.testing.assert_allclose(sc.imbalance(A, F), 0, atol=1e-13)
    np.testing.assert_array_equal(sc.snc_point(K, n).A, sc.snc_point(K, n, K - 1).A)


def test_errors_by_hand():
    # K = 2, n = 4, A = (1, 0)ᵀ, F = 0, b = (1, 0)
    errors = sc.snc_errors(np.array([[1.0], [0.0]]), np.zeros((1, 8)), np.array([1.0, 0.0]))
    assert errors == pytest.approx((3**0.5, 1.0, 0.5**0.5))


@pytest.mark.parametrize(("K", "n", "m"), SIZES)
def test_distance_from_the_subspace_by_least_squares(K, n, m):
    A, F, b = drawn(K, n, m)
    columns = []
    for k in range(K - 1):
        for j in range(m):
            a = np.zeros((K, m))
            a[k, j], a[K - 1, j] = 1, -1
            columns.append(np.concatenate([a.ravel(), (np.repeat(a.T, n, axis=1) / n**0.5).ravel(), np.zeros(K)]))
    columns.append(np.concatenate([np.zeros(K * m + m * K * n), np.ones(K)]))
    target = np.concatenate([A.ravel(), F.ravel(), b])
    basis = np.array(columns).T
    off = target - basis @ np.linalg.lstsq(basis, target, rcond=None)[0]
    assert sc.distance_from_collapse_subspace(A, F, b) == pytest.approx(np.linalg.norm(off), rel=1e-12)


@pytest.mark.parametrize(("K", "n", "m"), SIZES)
def test_eigenspaces(K, n, m):
    A, F, _ = drawn(K, n, m)
    parts = sc.eigenspaces(A, F)
    np.testing.assert_allclose(sum(a for a, _ in parts), A, atol=1e-14)
    np.testing.assert_allclose(sum(f for _, f in parts), F, atol=1e-14)
    for t, loss in ((0.0, "se"), (0.3, "se"), (0.7, "mse")):
        rate = K * n if loss == "se" else 1
        beta = (1 - np.exp(-rate * t)) / K
        for value, (a, f) in zip(sc.eigenvalues(K, n, t, loss=loss), parts, strict=True):
            la, lf = sc.linearised_operator(a, f, beta, loss=loss)
            np.testing.assert_allclose(la, value * a, atol=1e-13)
            np.testing.assert_allclose(lf, value * f, atol=1e-13)
    products = [[(a * c).sum() + (f * g).sum() for a, f in parts] for c, g in parts]
    np.testing.assert_allclose(products, np.diag(np.square(parts.norms)), atol=1e-12)
    assert "E₃" in parts._repr_html_()


@pytest.mark.parametrize("loss", ["se", "mse"])
@pytest.mark.parametrize(("K", "n", "m"), SIZES)
def test_linearised_flow_against_an_integrator(K, n, m, loss):
    A, F, _ = drawn(K, n, m)
    Y = np.repeat(np.eye(K), n, axis=1)
    scale = 1 if loss == "se" else 1 / (K * n)

    def slope(_, x):
        a, f, b = x[: K * m].reshape(K, m), x[K * m : -K].reshape(m, K * n), x[-K:]
        B = scale * (Y - b[:, None])
        return np.concatenate([(B @ f.T).ravel(), (a.T @ B).ravel(), B.sum(axis=1)])

    start = np.concatenate([A.ravel(), F.ravel(), np.zeros(K)])
    found = solve_ivp(slope, (0, 1.2), start, rtol=1e-12, atol=1e-13, method="DOP853").y[:, -1]
    mine = np.concatenate([part.ravel() for part in sc.linearised_flow(A, F, 1.2, loss=loss)])
    np.testing.assert_allclose(mine, found, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize(("K", "n", "m"), SIZES)
def test_flow_on_the_subspace_against_the_full_flow(K, n, m):
    A = drawn(K, n, m, scale=0.1)[0]
    A -= A.mean(axis=0)
    F = np.repeat(A.T, n, axis=1) / n**0.5
    full = sc.gradient_flow(A, F, [0.5, 2.0], b=np.full(K, 0.7), rtol=1e-12)
    slow = sc.gradient_flow(A, F, [0.5 * K * n], b=np.full(K, 0.7), rtol=1e-12, loss="mse")
    for i, t in enumerate((0.5, 2.0)):
        mine = sc.flow_on_collapse_subspace(A, n, t, beta=0.7)
        for part, other in zip(mine, (full.A[i], full.F[i], full.b[i]), strict=True):
            np.testing.assert_allclose(part, other, atol=1e-9)
    np.testing.assert_allclose(slow.A[0], full.A[0], atol=1e-9)
    mean = sc.flow_on_collapse_subspace(A, n, 0.5 * K * n, beta=0.7, loss="mse")
    np.testing.assert_allclose(mean.b, full.b[0], atol=1e-9)
    # singular values that are zero stay zero, the others end at n^(1/4); an infinite time is no trouble
    rank_one = np.outer(A[:, 0], np.ones(m))
    values = np.linalg.svd(sc.flow_on_collapse_subspace(rank_one, n, 1e6).A)[1]
    np.testing.assert_allclose(values, [n**0.25] + [0] * (len(values) - 1), atol=1e-12)
    np.testing.assert_array_equal(sc.flow_on_collapse_subspace(np.zeros((K, m)), n, 1).A, 0)


def test_the_flow_conserves_the_imbalance_and_descends():
    A, F, b = drawn(3, 2, 4, scale=0.5)
    path = sc.gradient_flow(A, F, np.linspace(0, 20, 30), b=b, rtol=1e-11)
    for a, f in zip(path.A, path.F, strict=True):
        np.testing.assert_allclose(sc.imbalance(a, f), sc.imbalance(A, F), atol=1e-8)
    assert (np.diff(path.risks) <= 1e-15).all()
    assert path.errors.shape == (30, 3)
    assert path.distances[0] == pytest.approx(sc.distance_from_collapse_subspace(A, F, b))
    start = sc.gradient_flow(A, F, [0.0], b=b)
    np.testing.assert_array_equal(start.A[0], A)
    np.testing.assert_array_equal(start.b[0], b)
    assert "30 times" in repr(path)
    assert "<table>" in path._repr_html_()
    assert path.plot().get_yscale() == "log"


def test_descent_is_eulers_method_of_each_start():
    A, F, _ = drawn(3, 1, 2, scale=0.1)
    runs = sc.gradient_descent(np.array([A, 2 * A]), np.array([F, F]), step=0.05, steps=3, every=1)
    a, f, b = 2 * A, F, np.zeros(3)
    for i in range(4):
        np.testing.assert_allclose(runs[1].A[i], a, atol=1e-14)
        np.testing.assert_allclose(runs[1].b[i], b, atol=1e-14)
        da, df, db = sc.gradient(a, f, b)
        a, f, b = a - 0.05 * da, f - 0.05 * df, b - 0.05 * db
    mean = sc.gradient_descent(A[None], F[None], step=0.15, steps=3, loss="mse")[0]
    np.testing.assert_allclose(mean.A[-1], runs[0].A[-1], atol=1e-14)
    assert len(mean.times) == 2
    with pytest.raises(ValueError, match="diverges"):
        sc.gradient_descent(A[None], F[None], step=100, steps=60)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("K", "n", "m"), [(3, 2, 1), (3, 2, 2), (4, 1, 5)])
def test_critical_points(K, n, m, bias):
    classes = K - 1 if bias else K
    basis = np.linalg.svd(np.eye(K) - 1 / K if bias else np.eye(K))[0][:, :classes]
    rng = np.random.default_rng(3)
    for fitted in range(min(classes, m) + 1):
        # A spans `fitted` of the directions that are to be fitted; its other columns, or F's other rows, are idle
        A = np.zeros((K, m))
        A[:, :fitted] = basis[:, :fitted]
        F = np.zeros((m, K * n))
        F[:fitted] = np.repeat(basis[:, :fitted].T, n, axis=1)
        T = np.eye(m) + 0.2 * rng.normal(size=(m, m))
        A, F = A @ T, np.linalg.solve(T, F)
        b = np.full(K, 1 / K) if bias else np.zeros(K)
        found = sc.critical_point(A, F, b, bias=bias)
        assert found.missed == classes - fitted
        assert found.risk == pytest.approx(n * (classes - fitted) / 2)
        assert "Critical" in found._repr_html_()
        if fitted == min(classes, m):
            assert (found.kind, found.direction) == ("global minimum", None)
            assert found.risk == pytest.approx(sc.least_risk(K, n, m, bias=bias), abs=1e-12)
        else:
            assert found.kind == "strict saddle"
            assert sum((d**2).sum() for d in found.direction) == pytest.approx(1)
            assert sc.curvature(A, F, b, *found.direction) == pytest.approx(found.curvature, abs=1e-12)
            assert found.curvature < -0.1
            assert bias or not found.direction[2].any()


def test_an_idle_feature_of_large_size_leaves_a_saddle_strict():
    # A = 0, F = x: wᵀF_c = x, and the least eigenvalue of [[x², −σ], [−σ, 0]]
    A, F = np.zeros((2, 1)), np.array([[3.0, 3.0, -3.0, -3.0]])
    with pytest.raises(ValueError, match="critical"):
        sc.critical_point(A, F, np.full(2, 0.5))
    F = np.array([[3.0, -3.0, 3.0, -3.0]])
    found = sc.critical_point(A, F, np.full(2, 0.5))
    assert found.curvature == pytest.approx(18 - (18**2 + 2) ** 0.5)


def test_least_risk_by_truncation():
    for K, n, m in [(4, 2, 1), (4, 3, 2), (3, 1, 5)]:
        Y = np.repeat(np.eye(K), n, axis=1)
        for bias in (True, False):
            s = np.linalg.svd(Y - Y.mean(axis=1, keepdims=True) if bias else Y)[1]
            assert sc.least_risk(K, n, m, bias=bias) == pytest.approx((s[m:] ** 2).sum() / 2)


def test_the_sharp_constant_is_a_limit():
    K, n = 3, 4
    z = np.array([1.0, -2.0])
    A, F = n**0.5 * np.outer(np.ones(K), z), np.outer(z, np.ones(K * n))  # in E₂⁺
    At, Ft, _ = sc.linearised_flow(A, F, 50)
    growth = np.sqrt(((At**2).sum() + (Ft**2).sum()) / ((A**2).sum() + (F**2).sum()))
    assert growth == pytest.approx(sc.sharp_constant(K, n), rel=1e-12)


def test_blocks_multiply_as_the_matrices_do():
    rng = np.random.default_rng(0)
    for K, n in [(2, 1), (3, 2), (4, 3)]:
        first, second = (
            dict(zip(("samples", "across", "classes"), map(tuple, np.split(rng.normal(size=7), [3, 5])), strict=True))
            for _ in range(2)
        )
        whole = sc.symmetric_matrix(K, n, **first) @ sc.symmetric_matrix(K, n, **second)
        blocks = sc.symmetric_operator(K, n, **first) @ sc.symmetric_operator(K, n, **second)
        both = (
            np.concatenate([np.ones(K * n) / (K * n) ** 0.5, np.zeros(K)]),
            np.concatenate([np.zeros(K * n), np.ones(K)]),
        )
        basis = np.array([both[0], both[1] / K**0.5]).T
        np.testing.assert_allclose(basis.T @ whole @ basis, np.array(blocks.common, float), atol=1e-10)
        v = np.zeros(K)
        v[:2] = np.sqrt(0.5), -np.sqrt(0.5)
        basis = np.array(
            [np.concatenate([np.repeat(v, n) / n**0.5, np.zeros(K)]), np.concatenate([np.zeros(K * n), v])]
        ).T
        np.testing.assert_allclose(basis.T @ whole @ basis, np.array(blocks.classes, float), atol=1e-10)
        if n > 1:
            x = np.zeros(K * n + K)
            x[:2] = np.sqrt(0.5), -np.sqrt(0.5)
            assert x @ whole @ x == pytest.approx(float(blocks.within))


def test_words_are_reduced_to_the_end():
    A, B = sp.symbols("A B", commutative=False)
    assert sc.reduced((A * B) ** 3 + B * A, {A * B: 2}) == 8 + B * A
    assert sc.reduced(A * A * B * B, {A * B: 1}) == 1


def test_sums_of_operators():
    K, n, x = sp.symbols("K n x", positive=True)
    one = sc.symmetric_operator(K, n, samples=(1, 0, 0), classes=(1, 0))
    assert one.plus(one, -1).simplified() == sc.symmetric_operator(K, n)
    assert one.plus(one, x).within == 1 + x


def test_the_linearised_flow_is_the_exponential_where_the_bias_is_settled():
    # B = Y − 11ᵀ/K for the eigenspaces other than E₂
    K, n, m = 3, 2, 1
    M = sc.symmetric_matrix(K, n, across=(1, -1 / K))
    A, F, _ = drawn(K, n, m)
    A -= A.mean(axis=0)
    F -= F.mean()
    end = expm(0.4 * M) @ np.concatenate([F[0], A[:, 0]])
    At, Ft, _ = sc.linearised_flow(A, F, 0.4)
    np.testing.assert_allclose(np.concatenate([Ft[0], At[:, 0]]), end, atol=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sc.snc_point(1, 2), "K = 1; K must be an integer ≥ 2"),
        (lambda: sc.snc_point(4, 2, 2), "m = 2; m must be an integer ≥ 3"),
        (lambda: sc.snc_errors(np.eye(2), np.ones((2, 3))), "multiple"),
        (lambda: sc.eigenspaces(np.eye(3), np.ones((2, 3))), "F must have 3 rows"),
        (lambda: sc.eigenvalues(2, 2, -1), "t = -1"),
        (lambda: sc.linearised_flow(np.eye(2), np.eye(2), -0.5), "t = -0.5"),
        (lambda: sc.linearised_flow(np.eye(2), np.eye(2), 1, loss="ce"), "loss = 'ce'"),
        (lambda: sc.linearised_flow(np.eye(2), np.eye(2), 1e4), "beyond the floats"),
        (lambda: sc.flow_on_collapse_subspace(np.eye(2), 1, 1), "must sum to 0"),
        (lambda: sc.flow_on_collapse_subspace(np.zeros((1, 1)), 1, 1), "at least 2 rows"),
        (lambda: sc.gradient_flow(np.eye(2), np.eye(2), [1, 0]), "times must increase"),
        (lambda: sc.gradient_descent(np.zeros((2, 2, 1)), np.zeros((1, 1, 2)), step=0.1, steps=1), "2 starts"),
        (lambda: sc.gradient_descent(np.zeros((1, 2, 1)), np.zeros((1, 1, 2)), step=0, steps=1), "step = 0"),
        (lambda: sc.critical_point(np.eye(2), np.eye(2), [1, 1], bias=False), "b must be 0"),
        (lambda: sc.curvature(np.eye(2), np.eye(2), None, np.eye(3), np.eye(2)), "dA has shape"),
        (lambda: sc.sharp_constant(2, 0), "n = 0"),
        (lambda: sc.least_risk(2, 1, 0), "m = 0"),
    ],
)
def test_wrong_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(("A", "F", "named"), [((0, 2, 1), (1, 1, 2), "A"), ((1, 2, 1), (0, 1, 2), "F")])
def test_no_start_at_all_is_refused(A, F, named):
    with pytest.raises(ValueError, match=rf"{named} has shape .*; {named} must not be empty"):
        sc.gradient_descent(np.zeros(A), np.zeros(F), step=0.1, steps=1)


def test_a_descent_that_diverges_is_told_as_such_whatever_numpy_does_with_overflow():
    with np.errstate(all="raise"), pytest.raises(ValueError, match="the descent diverges"):
        sc.gradient_descent(np.full((1, 2, 1), 1e60), np.full((1, 1, 2), 1e60), step=1.0, steps=9, every=9)
