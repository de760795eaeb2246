r"""Optima have no within-class variability in the last layer (lowrank, Theorem 6 and the first proof in Appendix A.2).

Every optimal solution of the L-DUFM, with all regularisations positive, has $H_L = M_L \otimes 1_n^\top$.

The proof's steps, in the order of the checks:

1. The loss is the mean, over selections of one sample per class, of the losses of problems with n = 1 and nλ_H1 for
   λ_H1. At an optimum all of these are equal, and optimal.
2. If two samples of a class have aligned last-layer features, x' = αx, then α = 1: with the weights fixed, the cost
   along either ray is a strongly convex quadratic.
3. Both selections make the gradient in W_L vanish; their difference is $r x^\top = r' x'^\top$ with the residuals r,
   r'. No residual is zero, so x and x' are aligned.

As an algorithm: a point that is not collapsed is not optimal, as `improvements` of it include one with a smaller loss.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import (
    Claim,
    Condition,
    Instances,
    Search,
    Statement,
    require,
    require_at_most,
    require_close,
    require_equal,
)
from theory.ufm import Point, Problem, collapsed_point, search, within_class_deviation


class Collapse(NamedTuple):
    """At which points of which problems something vanishes."""

    applies: Annotated[Callable[[Any], bool], Condition]  # a problem's regularisations
    points: Literal["optimal", "stationary"]
    deviation: Callable[[Any], float]  # of a point


def positive(lams):
    return min(lams) > 0


def last_layer(point):
    return within_class_deviation(point.layer(point.problem.L), point.problem.n)


def all_classes(point):
    return within_class_deviation(point.layer(point.problem.L), point.problem.N)


claim = Claim(
    id="lowrank.thm-6",
    title="Last-layer collapse is optimal",
    source="lowrank, Theorem 6 and its proof in Appendix A.2",
    verdict="holds",
    printed=Statement(
        r"H_L = M_L \otimes 1_n^\top at every optimal solution of the L-DUFM with positive regularisations",
        Collapse(positive, "optimal", last_layer),
    ),
    near_misses={
        "without regularisation": Collapse(lambda lams: True, "optimal", last_layer),
        "at every stationary point": Collapse(positive, "stationary", last_layer),
        "all classes on one point": Collapse(positive, "optimal", all_classes),
    },
    true_edits={
        "applies: min(lams) → max(lams)": "nothing is optimal where some but not all are zero: the scale is left to a "
        "matrix that costs nothing, the others go to zero, and the loss to 0"
    },
)


def improvements(point):
    """What the proof compares with a point: copies of single selections, rescaled, or with W_L re-fitted to them."""
    p = point.problem
    costs = point.sample_costs()
    L = p.L
    for k in range(p.K):
        for sample in range(p.n):
            chosen = costs.argmin(axis=1)
            chosen[k] = sample
            single = point.select(chosen)
            yield copies(p, single)
            # Step 2: the best multiple of the features of class k, a quadratic a t²/2 − b t.
            out, feature = single.outputs[:, k], single.features[:, k]
            a = out @ out / p.K + single.problem.lams[0] * feature @ feature
            if a > 0:
                features = single.features.copy()
                features[:, k] *= max(out[k], 0) / p.K / a
                yield copies(p, Point(single.problem, features, single.weights))
            if p.lams[L] > 0:
                yield copies(p, single.with_optimal_classifier())  # step 3


def copies(problem, single):
    return Point(problem, np.repeat(single.features, problem.n, axis=1), single.weights)


def check_not_optimal(statement, point):
    """The point has a smaller loss near it, unless it is collapsed or the statement does not speak of it."""
    if statement.applies(point.problem.lams) and statement.deviation(point) > 1e-6:
        least = min(other.loss for other in improvements(point))
        # Losses are at most of order 10 here, with relative errors of a few units of rounding.
        bound, lams = point.loss * (1 - 1e-13), point.problem.lams
        require_at_most(least, bound, "not collapsed, and nothing near it is better", strict=True, lams=lams)


@claim.check(
    "derived",
    covers="all",
    blind_to={
        "at every stationary point": "the algebra is that of optimal points",
        "all classes on one point": "the algebra is within one class",
    },
)
def test_algebra_of_steps_2_and_3(statement):
    # Step 2. Along the ray of h the cost is a t²/2 − b t + 1/(2K) + q t²/2, with a = ‖Wx‖²/K, b = (Wx)_k/K, q =
    # nλ_H1‖h‖². It is least at t = 1, so is that along the ray of h' with x' = αx, q' for q; and both least values
    # are equal.
    a, b, q, q_, alpha, t = sp.symbols("a b q q' alpha t", real=True)
    cost, other = a * t**2 / 2 - b * t + q * t**2 / 2, a * (alpha * t) ** 2 / 2 - b * alpha * t + q_ * t**2 / 2
    conditions = [cost.diff(t).subs(t, 1), other.diff(t).subs(t, 1), (cost - other).subs(t, 1)]
    eliminated = [sp.factor(c.subs(q, b - a).subs(q_, b * alpha - a * alpha**2)) for c in conditions]
    require_equal(sp.expand(eliminated[2]), sp.expand(b * (alpha - 1) / 2), "the values differ otherwise")
    # So α = 1 or b = 0; and then a + q = 0, with a ≥ 0 and q ≥ 0: h = 0 if λ_H1 > 0, so x = 0 and x' = 0.
    vanishing = conditions[0].subs(b, 0)
    for decay in (0, sp.Symbol("lambda", positive=True)):
        if statement.applies([decay if decay == 0 else 1] * 3):
            norm = sp.Symbol("norm", nonnegative=True)  # ‖h‖²
            solutions = sp.solve(vanishing.subs({q: decay * norm, a: 0}), norm)
            require_equal(solutions, [0], "the features may differ: only W x = 0 follows", decay=decay)
    # Step 3. r xᵀ = r' x'ᵀ with r, r', x, x' not zero: all 2 × 2 minors of (x, x') vanish.
    r, s, x, y = (sp.Matrix(sp.symbols(f"{name}1:3", real=True)) for name in "rsxy")
    difference = r * x.T - s * y.T
    minor = x[0] * y[1] - x[1] * y[0]
    for i in range(2):  # r_i · minor is in the ideal of the entries of the difference
        combination = difference[i, 0] * y[1] - difference[i, 1] * y[0]
        require_equal(sp.expand(combination), sp.expand(r[i] * minor), "x and x' need not be aligned", i=i)
    # A residual is not zero: W is ridge regression, so 1 − (W x)_k = λ_WL K e_kᵀ(XᵀX + Kλ_WL)⁻¹e_k, and that is
    # positive iff λ_WL is.
    s1, lam = sp.symbols("s lambda", positive=True)
    for decay in (lam, sp.Integer(0)):
        if statement.applies([1 if decay != 0 else 0] * 3):
            residual = sp.simplify(1 - s1**2 / (s1**2 + decay))
            require(residual.is_positive, "exact fit", decay=decay)


decays = st.one_of(
    st.lists(st.sampled_from([0.003, 0.01, 0.03]), min_size=3, max_size=5),
    st.lists(st.sampled_from([0.0, 0.01]), min_size=3, max_size=4),
)


@claim.check(
    "property",
    covers=Instances("random points, K ≤ 4, L ≤ 4, n ≤ 3, 50 drawn"),
    blind_to={"at every stationary point": "random points are not stationary"},
)
@given(decays, st.integers(2, 4), st.integers(2, 3), st.integers(0, 2**32 - 1))
def test_a_better_point_is_found(statement, lams, K, n, seed):
    generator = np.random.default_rng(seed)
    problem = Problem.of(K, len(lams) - 1, lams=lams, n=n)
    shapes = problem.shapes
    features, *weights = (generator.standard_normal(shape) / np.sqrt(shape[1]) for shape in shapes)
    point = Point(problem, features * np.sqrt(problem.N / K), weights)
    step_1(point)
    if positive(lams):
        point = equal_costs(point, generator)  # where step 1 gives nothing and W_L is optimal for the first samples
    check_not_optimal(statement, point)
    check_not_optimal(statement, exact_fit(K, n))
    if n == 2:
        check_not_optimal(statement, collapsed_point(Problem.of(2, 2, 0.02, n=n)))


def step_1(point):
    """The loss is the mean of those of selections, and a collapsed point has that of its single problem."""
    p = point.problem
    selected = [point.select([sample] * p.K) for sample in range(p.n)]
    mean = np.mean([s.loss for s in selected])
    require_close(mean, point.loss, "not the mean", rtol=1e-12, n=p.n)
    copied = copies(p, selected[0]).loss
    require_close(copied, selected[0].loss, "copies change the loss", rtol=1e-12, n=p.n)


def equal_costs(point, generator):
    """A point of the same problem with W_L optimal for its first samples, all samples of a class at the same cost."""
    p = point.problem
    first = point.select([0] * p.K).with_optimal_classifier()
    target = first.sample_costs()[:, 0]
    features = np.repeat(first.features, p.n, axis=1)
    for column in range(p.N):
        k, sample = divmod(column, p.n)
        for _ in range(20 if sample else 0):
            ray = generator.standard_normal(len(features))
            features[:, column] = ray
            out = Point(p, features, first.weights).outputs[:, column]
            # a t²/2 − b t + 1/(2K) = target, if some t > 0 solves it
            a, b = out @ out / p.K + p.n * p.lams[0] * ray @ ray, out[k] / p.K
            roots = np.roots([a / 2, -b, 1 / (2 * p.K) - target[k]])
            usable = [root.real for root in roots if abs(root.imag) < 1e-12 and root.real > 0]
            features[:, column] = ray * usable[0] if usable else first.features[:, k]
            if usable:
                break
    return Point(p, features, first.weights)


def exact_fit(K, n):
    """Loss zero without regularisation, the least there is, with samples of a class that differ."""
    problem = Problem.of(K, 2, 0, n=n, width=K + 1)
    features = np.vstack([problem.labels, np.arange(problem.N)])
    return Point(problem, features, [np.eye(K + 1), np.eye(K, K + 1)])


@claim.check(
    "optimised",
    covers=Search("L-BFGS, four problems with K, L ≤ 3 and n = 2, 6 to 12 random starts each"),
    blind_to={"without regularisation": "the problems searched are regularised, as others have no isolated minima"},
)
def test_minima_of_a_search(statement):
    for K, L, lam, starts in [(2, 2, 0.03, 6), (3, 2, 0.02, 8), (2, 3, 0.02, 12), (3, 3, 0.008, 12)]:
        problem = Problem.of(K, L, lam, n=2)
        # One start is stationary in a sample that is zero throughout.
        silent = search(problem, starts=1, seed=K)[0]
        features = silent.features.copy()
        features[:, 1] = 0
        silent = Point(problem, features, silent.weights)
        points = search(problem, starts=starts, seed=K, first=[silent])
        require(points[0].loss < 0.5 - 1e-3, "only the zero solution was found", K=K, L=L)
        found = False
        for point in points:
            optimal = point.loss < points[0].loss + 1e-9 and point.gradient_norm < 1e-6
            stationary = point.gradient_norm < 1e-6
            found = found or optimal
            if optimal if statement.points == "optimal" else stationary:
                # Strong convexity along rays and in W_L: a gradient of 1e-6 leaves deviations of 1e-6/λ.
                require_at_most(statement.deviation(point), 1e-5 / lam, "not collapsed", K=K, L=L, loss=point.loss)
        require(found, "no start ends at a minimum to full accuracy", K=K, L=L)
