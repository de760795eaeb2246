r"""Deep neural collapse with two classes (lowrank, abstract, Sections 1, 2 and 6.1).

For K = 2 and any number of layers the paper takes over that collapse is optimal, and reports to have seen it
irrespective of other hyperparameters:

$$
\min_{H_1,W_1,\dots,W_L} \mathcal L \;=\; L_{dnc} \;=\; \min_{u\ge0}\; \frac L2\,\kappa\,u^{1/L} + \frac1{2(1+u)},
\qquad \kappa = 2\,(2n\lambda_{H_1}\lambda_{W_1}\cdots\lambda_{W_L})^{1/L}.
$$

Searches find nothing below; they are no proof.
"""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from nct.ledger import Claim, Statement, require
from theory.ufm import Point, Problem, collapsed_point, least_over_scale, search


class Least(NamedTuple):
    """The least loss as the least over log u of a function of L, κ and u."""

    objective: Any

    def loss(self, problem):
        def objective(log_u):
            return self.objective(problem.L, np.exp(problem.log_kappa), np.exp(log_u))

        # A grid finds the minimum right of the inflection, if there is one; |log u| ≤ 12 for the problems here.
        nodes = np.linspace(-12, 12, 97)
        best = nodes[np.argmin(objective(nodes))]
        near = minimize_scalar(objective, bounds=(best - 0.3, best + 0.3), method="bounded", options={"xatol": 1e-9})
        return min(objective(-np.inf), near.fun)


claim = Claim(
    id="lowrank.two-classes",
    title="Collapse with two classes",
    source="lowrank, abstract, Sections 1, 2 and 6.1 (after Súkeník, Mondelli and Lampert, its reference [49])",
    verdict="holds",
    printed=Statement(
        r"K = 2:\ \min\mathcal L = L_{dnc} = \min_u \tfrac L2\kappa u^{1/L} + \tfrac1{2(1+u)}",
        Least(lambda L, kappa, u: L / 2 * kappa * u ** (1 / L) + 1 / (2 * (1 + u))),
    ),
    near_misses={
        "L + 1 matrices pay for the scale": Least(
            lambda L, kappa, u: (L + 1) / 2 * kappa * u ** (1 / L) + 1 / (2 * (1 + u))
        ),
        "L − 1 matrices pay for the scale": Least(
            lambda L, kappa, u: (L - 1) / 2 * kappa * u ** (1 / L) + 1 / (2 * (1 + u))
        ),
        "ridge regression with twice the decay": Least(
            lambda L, kappa, u: L / 2 * kappa * u ** (1 / L) + 1 / (2 * (1 + u / 2))
        ),
    },
)


def problem_at(L, u, n, skew, width):
    """A problem whose collapsed solution is stationary at u, with λ_W1 = skew · λ_H1 and the rest alike."""
    # κ = u^{1−1/L}/(1+u)², and 2(2n Π λ)^{1/L} = κ
    log_kappa = (1 - 1 / L) * np.log(u) - 2 * np.log1p(u)
    log_product = L * (log_kappa - np.log(2)) - np.log(2 * n)
    lam = np.exp((log_product - np.log(skew)) / (L + 1))
    return Problem.of(2, L, lams=(lam, skew * lam, *[lam] * (L - 1)), n=n, width=width)


def least_at_shape(point):
    """The least loss over the scales of the matrices of a point with n = 1, with W_L at its optimum."""
    p = point.problem
    log_norms = [np.log((matrix**2).sum()) for matrix in (point.features, *point.weights[:-1])]
    log_kappa = (sum(map(np.log, p.lams)) + np.log(p.K) + sum(log_norms)) / p.L
    squares = np.linalg.svd(point.layer(p.L), compute_uv=False) ** 2
    return least_over_scale(p.L, log_kappa, squares).loss


@claim.check("property")
@given(
    st.integers(2, 6),
    st.floats(1.0, 4.0),
    st.integers(1, 3),
    st.sampled_from([0.2, 1.0, 3.0]),
    st.integers(0, 2**32 - 1),
)
def test_collapse_attains_it_and_random_shapes_do_not_undercut(statement, L, beyond, n, skew, seed):
    problem = problem_at(L, (L - 1) * beyond + 0.2, n, skew, width=3)
    stated = statement.loss(problem)
    # Explicit matrices through the objective; losses are of order 1.
    require(abs(collapsed_point(problem).loss - stated) < 1e-11, "collapse has another loss", L=L, n=n)
    generator = np.random.default_rng(seed)
    single = problem.single()
    shapes = [(3, 2), *[(3, 3)] * (L - 1), (2, 3)]
    for _ in range(5):
        features, *weights = (generator.standard_normal(shape) for shape in shapes)
        weights = [abs(weight) if generator.random() < 0.5 else weight for weight in weights]
        point = Point(single, features, weights)
        if point.layer(L).any():
            require(least_at_shape(point) >= stated - 1e-11, "a random shape has a smaller loss", L=L)


@claim.check("optimised")
def test_multi_start_on_the_true_objective(statement):
    # From random starts few runs end at the minimum where L is large; most learn one class, or none.
    for L, u, n, starts in [
        (2, 1.1, 1, 10),
        (2, 3.0, 2, 6),
        (3, 2.1, 1, 30),
        (3, 5.0, 2, 10),
        (4, 4.0, 1, 40),
        (5, 6.0, 1, 40),
    ]:
        problem = problem_at(L, u, n, 0.5, width=6)
        stated = statement.loss(problem)
        best = search(problem, starts=starts, seed=L)[0]
        # The gradient is below 1e-9 at a smooth minimum, where the loss is then exact to rounding; at a kink L-BFGS
        # stops with some digits fewer, above it.
        require(best.loss >= stated - 1e-9, "a search ends below", L=L, n=n, loss=best.loss)
        require(best.loss <= stated + 1e-6, "no start comes down to it", L=L, n=n, loss=best.loss)
