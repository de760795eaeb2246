"""Closed forms of the unconstrained features model against independent optimisers, on random problems each.

Every entry draws a problem, and returns the closed form's least risk and the one that L-BFGS finds from several random
starts, which knows the risk and its gradient and nothing of the formula. An optimiser can stop above the minimum; below
it only by rounding, or where it violates a constraint a little (`ball_minimiser`): the difference has a sign. Flows are
compared with an integrator at a relative tolerance of 1e-12: the two values are the norm of the closed form's point,
and that plus the distance of the other point.

Run it with `OMP_NUM_THREADS=1 python benchmarks/review_closed_forms.py`; it takes a few minutes on one core;
`--entries NAME …` runs some.
"""

import json

import numpy as np
import record
from scipy.integrate import solve_ivp
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax

from theory import contrastive
from theory.ufm import cross_entropy, layer_peeled, squared_error, strong_collapse

Pair = tuple[float, float]


def sizes(rng):
    return int(rng.integers(2, 6)), int(rng.integers(1, 5)), int(rng.integers(1, 8))


def decays(rng, count):
    return (10 ** rng.uniform(-3, -0.5, count)).tolist()


def least_found(value, size, rng, starts, bounds=None):
    options = {"ftol": 1e-15, "gtol": 1e-12, "maxiter": 3_000, "maxfun": 6_000, "maxcor": 20}
    starts = [rng.normal(size=size) * rng.choice([0.3, 1.0, 3.0]) for _ in range(starts)]
    if bounds is not None:
        starts = [np.clip(x, *np.array(bounds, float).T) for x in starts]
    runs = [minimize(value, x, jac=True, method="L-BFGS-B", bounds=bounds, options=options) for x in starts]
    return float(min(run.fun for run in runs))


def product_risk(shapes, lams, target, scale, bias=False):
    """scale/2 ‖A₁ ⋯ A_L + b1ᵀ − target‖² + Σ (λ_i/2) ‖A_i‖² and its gradient."""
    cuts = np.cumsum([rows * columns for rows, columns in shapes])

    def value(x):
        factors = [part.reshape(s) for part, s in zip(np.split(x, cuts)[:-1], shapes, strict=True)]
        left, right = [np.eye(shapes[0][0])], [np.eye(shapes[-1][1])]
        for factor in factors:
            left.append(left[-1] @ factor)
        for factor in factors[::-1]:
            right.append(factor @ right[-1])
        E = left[-1] - target + (x[cuts[-1] :][:, None] if bias else 0)
        slopes = [scale * left[i].T @ E @ right[-2 - i].T + lams[i] * f for i, f in enumerate(factors)]
        total = scale / 2 * np.sum(E**2) + sum(lam / 2 * np.sum(f**2) for lam, f in zip(lams, factors, strict=True))
        parts = [slope.ravel() for slope in slopes] + ([scale * E.sum(axis=1)] if bias else [])
        return total, np.concatenate(parts)

    return value, int(cuts[-1]) + bias * shapes[0][0]


def labels(K, n):
    return np.repeat(np.eye(K), n, axis=1)


def mse_optimum(rng, bias=False) -> Pair:
    K, n, m = sizes(rng)
    lams = decays(rng, 2)
    value, size = product_risk([(K, m), (m, K * n)], lams, labels(K, n), 1 / (K * n), bias)
    return squared_error.ufm_mse_optimum(K, n, m, *lams, bias=bias).loss, least_found(value, size, rng, 3)


def mse_optimum_with_bias(rng) -> Pair:
    return mse_optimum(rng, bias=True)


def three_factor_optimum(rng) -> Pair:
    K, n, m = sizes(rng)
    lams = decays(rng, 3)
    value, size = product_risk([(K, m), (m, m), (m, K * n)], lams, labels(K, n), 1 / (K * n))
    found = squared_error.three_factor_optimum(K, n, m, lams).loss
    return found, min(0.5, least_found(value, size, rng, 40))  # the zero point is one more start


def batchnorm_optimum(rng) -> Pair:
    K, n, _ = sizes(rng)
    m, lam = K + int(rng.integers(0, 3)), float(10 ** rng.uniform(-2, 0.5))
    # F_BN with its scales and shifts is any matrix; where it is negative the ReLU makes it 0 for more decay.
    value, size = product_risk([(K, m), (m, K * n)], [lam, lam], labels(K, n), 1)
    bounds = [(-np.inf, np.inf)] * (K * m) + [(0, np.inf)] * (m * K * n)
    found = squared_error.batchnorm_optimum(K, n, m, lam).loss
    return found, least_found(value, size, rng, 4, bounds)


def flow(A, F, b, t, loss, linearised) -> np.ndarray:
    """The flow of the squared error at time t by an integrator, linearised at A = 0 and F = 0 or in full."""
    (K, m), N = A.shape, F.shape[1]
    Y, scale = labels(K, N // K), 1 / N if loss == "mse" else 1

    def slope(_, x):
        A, F, b = x[: K * m].reshape(K, m), x[K * m : -K].reshape(m, N), x[-K:]
        E = scale * (Y - b[:, None] - (0 if linearised else A @ F))
        return np.concatenate([(E @ F.T).ravel(), (A.T @ E).ravel(), E.sum(axis=1)])

    start = np.concatenate([A.ravel(), F.ravel(), b])
    return solve_ivp(slope, (0, t), start, method="DOP853", rtol=1e-12, atol=1e-14).y[:, -1]


def distance(closed, integrated) -> Pair:
    closed = np.concatenate([part.ravel() for part in closed])
    size = float(np.linalg.norm(closed))
    return size, size + float(np.linalg.norm(closed - integrated))


def linearised_flow(rng) -> Pair:
    K, n, m = sizes(rng)
    loss, t = str(rng.choice(["se", "mse"])), rng.uniform(0, 2) / n**0.5
    t *= K * n if loss == "mse" else 1
    A, F = rng.normal(size=(K, m)), rng.normal(size=(m, K * n))
    other = flow(A, F, np.zeros(K), t, loss, linearised=True)
    return distance(strong_collapse.linearised_flow(A, F, t, loss=loss), other)


def flow_on_collapse_subspace(rng) -> Pair:
    K, n, m = sizes(rng)
    loss, t = str(rng.choice(["se", "mse"])), rng.uniform(0, 2) / n**0.5
    t *= K * n if loss == "mse" else 1
    A, beta = rng.normal(size=(K, m)) * rng.choice([0.01, 0.3, 1.0]), float(rng.normal())
    A -= A.mean(axis=0)
    F = np.repeat(A.T, n, axis=1) / n**0.5
    other = flow(A, F, np.full(K, beta), t, loss, linearised=False)
    return distance(strong_collapse.flow_on_collapse_subspace(A, n, t, beta=beta, loss=loss), other)


def ce_optimum(rng) -> Pair:
    K, n, _ = sizes(rng)
    m, lams, lam_b = K - 1 + int(rng.integers(0, 4)), decays(rng, 2), float(10 ** rng.uniform(-3, 0))
    N, own = K * n, (np.repeat(np.arange(K), n), np.arange(K * n))

    def value(x):
        A, F, b = x[: K * m].reshape(K, m), x[K * m : -K].reshape(m, N), x[-K:]
        H = A @ F + b[:, None]
        G = softmax(H, axis=0) / N
        loss = np.mean(logsumexp(H, axis=0) - H[own])
        G[own] -= 1 / N
        slopes = (G @ F.T + lams[0] * A, A.T @ G + lams[1] * F, G.sum(axis=1) + lam_b * b)
        decay = (lams[0] * np.sum(A**2) + lams[1] * np.sum(F**2) + lam_b * b @ b) / 2
        return loss + decay, np.concatenate([slope.ravel() for slope in slopes])

    found = cross_entropy.ce_optimum(K, n, *lams, m=m).loss
    return found, least_found(value, K * m + m * N + K, rng, 3)


def ball_minimiser(rng) -> Pair:
    K, R, k = int(rng.integers(2, 7)), float(10 ** rng.uniform(-1, 0.5)), 0
    centre = rng.normal(size=K) * rng.choice([0.0, 1.0, 3.0])
    ball = {"type": "ineq", "fun": lambda u: R * R - u @ u, "jac": lambda u: -2 * u}

    def value(u):
        return logsumexp(centre + u) - centre[k] - u[k]

    runs = [
        minimize(
            value,
            rng.normal(size=K) * R / K,
            jac=lambda u: softmax(centre + u) - np.eye(K)[k],
            constraints=ball,
            method="SLSQP",
            options={"ftol": 1e-16, "maxiter": 500},
        )
        for _ in range(2)
    ]
    h = cross_entropy.ball_minimiser(K, R, k, centre)
    return float(logsumexp(h) - h[k]), float(min(run.fun for run in runs))


def sphere_minimum(rng) -> Pair:
    K, n = int(rng.integers(2, 5)), int(rng.integers(1, 3))
    m, norm2, N = K - 1 + int(rng.integers(0, 3)), float(10 ** rng.uniform(0, 1.5)), K * n
    own, radius = (np.repeat(np.arange(K), n), np.arange(N)), norm2**0.5

    def value(x):
        size = np.linalg.norm(x)
        z = x * radius / size
        A, F = z[: K * m].reshape(K, m), z[K * m :].reshape(m, N)
        H = A @ F
        G = softmax(H, axis=0) / N
        G[own] -= 1 / N
        slope = np.concatenate([(G @ F.T).ravel(), (A.T @ G).ravel()]) * radius / size
        return np.mean(logsumexp(H, axis=0) - H[own]), slope - x * (x @ slope) / size**2

    return cross_entropy.sphere_minimum(K, n, norm2), least_found(value, (K + N) * m, rng, 2)


def layer_peeled_optimum(rng) -> Pair:
    a, b, budget = int(rng.integers(1, 5)), int(rng.integers(1, 5)), float(10 ** rng.uniform(-1, 0.5))
    r, K = float(10 ** rng.uniform(0, 2)), a + b
    weights = np.repeat([r, 1.0], [a, b]) / (r * a + b)

    def value(x):
        A, F = x.reshape(2, K, K)
        lengths = np.linalg.norm(A), np.linalg.norm(F)
        scale = K * budget / lengths[0] / lengths[1]
        Z = scale * A @ F
        G = (softmax(Z, axis=0) - np.eye(K)) * weights
        along = np.sum(G * Z)
        slopes = scale * G @ F.T - A * (along / lengths[0] ** 2), scale * A.T @ G - F * (along / lengths[1] ** 2)
        return (logsumexp(Z, axis=0) - np.diag(Z)) @ weights, np.concatenate([slope.ravel() for slope in slopes])

    found = layer_peeled.layer_peeled_optimum(a, b, r, budget, budget)
    return found.loss, least_found(value, 2 * K * K, rng, 3)


def fixed_classifier_features(rng) -> Pair:
    K, m, radius = int(rng.integers(2, 7)), int(rng.integers(1, 6)), float(10 ** rng.uniform(-1, 0.7))
    A, k = rng.normal(size=(K, m)), 0
    ball = {"type": "ineq", "fun": lambda h: radius**2 - h @ h, "jac": lambda h: -2 * h}
    options = {"ftol": 1e-16, "maxiter": 500}

    def value(h):
        return logsumexp(A @ h) - A[k] @ h

    runs = [
        minimize(
            value,
            rng.normal(size=m) * radius / m,
            jac=lambda h: A.T @ (softmax(A @ h) - np.eye(K)[k]),
            constraints=ball,
            method="SLSQP",
            options=options,
        )
        for _ in range(2)
    ]
    h = layer_peeled.fixed_classifier_features(A, radius)[:, k]
    return float(value(h)), float(min(run.fun for run in runs))


def supcon_bound(rng) -> Pair:
    K, n, tau = int(rng.integers(2, 5)), int(rng.integers(1, 4)), float(10 ** rng.uniform(-0.5, 0.5))
    m, omega, N = K - 1 + int(rng.integers(0, 3)), float(10 ** rng.uniform(-1, 0.5)), K * n
    own = np.kron(np.eye(K), np.ones((n, n))) / n

    def value(x):
        F, size = x.reshape(m, N), x @ x
        scale = N * omega / size / tau
        Z = scale * F.T @ F
        G = (softmax(Z, axis=1) - own) / N
        slope = scale * F @ (G + G.T)
        loss = np.mean(logsumexp(Z, axis=1) - (Z * own).sum(axis=1))
        return loss, (slope - F * ((slope * F).sum() / size)).ravel()

    return contrastive.supcon_bound(K, n, tau, omega).value, least_found(value, m * N, rng, 3)


#: One entry a closed form: draws a problem, returns the formula's value and the optimiser's.
ENTRIES = [mse_optimum, mse_optimum_with_bias, three_factor_optimum, batchnorm_optimum]
ENTRIES += [linearised_flow, flow_on_collapse_subspace, ce_optimum, ball_minimiser, sphere_minimum]
ENTRIES += [layer_peeled_optimum, fixed_classifier_features, supcon_bound]


def compare(entry, problems):
    pairs = np.array([entry(np.random.default_rng([1, seed])) for seed in range(problems)])
    difference = pairs[:, 1] / pairs[:, 0] - 1
    return {
        "problems": problems,
        "largest_relative_difference": float(np.abs(difference).max()),
        "lowest": float(difference.min()),
        "within_1e-9": int((np.abs(difference) <= 1e-9).sum()),
    }


def main():
    arguments = record.parser(__doc__)
    arguments.add_argument("--problems", type=int, default=200)
    arguments.add_argument("--entries", nargs="+", metavar="NAME", help="only these; what was found of others is kept")
    options = arguments.parse_args()
    kept = record.RESULTS / "review_closed_forms.json"
    results = json.loads(kept.read_text(encoding="utf-8"))["entries"] if options.entries and kept.exists() else {}
    chosen = [entry for entry in ENTRIES if not options.entries or entry.__name__ in options.entries]
    results |= {entry.__name__: compare(entry, options.problems) for entry in chosen}
    print(record.write("review_closed_forms", {"entries": results}, "numpy", "scipy").read_text())


if __name__ == "__main__":
    main()
