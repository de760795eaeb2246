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
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import sympy as sp
import torch
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require, require_close
from numerics.kernels import CosineFeatures

KERNELS = {
    "gaussian": lambda delta, L: torch.exp(-delta.square().sum(-1) / (2 * L**2)),
    "laplace-l2": lambda delta, L: torch.exp(-delta.norm(dim=-1) / L),
    "laplace-l1": lambda delta, L: torch.exp(-delta.abs().sum(-1) / L),
}


class Approximation(NamedTuple):
    """Of each kernel, the law drawn for it; the mean of an inner product over the kernel, and the rate of its error."""

    laws: Mapping[str, str] = MappingProxyType({name: name for name in KERNELS})
    mean: float = 1.0
    rate: float = 0.5


claim = Claim(
    id="agop.rff",
    title="Random Fourier features approximate their kernel",
    source="agop, Section 3.3 and appendix D",
    verdict="holds",
    printed=Statement(
        r"\sqrt{2/D}\cos(\Omega x + b), \; b \sim U[0, 2\pi): \quad \mathbb E\,\Phi(x)^\top\Phi(z) = k(x - z), \quad"
        r"\text{error } O(D^{-1/2}), \quad k \text{ Gaussian, } \ell_2\text{- or } \ell_1\text{-Laplacian}",
        Approximation(),
    ),
    near_misses={
        "the two Laplacians exchanged": Approximation(
            laws={"gaussian": "gaussian", "laplace-l2": "laplace-l1", "laplace-l1": "laplace-l2"}
        ),
        "amplitude √(1/D)": Approximation(mean=0.5),
        "error O(1/D)": Approximation(rate=1.0),
        "error O(D^(-0.4))": Approximation(rate=0.4),
        "error O(D^(-1/4))": Approximation(rate=0.25),
    },
)


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
    b, p, q = sp.symbols("b p q", real=True)
    product = 2 * sp.integrate(sp.expand_trig(sp.cos(p + b) * sp.cos(q + b)), (b, 0, 2 * sp.pi)) / (2 * sp.pi)
    ratio = sp.simplify(product / sp.cos(p - q))
    require(ratio == sp.nsimplify(statement.mean), "the mean over the phase is not cos(p − q)", ratio=ratio)
    # The error, from the double sum of covariances of D independent terms, of variance one: the power of D.
    spread = {D: sp.sqrt(sum(sp.Rational(i == j, D**2) for i in range(D) for j in range(D))) for D in (1, 4, 9)}
    for D, error in spread.items():
        require_close(D**-statement.rate, float(error), "the error is of another order", rtol=1e-12, D=D)
    delta = (sp.Integer(3), sp.Integer(4))
    exponents = {"gaussian": sp.Rational(-25, 2), "laplace-l2": sp.Integer(-5), "laplace-l1": sp.Integer(-7)}
    for kernel, law in statement.laws.items():
        mean = mean_cosine(law, delta)
        require(
            sp.simplify(mean - sp.exp(exponents[kernel])) == 0, "the law has another kernel", kernel=kernel, mean=mean
        )


@claim.check(
    "property",
    covers=Instances("8 Gaussian points in 1–4 dimensions, bandwidths 0.3–5, 20,000 features, drawn at random"),
    blind_to={
        name: "a looser rate allows what a tighter one does; the other check"
        for name in ("error O(D^(-0.4))", "error O(D^(-1/4))")
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
            require(
                error < bound, "the features are further from the kernel", kernel=kernel, D=D, error=error, bound=bound
            )


@claim.check("simulated", covers=Instances("28 pairs in three dimensions, D = 64 and 1024, 800 draws"), resolution=0.06)
def test_spread_of_the_error(statement):
    # 800 draws at each of two widths: the root mean square error over 28 pairs against its theory, √(V/D). A variance
    # of 800 nearly normal values has relative error √(2/800); the pairs share draws, so that they do not lower it.
    generator = torch.Generator().manual_seed(28)
    X = torch.randn(8, 3, generator=generator, dtype=torch.float64)
    i, j = torch.triu_indices(8, 8, offset=1)
    for kernel, law in statement.laws.items():
        k = KERNELS[kernel](X[i] - X[j], 2.0)
        variance = 1 + KERNELS[kernel](2 * (X[i] - X[j]), 2.0) / 2 - k.square()
        for D in (64, 1024):
            products = torch.empty(800, len(i), dtype=torch.float64)
            for draw in range(800):
                phi = CosineFeatures(D, law, 2.0).draw(3, generator)(X)
                products[draw] = (phi[i] * phi[j]).sum(dim=1)
            error = (products - statement.mean * k).square().mean(dim=0)
            stated = variance / 64 * (64 / D) ** (2 * statement.rate)
            ratio = float((error / stated).mean())
            require(
                abs(ratio - 1) < 6 * math.sqrt(2 / 800),
                "the mean square error is not V/D",
                kernel=kernel,
                D=D,
                ratio=ratio,
            )
