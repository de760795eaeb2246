r"""With ReLU_ε optima have no within-class variability in any layer (lowrank, Theorem 8, in place of its bound (5)).

Theorem 8 bounds the distance of two features of a class at a global minimum of the L-DUFM with ReLU_ε, and the paper
leaves open whether it is zero. It is, in every layer, for every σ as in Definition 7 (continuously differentiable,
positive for x > 0, zero for x ≤ 0), any depth and widths, and all positive regularisations. The proof uses the
conditions that Part 1 of the paper's proof derives, for what they give:

1. As in `lowrank.thm-6`, two features h, h' of a class stand in two global minima of the problem with n = 1 and
   m = nλ_H1, alike in all other matrices. With g the gradient of the fit at W₁h, the gradients in W₁ and in h vanish:
   $gh^\top = g'h'^\top$, $W_1^\top g = -mh$, $W_1^\top g' = -mh'$.
2. If h = 0, then g' = 0 or h' = 0, and either way h' = 0. If neither is zero, neither are g and g', so that h' = αh and
   g = αg', and $-mh = W_1^\top g = \alpha W_1^\top g' = -m\alpha^2h$: α = ±1.
3. If α = −1, the layer after has y = σ(W₁h) and y' = σ(−W₁h), which have no unit in common, and gradients with
   $g_2y^\top = g_2'y'^\top$. If y ≠ 0 this gives g_2 = 0, and g = σ'(W₁h) ∘ W₂ᵀg_2 = 0. If y = 0, no entry of W₁h is
   positive, σ' is zero at all of them, and again g = 0. But then h = 0. With L = 1, g = −g' says that the label is 0.
4. So h = h', and all layers after are equal.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Condition, Instances, Search, Statement, require, require_at_most, require_equal
from theory.ufm import Point, Problem, ReLUEpsilon, objective_and_gradient, search, within_class_deviation


class Collapse(NamedTuple):
    """At which points of which problems the features of a class agree in which layers."""

    applies: Annotated[Callable[[Any], bool], Condition]  # a problem's regularisations
    points: Literal["optimal", "stationary"]
    samples: Callable[[Any], int]  # of a problem: how many neighbouring columns agree

    def deviation(self, point, layer):
        return within_class_deviation(point.layer(layer), self.samples(point.problem))


def positive(lams):
    return min(lams) > 0


def per_class(problem):
    return problem.n


def all_samples(problem):
    return problem.N


claim = Claim(
    id="lowrank.relu-epsilon-exact",
    title="Collapse of all layers is optimal for ReLU_ε",
    source="own result on lowrank, Definition 7 and Theorem 8; Section 7 leaves the question of all layers open",
    verdict="holds",
    printed=Statement(
        r"\text{at every global minimum of the L-DUFM}_\varepsilon \text{ with positive regularisations two features}"
        r"\text{ of the same class are alike in every layer: } H_l = M_l \otimes 1_n^\top,\ 1 \le l \le L",
        Collapse(positive, "optimal", per_class),
    ),
    near_misses={
        "at every stationary point": Collapse(positive, "stationary", per_class),
        "without regularisation": Collapse(lambda lams: min(lams) >= 0, "optimal", per_class),
        "all classes on one point": Collapse(positive, "optimal", all_samples),
    },
    depends_on=["lowrank.def-7", "lowrank.thm-6"],
    true_edits={
        "applies: min(lams) → max(lams)": "nothing is optimal where some but not all are zero: the scale is left to a "
        "matrix that costs nothing, the others go to zero, and the loss to 0"
    },
)

NOT_ALGEBRA = {
    "at every stationary point": "the conditions of step 1 are those of optimal points",
    "all classes on one point": "the algebra is within one class",
}


@claim.check("derived", covers="all", blind_to=NOT_ALGEBRA)
def test_conditions_at_two_features_of_a_class(statement):
    # Step 2: −m h = W₁ᵀg, with g = αg' and W₁ᵀg' = −m h' = −mα h. With m = 0 any α would do.
    alpha, h = sp.Symbol("alpha", real=True), sp.Symbol("h", nonzero=True)
    for m in (sp.Symbol("m", positive=True), sp.Integer(0)):
        if statement.applies([0 if m == 0 else 1] * 3):
            left, right = -m * h, alpha * (-m * alpha * h)
            ratios = set(sp.solve(left - right, alpha)) if left != right else None
            require_equal(ratios, {1, -1}, "the conditions leave other ratios", m=m)
    # Alignment: with a unit i of g that is not zero, the minors of (h, h') are in the ideal of the entries of the
    # difference ghᵀ − g'h'ᵀ: d_i1 h'_2 − d_i2 h'_1 = g_i (h_1 h'_2 − h_2 h'_1).
    g, g_, x, y = (sp.Matrix(sp.symbols(f"{name}1:3", real=True)) for name in ("g", "k", "x", "y"))
    difference = g * x.T - g_ * y.T
    minor = x[0] * y[1] - x[1] * y[0]
    for i in range(2):
        combined = difference[i, 0] * y[1] - difference[i, 1] * y[0]
        require_equal(sp.expand(combined), sp.expand(g[i] * minor), "the features need not be aligned", i=i)
    # Step 3, one unit at a time: z = (W₁h)_i > 0 has σ(z) > 0 = σ(−z), and the entry g₂ σ(z) = g₂' σ(−z) makes g₂ = 0;
    # z ≤ 0 has σ'(z) = 0. Of σ that needs: zero with its derivative up to 0, positive beyond. Both hold of σ_ε.
    u, p = sp.Symbol("u", positive=True), sp.Symbol("p", integer=True, positive=True)
    inside = u ** (p + 1) * (p + 1 - p * u)  # σ_ε/ε at x/ε = u ≤ 1, exponent p + 1 ≥ 2
    require_equal(sp.limit(inside.diff(u).subs(p, 1), u, 0), 0, "no derivative at 0")
    require_equal(sp.simplify(inside.diff(u).subs(u, 1)), 1, "no derivative at ε")
    require((p + 1 - p * u).subs(u, 1) == 1, "not positive inside")  # falls to 1 at u = 1


@claim.check("property", covers=Instances("random points, K ≤ 4, L = 2, 3, n = 2, 50 drawn"), blind_to=NOT_ALGEBRA)
@given(
    st.one_of(
        st.lists(st.sampled_from([0.003, 0.01, 0.03]), min_size=3, max_size=4),
        st.sampled_from([3, 4]).map(lambda k: [0.0] * k),
    ),
    st.integers(2, 4),
    st.sampled_from([0.05, 0.5]),
    st.integers(0, 2**32 - 1),
)
def test_a_better_point_is_found(statement, lams, K, epsilon, seed):
    generator = np.random.default_rng(seed)
    problem = Problem.of(K, len(lams) - 1, lams=lams, n=2, activation=ReLUEpsilon(epsilon))
    features, *weights = (generator.standard_normal(shape) / np.sqrt(shape[1]) for shape in problem.shapes)
    points = [Point(problem, features * np.sqrt(problem.N / K), weights)]
    if problem.L == 2:
        points.append(exact_fit(K, lams, epsilon))
    for point in points:
        if statement.applies(lams) and max(statement.deviation(point, l) for l in range(1, problem.L + 1)) > 1e-6:
            found = min(other.loss for other in improvements(point))
            # Losses are at most of order 10, with relative errors of a few units of rounding.
            require_at_most(found, point.loss * (1 - 1e-13), "not collapsed, and nothing near it is better", lams=lams)


def exact_fit(K, lams, epsilon):
    """The labels as outputs, with samples of a class that differ where the weights do not look."""
    problem = Problem.of(K, 2, lams=lams, n=2, width=K + 1, activation=ReLUEpsilon(epsilon))
    features = np.vstack([problem.labels, np.arange(problem.N)])
    return Point(problem, features, [np.eye(K + 1), np.eye(K, K + 1)])


def improvements(point):
    """Copies of single selections, and of what a gradient step makes of them."""
    p = point.problem
    for sample in range(p.n):
        single = point.select([sample] * p.K)
        _, gradients = objective_and_gradient(single.problem, single.features, single.weights)
        for size in (0.0, *(0.1 ** np.arange(1, 9))):
            stepped = [x - size * g for x, g in zip((single.features, *single.weights), gradients, strict=True)]
            yield Point(p, np.repeat(stepped[0], p.n, axis=1), stepped[1:])


@claim.check(
    "optimised",
    covers=Search("L-BFGS, three problems with K, L ≤ 3 and n = 2, 25 random starts each"),
    blind_to={"without regularisation": "the problems are regularised, as others have no isolated minima"},
)
def test_minima_of_a_search(statement):
    for K, L, lam, epsilon, exponent in [(2, 2, 0.03, 0.1, 2), (3, 2, 0.02, 0.4, 3), (2, 3, 0.02, 0.2, 2)]:
        problem = Problem.of(K, L, lam, n=2, activation=ReLUEpsilon(epsilon, exponent))
        # One start is stationary in a sample that is zero throughout.
        silent = search(problem, starts=1, seed=K, tolerance=1e-11)[0]
        features = silent.features.copy()
        features[:, 1] = 0
        points = search(problem, starts=25, seed=L, tolerance=1e-11, first=[Point(problem, features, silent.weights)])
        optimal = [point for point in points if point.loss < points[0].loss + 1e-12]
        require(points[0].loss < 0.5 - 1e-3 and len(optimal) > 1, "no minimum found again", K=K, L=L)
        for point in optimal if statement.points == "optimal" else points:
            if point.gradient_norm < 1e-7:
                # A gradient of 1e-7 over the least curvature, that of the decay, leaves 1e-5.
                for l in range(1, L + 1):
                    require_at_most(statement.deviation(point, l), 1e-5, "not collapsed", K=K, L=L, layer=l)
