r"""The scales of the SRG solution's intermediate layers (lowrank, equation (6)).

For a given last layer, the objective depends on the scales $\alpha_2, \dots, \alpha_{L-1}$ through the terms

$$
\sqrt{n \lambda_{H_1} \lambda_{W_1}}\, S_r \sqrt{\alpha_2}, \qquad
\frac{\lambda_{W_l}}2\, r\,\frac{\alpha_{l+1}}{\alpha_l} \ (2 \le l \le L-2), \qquad
\frac{\lambda_{W_{L-1}}}2\, \frac{K^2 \beta}{2\,\alpha_{L-1}}, \qquad S_r = \sqrt2 + \sqrt{(r-1)(r-2)}.
$$

It is least where the first equals 2t and every other t,

$$
t = \frac12 \Bigl( n \lambda_{H_1} \lambda_{W_1} \cdots \lambda_{W_{L-1}}\, S_r^2\, r^{L-3}\, \frac{K^2}2\, \beta
\Bigr)^{1/L}, \qquad \alpha_2 = \frac{4 t^2}{n \lambda_{H_1} \lambda_{W_1} S_r^2}, \qquad \alpha_{l+1} = \frac{2t}{r
\lambda_{W_l}}\, \alpha_l \ (2 \le l \le L-2),
$$

and the terms then add up to Lt. β is the last scale for rows of integers; the paper's, for rows of unit norm, is
$\alpha_L = \tfrac{r^2-5r+8}2 \beta$. In the logarithms of the scales all terms are convex: there is one stationary
point, and it is the minimum.
"""

from collections.abc import Callable
from fractions import Fraction
from math import prod
from typing import NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from nct.ledger import Claim, Instances, Search, Statement, require, require_at_most, require_equal
from theory import dufm
from theory.geometry import triangular_graph


class Scales(NamedTuple):
    """The statement, and where the near misses depart from it."""

    first: int = 2  # the first term as a multiple of t
    root: Callable = lambda L: L
    nuclear: Callable = lambda r: sp.sqrt(2) + sp.sqrt((r - 1) * (r - 2))
    last: int = 2  # the divisor of K²

    def at(self, r, L, lams, n, beta, S):
        """t, and α_2, …, α_{L−1}, for the nuclear norm S of a unit layer; of SymPy expressions or of floats."""
        P, K = n * prod(lams[:L]), r * (r - 1) / 2
        t = (P * S**2 * r ** (L - 3) * K**2 / self.last * beta) ** Fraction(1, self.root(L)) / 2
        alphas = [(self.first * t) ** 2 / (n * lams[0] * lams[1] * S**2)]
        for l in range(2, L - 1):
            alphas.append(2 * t / (r * lams[l]) * alphas[-1])
        return t, alphas


claim = Claim(
    id="lowrank.eq-6",
    title="Stationary scales of the SRG solution",
    source="lowrank, Appendix A.1, Definition 9, equation (6), and the proof of Theorem 5",
    verdict="holds",
    printed=Statement(
        r"\alpha_2 = \frac{4t^2}{n \lambda_{H_1} \lambda_{W_1} S_r^2},\quad "
        r"\alpha_{l+1} = \frac{2t}{r \lambda_{W_l}} \alpha_l,\quad "
        r"t = \tfrac12 \bigl(n \lambda_{H_1} \lambda_{W_1} \cdots \lambda_{W_{L-1}} S_r^2 r^{L-3} \tfrac{K^2}2 "
        r"\beta\bigr)^{1/L},"
        r"\quad S_r = \sqrt2 + \sqrt{(r-1)(r-2)}",
        Scales(),
        formulas={
            r"\sqrt2 + \sqrt{(r-1)(r-2)}": lambda scales, r=(4, 5, 7): scales.nuclear(r),
            r"\tfrac{K^2}2": lambda scales, K: K**2 / scales.last,
            "1/L": lambda scales, L=(3, 4, 7): 1 / scales.root(L),
            "4t^2": lambda scales, t: (scales.first * t) ** 2,
        },
    ),
    near_misses={
        "all terms equal, the first too": Scales(first=1),
        "K² in place of K²/2": Scales(last=1),
        "a root of order L − 1": Scales(root=lambda L: L - 1),
        "√2 left out of the nuclear norm": Scales(nuclear=lambda r: (r - 1) * ((r - 2) / (r - 1)) ** sp.Rational(1, 2)),
    },
    depends_on=["lowrank.lemma-13", "lowrank.lemma-14", "lowrank.lemma-15", "lowrank.lemma-18"],
)


@claim.check("derived", covers="all")
def test_gradient_of_the_objective_for_all_r(statement):
    # All terms are monomials in the scales: in logarithms they are convex, and t^L, the product of half the first and
    # the first again with the others, does not contain the scales (`dufm.symbolic_power`). The mean of these L terms is
    # at least t, and t just where all are equal. The stated scales make them so: at L = 3, 4 and 5 by the slopes below,
    # and a further layer's term, λ_W r α_{l+1}/(2α_l) = t, is the stated recursion.
    power, r, scale, L = dufm.symbolic_power("srg")
    for layers in (3, 4, 5, 12):
        t, _ = statement.at(r, layers, [1] * (layers + 1), 1, scale, statement.nuclear(r))
        quotient = (t**layers / power.subs(L, layers)).subs(r, 2 + L)
        require_equal(sp.simplify(quotient), 1, "t^L is not the product of the terms", L=layers)
    s, S = sp.symbols("s S_r", positive=True)
    for L in (3, 4, 5):
        problem = dufm.symbolic_loss("srg", L)  # its terms come from the matrices, each at its conditional optimum
        r, lams, n, beta = problem.size, problem.lams, problem.samples, problem.last_scale
        first, *steps, _ = problem.terms.values()
        nuclear = first / sp.sqrt(n * lams[0] * lams[1] * next(iter(problem.scales)))
        gap = sp.simplify((nuclear - statement.nuclear(r)).subs(r, 2 + s))
        require_equal(gap, 0, "the nuclear norm differs", S_r=sp.simplify(nuclear))

        t, scales = statement.at(2 + s, L, lams, n, beta, S)
        at = {r: 2 + s, **dict(zip(problem.scales, scales, strict=True))}
        terms = [first * S / nuclear, *steps]
        for alpha in problem.scales:
            slope = sum(sp.simplify((alpha * term.diff(alpha)).subs(at) / t) for term in terms)
            require_equal(sp.simplify(slope), 0, "not stationary: the slope in the logarithm", L=L, scale=alpha)
        total = sp.simplify(sum(sp.simplify(term.subs(at) / t) for term in terms))
        require_equal(total, L, "the terms do not add up to Lt", L=L)


def objective(r, L, lams, n, beta):
    """The objective (1) as a function of log α_2, …, log α_{L−1}, by explicit matrices that are otherwise optimal."""
    T, last = triangular_graph.normalised_incidence_matrix(r), triangular_graph.last_layer_pre_activations(r)

    def value(logs):
        layers = [np.exp(log / 2) * T for log in logs]
        matrices = dufm.conditionally_optimal(layers, np.sqrt(beta) * last, lams, n)
        features = np.repeat(matrices.class_means[0], n, axis=1)
        return dufm.evaluate_loss(features, matrices.weights, lams, n)

    return value


@claim.check("property", covers=Instances("r ≤ 6, L ≤ 6, n ≤ 3, log-normal λ and β, 50 drawn; single and random steps"))
@given(st.integers(4, 6), st.integers(3, 6), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_neighbours_cost_more(statement, r, L, n, seed):
    rng = np.random.default_rng(seed)
    *lams, beta = rng.lognormal(mean=-2, size=L + 2).tolist()
    value = objective(r, L, lams, n, beta)
    logs = np.log(statement.at(r, L, lams, n, beta, float(statement.nuclear(r)))[1])
    least = value(logs)
    # A step of 1/50 in a logarithm costs about a 5000th of t, far above the rounding of the objective.
    for step in (*np.eye(L - 2), *rng.standard_normal((2, L - 2))):
        for size in (0.02, -0.02, 1.0):
            require_at_most(least, value(logs + size * step), "scales nearby cost less", r=r, L=L, n=n)


@claim.check(
    "optimised",
    covers=Search(
        "BFGS from equal scales, (r, L, n) = (4, 3, 1), (5, 3, 2), (4, 4, 3), (5, 5, 1), one random β and λ each"
    ),
)
def test_search_over_all_scales(statement):
    rng = np.random.default_rng(6)
    for r, L, n in [(4, 3, 1), (5, 3, 2), (4, 4, 3), (5, 5, 1)]:
        *lams, beta = rng.lognormal(mean=-2, size=L + 2).tolist()
        value = objective(r, L, lams, n, beta)
        found = minimize(value, np.zeros(L - 2), method="BFGS", options={"gtol": 1e-7})
        t, stated = statement.at(r, L, lams, n, beta, float(statement.nuclear(r)))
        # Gradients are differences, with errors of 1e-8, and the curvature in each logarithm is of the order of t.
        tolerance = 1e-6 * max(1.0, value(np.log(stated)) / t)
        require(np.allclose(found.x, np.log(stated), atol=tolerance), "the least scales differ", r=r, L=L, n=n)
