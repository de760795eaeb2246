r"""Cosine random Fourier features approximate their kernel (agop, Section 3.3 and appendix D).

With $Φ(x) = \sqrt{2/D}\,\cos(Ωx + b)$, rows ω of Ω independent and b uniform on [0, 2π), the inner product
$Φ(x)^\top Φ(z)$ is a mean of D independent terms $2\cos(ω^\top x + b)\cos(ω^\top z + b)$. With δ = x − z its
expectation is $k(δ) = \mathbb E \cos ω^\top δ$, the kernel whose spectral law ω has, and its variance is

$$
\frac1D\Bigl(1 + \tfrac12 k(2δ) - k(δ)^2\Bigr) ≤ \frac{3}{2D}.
$$

The paper prints no formula: it calls these features "corresponding to the ℓ1-Laplacian kernel" (4,096 of them, σ =
0.05), and of random features in general that their entries are standard Gaussian or uniform, which for the ℓ1-Laplacian
they are not. Read: features of that kernel in the sense of Rahimi and Recht, as stated here.

The laws are N(0, I)/L for exp(−‖δ‖₂²/2L²); N(0, I)/(L|h|) with h standard normal (multivariate Cauchy) for
exp(−‖δ‖₂/L); and independent Cauchy/L for exp(−‖δ‖₁/L), which is the paper's. (Its 0.05, called a bandwidth, is the
rate of that exponential in the authors' code: L = 20.)
"""

import math
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

import sympy as sp
import torch
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require_at_most, require_close, require_equal
from numerics.kernels import CosineFeatures

KERNELS = {
    "gaussian": lambda delta, L: torch.exp(-delta.square().sum(-1) / (2 * L**2)),
    "laplace-l2": lambda delta, L: torch.exp(-delta.norm(dim=-1) / L),
    "laplace-l1": lambda delta, L: torch.exp(-delta.abs().sum(-1) / L),
}


class Approximation(NamedTuple):
    """Of each kernel, the law drawn for it; the mean of an inner product over the kernel, and its variance.

    ``variance(k_1, k_2)`` is that of one of D terms, from the kernel at δ and at 2δ; the error is of order D^(-rate).
    """

    laws: Mapping[str, str] = MappingProxyType({name: name for name in KERNELS})
    mean: float = 1.0
    rate: float = 0.5
    variance: Callable = lambda k_1, k_2: 1 + k_2 / 2 - k_1**2


claim = Claim(
    id="agop.rff",
    title="Random Fourier features approximate their kernel",
    source="agop, Section 3.3 and appendix D",
    verdict="holds",
    printed=Statement(
        r"\sqrt{2/D}\cos(\Omega x + b), \; b \sim U[0, 2\pi): \quad \mathbb E\,\Phi(x)^\top\Phi(z) = k(x - z), \quad"
        r"\text{variance } D^{-1}(1 + \tfrac12 k_2 - k_1^2), \; k_j = k(j(x - z)), \text{ so that the error is } "
        r"O(D^{-1/2}), \quad k \text{ Gaussian, } \ell_2\text{- or } \ell_1\text{-Laplacian}",
        Approximation(),
        formulas={
            r"D^{-1}(1 + \tfrac12 k_2 - k_1^2)": (
                lambda said, D, k_1, k_2: said.variance(k_1, k_2) * D ** (-2 * sp.nsimplify(said.rate))
            )
        },
    ),
    near_misses={
        "the two Laplacians exchanged": Approximation(
            laws={"gaussian": "gaussian", "laplace-l2": "laplace-l1", "laplace-l1": "laplace-l2"}
        ),
        "amplitude √(1/D)": Approximation(mean=0.5),
        "error O(1/D)": Approximation(rate=1.0),
        "error O(D^(-0.4))": Approximation(rate=0.4),
        "error O(D^(-1/4))": Approximation(rate=0.25),
        "error O(D^(-0.45))": Approximation(rate=0.45),
        "variance 1 − k(2δ)/2": Approximation(variance=lambda k_1, k_2: 1 - k_2 / 2),
        "amplitude 1.01 √(2/D)": Approximation(mean=1.01**2),
    },
)


@cache
def over_the_phase():
    """Means over b of a term over cos(p − q), and of its square less cos²(p − q)."""
    b, p, q = sp.symbols("b p q", real=True)
    term = sp.expand_trig(2 * sp.cos(p + b) * sp.cos(q + b))
    first, second = (sp.integrate(term**power, (b, 0, 2 * sp.pi)) / (2 * sp.pi) for power in (1, 2))
    return sp.simplify(first / sp.cos(p - q)), sp.simplify(second - sp.cos(p - q) ** 2)


@cache
def mean_cosine(law, delta):
    """E cos(ωᵀδ) in two dimensions for L = 1, from the law's density."""
    w, h = sp.symbols("w h", positive=True)
    normal = sp.sqrt(2 / sp.pi) * sp.exp(-(h**2) / 2)  # of |h|
    along = sp.sqrt(delta[0] ** 2 + delta[1] ** 2)
    if law == "laplace-l1":  # independent coordinates: a product of Cauchy characteristic functions
        one = [2 * sp.integrate(sp.cos(w * abs(x)) / (sp.pi * (1 + w**2)), (w, 0, sp.oo)) for x in delta]
        return sp.simplify(one[0] * one[1])
    # A normal vector seen along δ is a normal number; divided by |h|, a Gaussian of variance 1/h² for every h.
    gaussian = 2 * sp.integrate(sp.cos(w * along) * sp.exp(-(w**2) / 2) / sp.sqrt(2 * sp.pi), (w, 0, sp.oo))
    if law == "gaussian":
        return sp.simplify(gaussian)
    return sp.simplify(sp.integrate(normal * sp.exp(-(along**2) / (2 * h**2)), (h, 0, sp.oo)))


@claim.check(
    "derived",
    covers=Instances("one pair of points in two dimensions, three kernels"),
)
def test_expectation_from_the_density(statement):
    ratio, square = over_the_phase()
    require_equal(ratio, sp.nsimplify(statement.mean), "the mean over the phase, over cos(p − q)")
    # A term squared, over the phase: cos²(p − q) + 1/2, whose mean over ω is (1 + k(2δ))/2 + 1/2. A mean of D
    # independent terms has the variance D V/D².
    require_equal(square, sp.Rational(1, 2), "the mean square over the phase, less cos²(p − q)")
    k_1, k_2, D = sp.symbols("k_1 k_2 D", positive=True)
    variance = (1 + k_2) / 2 + sp.Rational(1, 2) - k_1**2
    require_equal(sp.expand(statement.variance(k_1, k_2) - variance), 0, "the variance of a term, less the right one")
    order = sp.simplify(D ** (-2 * sp.nsimplify(statement.rate)) * D**2 / D)
    require_equal(order, 1, "the error is of another order: the stated power of D, over the variance of a mean")
    delta = (sp.Integer(3), sp.Integer(4))
    exponents = {"gaussian": sp.Rational(-25, 2), "laplace-l2": sp.Integer(-5), "laplace-l1": sp.Integer(-7)}
    for kernel, law in statement.laws.items():
        mean = mean_cosine(law, delta)
        require_equal(sp.simplify(mean), sp.exp(exponents[kernel]), "the law has another kernel", kernel=kernel)


@claim.check(
    "property",
    covers=Instances("8 Gaussian points in 1–4 dimensions, bandwidths 0.3–5, 20,000 features, drawn at random"),
    blind_to={
        name: "a looser rate allows what a tighter one does; the other check"
        for name in ("error O(D^(-0.45))", "error O(D^(-0.4))", "error O(D^(-1/4))")
    }
    | {
        "variance 1 − k(2δ)/2": "the check is of the largest error",
        "amplitude 1.01 √(2/D)": "2 % of the mean is within the error of 20,000 features",
    },
)
@given(st.sampled_from(sorted(KERNELS)), st.integers(1, 4), st.floats(0.3, 5.0), st.integers(0, 10**6))
def test_random_pairs(statement, kernel, d, bandwidth, seed):
    # The mean of 2·10⁴ terms of variance at most 3/2, bounded by 2: six standard errors. For the rate, the
    # width is quadrupled: the allowance shrinks as stated, from that of the smaller width.
    generator = torch.Generator().manual_seed(seed)
    X = torch.randn(8, d, generator=generator, dtype=torch.float64)
    expected = statement.mean * KERNELS[kernel](X[:, None] - X, bandwidth)
    allowed = 6 * math.sqrt(1.5 / 500)
    for D in (500, 20_000):
        drawn = CosineFeatures(D, statement.laws[kernel], bandwidth).draw(d, generator)
        phi = drawn(X)
        error = float((phi @ phi.T - expected).abs().max())
        bound = allowed * (500 / D) ** statement.rate
        if kernel == "laplace-l1" or statement.laws[kernel] == kernel:
            require_at_most(error, bound, "the features are further from the kernel", kernel=kernel, D=D)


@cache
def moments(law, kernel):
    """Of six pairs of points: the kernel at δ and 2δ, the mean of 2²⁰ terms, and mean squares of means of D of them."""
    generator = torch.Generator().manual_seed(28)
    X = torch.randn(4, 3, generator=generator, dtype=torch.float64)
    i, j = torch.triu_indices(4, 4, offset=1)
    k_1, k_2 = (KERNELS[kernel](times * (X[i] - X[j]), 2.0) for times in (1, 2))
    phi = CosineFeatures(TERMS, law, 2.0).draw(3, generator)(X)
    terms = phi[i] * phi[j] * TERMS  # independent: any D of them are the terms of an inner product of D features
    squares = {D: (terms.reshape(len(i), -1, D).mean(dim=2) - k_1[:, None]).square() for D in WIDTHS}
    return k_1, k_2, terms.mean(dim=1), squares


TERMS, WIDTHS = 2**20, (4, 256)


@claim.check(
    "simulated", covers=Instances("six pairs in three dimensions, D = 4 and 256, 2²⁰ features"), resolution=0.02
)
def test_mean_and_spread_of_the_error(statement):
    for kernel, law in statement.laws.items():
        k_1, k_2, mean, squares = moments(law, kernel)
        variance = statement.variance(k_1, k_2)
        # Six standard errors: of the mean, √(V/2²⁰); of a mean square, from the sample.
        off = ((mean - statement.mean * k_1).abs() / (variance.clamp(min=1e-9) / TERMS).sqrt()).max()
        require_at_most(float(off), 6, "the mean is not the kernel, in standard errors", kernel=kernel)
        level = {D: squares[D].mean() for D in WIDTHS}
        spread = {D: float(squares[D].mean(dim=0).std() / squares[D].shape[1] ** 0.5 / level[D]) for D in WIDTHS}
        first = float(level[4] * 4 ** (2 * statement.rate) / variance.mean())
        require_close(first, 1, "the mean square error at D = 4 is not V/D", atol=6 * spread[4], kernel=kernel)
        # The exponent from the two widths; its standard error is 0.003.
        exponent = float(torch.log(level[4] / level[256])) / math.log(64) / 2
        error = math.hypot(*spread.values()) / math.log(64) / 2
        require_close(exponent, statement.rate, "the error's exponent", atol=6 * error, kernel=kernel, error=error)
