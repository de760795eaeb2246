r"""The variational form of the Schatten quasi-norm, with its constant (lowrank, Section 4, after equation (2)).

Without all ReLUs but the last, what weight decay makes of the L matrices H₁, W₁, …, W_{L−1} in front of it is

$$
\min_{W_{L-1}\cdots W_1H_1=M} \frac{\lambda_{H_1}}2\lVert H_1\rVert_F^2 + \sum_{l=1}^{L-1}\frac{\lambda_{W_l}}2\lVert
W_l\rVert_F^2 = c\,\lVert M\rVert_{S_{2/L}}^{2/L}, \qquad c = \frac L2
(\lambda_{H_1}\lambda_{W_1}\cdots\lambda_{W_{L-1}})^{1/L}.
$$

Read: with widths of at least the rank of M, as the paper's are, so that there is a factorisation.
The paper says that c can be computed explicitly and leaves it at that; the constant is ours, the exponent the paper's.
"""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from nct.ledger import Claim, Instances, Search, Statement, require, require_at_most, require_close, require_equal
from theory import schatten


class Form(NamedTuple):
    """c(L, the product of the λ, their sum) · Σ s^p(L)."""

    constant: Any
    exponent: Any

    def value(self, matrix, lams):
        c = float(self.constant(len(lams), np.prod(lams), np.sum(lams)))
        return c * schatten.power(matrix, float(self.exponent(len(lams))))


claim = Claim(
    id="lowrank.eq-2",
    title="Variational form of the Schatten quasi-norm",
    source="lowrank, Section 4, equation (2) and the display after it",
    verdict="holds",
    printed=Statement(
        r"\min_{W_{L-1}\cdots W_1 H_1 = M} \tfrac{\lambda_{H_1}}2\|H_1\|_F^2 + "
        r"\sum_{l<L}\tfrac{\lambda_{W_l}}2\|W_l\|_F^2"
        r" = c\|M\|_{S_{2/L}}^{2/L},\quad c = \tfrac L2(\lambda_{H_1}\lambda_{W_1}\cdots\lambda_{W_{L-1}})^{1/L}",
        Form(lambda L, product, total: L * product ** (1 / sp.sympify(L)) / 2, lambda L: 2 / sp.sympify(L)),
        formulas={
            "2/L": lambda form, L=(2, 3, 5): form.exponent(L),
            r"\tfrac L2": lambda form, L=(2, 3, 5): form.constant(L, 1, L),
            "1/L": lambda form, L=(2, 3, 5): sp.log(form.constant(L, sp.E, L) / form.constant(L, 1, L)),
        },
    ),
    near_misses={
        "arithmetic mean of the λ": Form(lambda L, product, total: total / 2, lambda L: 2 / sp.sympify(L)),
        "without the factor L": Form(
            lambda L, product, total: product ** (1 / sp.sympify(L)) / 2, lambda L: 2 / sp.sympify(L)
        ),
        "exponent 1/L": Form(
            lambda L, product, total: L * product ** (1 / sp.sympify(L)) / 2, lambda L: 1 / sp.sympify(L)
        ),
    },
)

#: Lopsided weight decays for L factors, so that no two means of them coincide.
decays = st.integers(2, 5).flatmap(lambda L: st.lists(st.sampled_from([0.1, 0.5, 2.0, 3.0]), min_size=L, max_size=L))
seeds = st.integers(0, 2**32 - 1)


@claim.check("derived", covers="all")
def test_least_cost_of_one_singular_value(statement):
    # Several singular values: Horn's inequality (below) and the inequality of the means reduce any factorisation to
    # one of each value by itself, and the balanced factors attain it. So one value is left.
    # Scalars first: minimise Σ λ_i x_i/2 over x_i = a_i² > 0 with Π x_i = s². In log x_i it is a convex function
    # under a linear constraint, so the Lagrange point is the minimum: λ_i x_i = t for all i. Then Π λ_i x_i = t^L.
    s, t = sp.symbols("s t", positive=True)
    for L in range(2, 8):
        lams = sp.symbols(f"lambda_1:{L + 1}", positive=True)
        x = [t / lam for lam in lams]
        (stationary,) = sp.solve(sp.log(s**2) - sp.expand_log(sp.log(sp.prod(x))), t)
        least = sum(lam * xi for lam, xi in zip(lams, x, strict=True)).subs(t, stationary) / 2
        stated = statement.constant(L, sp.prod(lams), sum(lams)) * s ** statement.exponent(L)
        quotient = sp.expand_log(sp.log(least / stated), force=True)
        require_equal(sp.simplify(quotient), 0, "the least cost of a product with value s differs", L=L)
    # For any L: the cost is L t/2, and t^L = s² Π λ_i.
    L, product, total = sp.symbols("L Pi Sigma", positive=True)
    quotient = sp.log(L * (s**2 * product) ** (1 / L) / 2) - sp.log(
        statement.constant(L, product, total) * s ** statement.exponent(L)
    )
    require_equal(sp.simplify(sp.expand_log(quotient, force=True)), 0, "the least cost differs for some L")


@claim.check(
    "property", covers=Instances("2 ≤ L ≤ 5, up to 4 × 4, 50 drawn: normal matrices and factors, λ from four values")
)
@given(decays, st.integers(1, 4), st.integers(1, 4), seeds)
def test_attained_by_balanced_factors_and_never_undercut(statement, lams, rows, columns, seed):
    generator = np.random.default_rng(seed)
    matrix = generator.standard_normal((rows, columns)) * 3.0
    stated = statement.value(matrix, lams)
    factors = schatten.minimal_factors(matrix, lams)
    require(np.allclose(np.linalg.multi_dot(factors), matrix, atol=1e-11), "not a factorisation")
    cost = sum(lam / 2 * (factor**2).sum() for lam, factor in zip(lams, factors, strict=True))
    # s^{2/L} loses digits where s is small against s₁: at most log₁₀(s₁/s) of them, a handful for these matrices.
    require_close(cost, stated, "the balanced factors do not attain it", rtol=1e-9, L=len(lams))

    width = int(generator.integers(1, 5))
    shapes = [rows, *[width] * (len(lams) - 1), columns]
    others = [generator.standard_normal(shape) for shape in pairwise(shapes)]
    cost = sum(lam / 2 * (factor**2).sum() for lam, factor in zip(lams, others, strict=True))
    stated = statement.value(np.linalg.multi_dot(others), lams)
    require_at_most(stated * (1 - 1e-9), cost, "undercut", L=len(lams))


@claim.check(
    "property",
    covers=Instances("2 ≤ L ≤ 5, up to 5 × 5, 50 draws of normal factors"),
    blind_to={"arithmetic mean of the λ": "the inequalities do not involve the λ"},
)
@given(st.integers(2, 5), st.integers(2, 5), seeds)
def test_horn_inequalities_bound_the_product(statement, L, size, seed):
    # Why nothing undercuts it: Σ_j s_j(A₁⋯A_L)^p ≤ Σ_j Π_i s_j(A_i)^p for every p > 0, and with p = 2/L the right hand
    # side is a sum of geometric means, at most (1/L) Σ_i ‖A_i‖_F². The chain has to end at the stated constant.
    factors = np.random.default_rng(seed).standard_normal((L, size, size))
    p = float(statement.exponent(L))
    values = np.linalg.svd(factors, compute_uv=False)
    middle = (values**p).prod(axis=0).sum()
    require(schatten.power(np.linalg.multi_dot(factors), p) <= middle * (1 + 1e-9), "Horn's inequality fails")
    c = float(statement.constant(L, 1, L))
    require(c * middle <= (factors**2).sum() / 2 * (1 + 1e-12), "the means do not bound it", L=L)
    equal = np.repeat(factors[:1], L, axis=0)  # all factors alike: the means are equal
    require(np.isclose(c * (values[:1].repeat(L, 0) ** p).prod(axis=0).sum(), (equal**2).sum() / 2), "no equality", L=L)


@claim.check("optimised", covers=Search("BFGS over all factorisations, 4 random starts for each of L = 2, 3, 4, 3 × 3"))
def test_descent_over_all_factorisations(statement):
    # The first L−1 factors are free and invertible, the last is what makes the product M.
    generator = np.random.default_rng(2)
    for lams in ([0.5, 2.0], [0.3, 1.0, 2.0], [0.4, 0.7, 1.5, 2.0]):
        matrix = generator.standard_normal((3, 3))
        stated = statement.value(matrix, lams)
        shape = (len(lams) - 1, 3, 3)

        def cost(x, matrix=matrix, lams=lams, shape=shape):
            free = x.reshape(shape)
            rights = [matrix]  # the product of all factors from i on
            for factor in free:
                rights.append(np.linalg.solve(factor, rights[-1]))
            last = lams[-1] * rights[-1]
            gradient = np.empty(shape)
            back = last
            for i in reversed(range(len(free))):
                # R_{i+1} = A_i⁻¹ R_i, so a cotangent G of R_{i+1} is A_i⁻ᵀ G of R_i and −A_i⁻ᵀ G R_{i+1}ᵀ of A_i.
                back = np.linalg.solve(free[i].T, back)
                gradient[i] = lams[i] * free[i] - back @ rights[i + 1].T
            squares = sum(lam * (factor**2).sum() for lam, factor in zip(lams, [*free, rights[-1]], strict=True))
            return squares / 2, gradient.ravel()

        starts = [np.eye(3) + 0.5 * generator.standard_normal(shape) for _ in range(4)]
        best = min(minimize(cost, x.ravel(), jac=True, options={"gtol": 1e-9}).fun for x in starts)
        require_close(best, stated, "the optimiser finds another least value", rtol=1e-7, L=len(lams))
