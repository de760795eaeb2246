r"""From the steps of local elasticity to its stochastic equation (review, equations 41 and 42).

One step moves the features x of all samples to $x + ηG_jx + \sqrt ηφ$, with j the sample that is drawn, uniformly in
class and within it, and φ Gaussian of covariance Σ. For smooth f, by Taylor's formula,

$$ \tfrac1η\bigl(E f(x + ηG_jx + \sqrt ηφ) - f(x)\bigr) \to ⟨\nabla f, \bar Gx⟩ + \tfrac12\mathrm{tr}(Σ\nabla^2f),
\qquad \bar G = E G_j. $$

On class k the mean $\bar Gx$ is $\frac1K\sum_{k'} E_{kk'}T_{kk'}\bar f_{k'}$. The draw enters by
$η^2E[G_jxx^\top G_j^\top]$ and adds no diffusion; a noise term $\sqrt η G_jx$ would add $E[G_jxx^\top G_j^\top]$.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require_close, require_equal


class Limit(NamedTuple):
    """Drift and squared noise of the limit: factor of Σ_k' E_kk' T_kk' f̄_k', and diffusion from noise and draws."""

    factor: Callable[[Any], Any]  # of K
    diffusion: Callable[[Any, Any], Any]  # of Σ and the covariance of the drawn G_j x


true = Limit(lambda K: sp.Integer(1) / K, lambda noise, draws: noise)

claim = Claim(
    id="review.eq-41",
    title="The steps of local elasticity tend to a stochastic equation",
    source="review, equations 41 and 42",
    verdict="holds",
    printed=Statement(
        r"f_{k,i}^s - f_{k,i}^{s-1} = \eta E_{kk'}T_{kk'}f_{k',i'}^{s-1} + \sqrt\eta\phi \text{ with } (k',i') \text{ "
        r"drawn uniformly tends, for } t = s\eta,\ \eta \to 0 \text{, to } d\tilde F = B\bar F\,dt + \Sigma^{1/2}dW,\ "
        r"B_{kk'} = E_{kk'}T_{kk'}/K \text{ (read: the generators converge, } \bar F \text{ the means of the samples, "
        r"} \Sigma \text{ the covariance of } \phi)",
        true,
    ),
    near_misses={
        "without 1/K": true._replace(factor=lambda K: sp.Integer(1)),
        "1/(K−1)": true._replace(factor=lambda K: sp.Integer(1) / (K - 1)),
        "the draws add diffusion": true._replace(diffusion=lambda noise, draws: noise + draws),
        "half the diffusion": true._replace(diffusion=lambda noise, draws: noise / 2),
        "twice the diffusion": true._replace(diffusion=lambda noise, draws: 2 * noise),
    },
)


@claim.check("derived", covers="all")
def test_generator(statement):
    # Along any direction u of x: f(⟨u, x⟩) for any f, with p = ⟨u, G_j x⟩ and z = ⟨u, φ⟩. E z = E z³ = 0, E z² = Σ.
    p, z = sp.symbols("p z")
    root = sp.Symbol("root", positive=True)  # √η
    derivatives = sp.symbols("f0:5")
    series = sum(d * (root**2 * p + root * z) ** i / sp.factorial(i) for i, d in enumerate(derivatives))
    noise, mean, square = sp.symbols("Sigma mean square")
    limit = 0
    for (i, j, k), c in sp.Poly(sp.expand(series), root, p, z).terms():
        if i == 2:
            limit += c * {0: 1, 1: mean}[j] * {0: 1, 2: noise}[k]
        elif i == 1:
            require_equal((j, k), (0, 1), "a term of order √η whose mean is not 0")
    stated = derivatives[1] * mean + statement.diffusion(noise, square - mean**2) * derivatives[2] / 2
    require_equal(sp.expand(limit - stated), 0, "another generator")
    # The mean of the draw over K classes and n samples of each, of one row of G_j x = v(class)·f(sample).
    for K in (2, 3, 4):
        v, f_ = sp.symbols(f"v0:{K}"), [sp.symbols(f"f{k}_0:3") for k in range(K)]
        drawn = sum(v[k] * f_[k][i] for k in range(K) for i in range(3)) / (3 * K)
        factor = statement.factor(sp.Integer(K))
        require_equal(sp.expand(drawn - sum(factor * v[k] * sum(f_[k]) / 3 for k in range(K))), 0, "mean", K=K)


@claim.check(
    "property", covers=Instances("K ≤ 4, n ≤ 3, one feature, the exact second moments after many steps, 50 drawn")
)
@given(st.integers(2, 4), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_second_moments(statement, K, n, seed):
    # E[xxᵀ] moves by an exact linear map at each step. After t = ¼ for η = 2⁻ᵖ, extrapolated to η → 0.
    rng = np.random.default_rng(seed)
    E, N = rng.normal(size=(K, K)), K * n
    start = rng.normal(size=N)
    root = rng.normal(size=(N, N))
    noise = root @ root.T / N
    draws = [np.outer(np.repeat(E[:, k], n), np.eye(N)[k * n + i]) for k in range(K) for i in range(n)]
    mean, square = sum(draws) / N, sum(np.kron(G, G) for G in draws) / N
    eye, one = np.eye(N), np.array([[1.0]])
    first = np.kron(mean, eye) + np.kron(eye, mean)

    def moment(eta, steps):
        M = np.block(
            [[np.eye(N * N) + eta * first + eta**2 * square, eta * noise.reshape(-1, 1)], [np.zeros(N * N), one]]
        )
        return (np.linalg.matrix_power(M, steps) @ np.append(np.kron(start, start), 1))[:-1]

    ends = [moment(2.0**-p, 2 ** (p - 2)) for p in range(6, 14)]
    for order in range(1, len(ends)):
        ends = [(2**order * b - a) / (2**order - 1) for a, b in pairwise(ends)]
    # The limit's second moments, with its drift and diffusion, by the series of the exponential (t = ¼).
    B = np.repeat(np.repeat(E, n, axis=0), n, axis=1) / n * float(statement.factor(K))
    total = power = np.outer(start, start)
    for i in range(1, 40):
        covariance = (square @ power.ravel()).reshape(N, N) - mean @ power @ mean.T
        source = noise if i == 1 else np.zeros((N, N))
        power = (B @ power + power @ B.T + statement.diffusion(source, covariance)) * 0.25 / i
        total = total + power
    require_close(total.ravel(), ends[0], "other second moments", rtol=1e-6, atol=1e-6, K=K, n=n)
