r"""The steps of the bound for ReLU_ε (lowrank, Theorem 8, and its proof in Appendix A.2).

Theorem 8 bounds the distance of two features of the same class, in any layer, at a global minimum of the L-DUFM with
σ_ε for the ReLU. The text at hand has lost the bound (5) and the upper limit that it puts on the regularisation, so
that no constant can be checked; the distance is zero (`lowrank.relu-epsilon-exact`), below whatever positive bound was
printed. What can be checked are the proof's steps, each of which is an inequality for all networks, inputs and
functions of its kind:

1. Outputs. With ‖W_l‖ ≤ ω_l, putting σ_ε for the ReLU moves an output by at most
   $E = \varepsilon\sum_{l=2}^L\sqrt{d_l}\,\omega_l\cdots\omega_L$, with d_l the width of layer l.
2. Fits. Where one of two residuals is at most 1 and they differ by E, their fits ‖·‖²/(2K) differ by at most
   δ = E(2+E)/(2K). *The paper's text takes the square of E in place of E(2+E), which is false:* residuals 1 and 1 + E.
3. Minimisers. If g is m-strongly convex and |f − g| ≤ δ, their minimisers are at most 2√(δ/m) apart.
4. Balance. *The paper takes the terms of the regularisation to be equal at an optimum.* With σ_ε, which is not
   homogeneous, they need not be; that each is at most ½, the loss of the zero network, is enough for
   ω_l = λ_Wl^{−1/2}.

With these ω_l the steps give the bound that `theory.ufm.relu_epsilon.feature_gap` computes, of order √ε:

$$
4\sqrt{\frac{E(2+E)}{2Kn\lambda_{H_1}}}\;\prod_{j=1}^{l-1}\frac{B}{\sqrt{\lambda_{W_j}}},\qquad
E = \varepsilon\sum_{k=2}^L\sqrt{d_k}\prod_{j=k}^L\lambda_{W_j}^{-1/2},\qquad B = \max\sigma_\varepsilon'.
$$
"""

from collections.abc import Callable
from itertools import pairwise
from math import prod, sqrt
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import (
    Claim,
    Instances,
    Part,
    Search,
    Statement,
    UpperBound,
    require,
    require_at_most,
    require_close,
    require_equal,
)
from theory.ufm import Problem, ReLU, ReLUEpsilon, relu_epsilon, search


class Steps(NamedTuple):
    output: Annotated[Callable[..., Any], UpperBound]  # of ε, widths d_2 … d_L and norms ω_2 … ω_L
    fit: Annotated[Callable[[Any, Any], Any], UpperBound]  # of E and K
    minimisers: Annotated[Callable[[Any, Any], Any], UpperBound]  # of δ and m
    terms: Literal["at most ½", "equal"] = "at most ½"  # of the regularisation at an optimum

    def features(self, layer, problem):
        """The bound that the steps give."""
        norms = [1 / sqrt(lam) for lam in problem.lams[1:]]
        delta = self.fit(self.output(problem.activations[0].epsilon, problem.widths[1:], norms[1:]), problem.K)
        stretch = prod(problem.activations[0].slope * norm for norm in norms[: layer - 1])
        return 2 * self.minimisers(delta, problem.n * problem.lams[0]) * stretch


def output(epsilon, widths, norms, root=sp.sqrt):
    return epsilon * sum(
        root(width) * sp.prod(norms[k:]) for k, width in enumerate(widths)
    )  # ω_l ⋯ ω_L from layer l = k + 2 on


steps = Steps(
    output=output,
    fit=lambda gap, K: gap * (2 + gap) / (2 * K),
    minimisers=lambda delta, m: 2 * sp.sqrt(delta / m),
)

claim = Claim(
    id="lowrank.thm-8",
    title="Steps of the bound for ReLU_ε",
    source="lowrank, proof of Theorem 8 in Appendix A.2, Part 2",
    verdict="amended",
    printed=Statement(
        r"\text{outputs differ by } E \le \varepsilon\sum_{l=2}^L \sqrt{d_l}\,\omega_l\cdots\omega_L \text{; fits by }"
        r" \delta \le E^2/(2K) \text{; minimisers by } 2\sqrt{\delta/m} \text{; at an optimum all terms of the"
        r" regularisation are equal (the proof's words; its formulas are lost)}",
        steps._replace(fit=lambda gap, K: gap**2 / (2 * K), terms="equal"),
        formulas={"E^2/(2K)": lambda value, E, K: value.fit(E, K)},
    ),
    amended=Statement(
        r"\text{the same with } \delta \le E(2+E)/(2K) \text{ where one residual is at most 1; and the terms of the"
        r" regularisation are at most } \tfrac12 \text{ each, not equal}",
        steps,
        parts=["outputs", "fits", "minimisers", "terms"],
        formulas={"E(2+E)/(2K)": lambda value, E, K: value.fit(E, K)},
    ),
    near_misses={
        "without the widths": steps._replace(output=lambda *args: output(*args, root=lambda width: 1)),
        "the square of the difference": steps._replace(fit=lambda gap, K: gap**2 / (2 * K)),
        "fits without the factor ½": steps._replace(fit=lambda gap, K: gap * (1 + gap) / (2 * K)),
        "minimisers twice as near": steps._replace(minimisers=lambda delta, m: sp.sqrt(delta / m)),
        "minimisers of two functions within δ/2": steps._replace(minimisers=lambda delta, m: sp.sqrt(2 * delta / m)),
        "equal terms at an optimum": steps._replace(terms="equal"),
    },
)

STEPS = {"equal terms at an optimum": "the check is of the steps 1 to 3"}


@claim.check("derived", covers=[Part("outputs"), Part("fits"), Part("minimisers"), Part("terms")], blind_to=STEPS)
def test_steps_from_their_definitions(statement):
    # Terms: at an optimum the loss is at most that of the zero network, ½; all its terms are non-negative.
    # Outputs: e_2 = ε√d_2, e_{l+1} = ω_l e_l + ε√d_{l+1}, and ω_L e_L at the end; from L to L + 1 the sum takes up
    # one more term and every term the factor ω_{L+1}.
    epsilon = sp.Symbol("epsilon", positive=True)
    for L in range(2, 7):
        widths, norms = (sp.symbols(f"{name}2:{L + 1}", positive=True) for name in ("d", "omega"))
        gap = sp.Integer(0)
        for width, norm in zip(widths, norms, strict=True):
            gap = norm * (gap + epsilon * sp.sqrt(width))
        stated = sp.expand(statement.output(epsilon, widths, norms))
        require_equal(sp.expand(gap), stated, "another recursion", L=L)
    # Fits: | ‖a‖² − ‖b‖² | is largest where ‖a‖ = 1 and b is E longer.
    E, K, delta, m, d = sp.symbols("E K delta m d", positive=True)
    farthest = sp.expand(((1 + E) ** 2 - 1) / (2 * K))
    require_equal(sp.expand(statement.fit(E, K)), farthest, "another largest difference")
    # Minimisers: m d²/2 ≤ g(x) − g(y) ≤ 2δ.
    (farthest,) = sp.solve(m * d**2 / 2 - 2 * delta, d)
    require_equal(sp.simplify(statement.minimisers(delta, m) - farthest), 0, "another distance")


@claim.check(
    "property",
    covers=Instances("random and worst networks, residuals and functions: L ≤ 5, widths ≤ 30, 50 drawn"),
    blind_to=STEPS,
)
@given(
    st.integers(2, 5), st.integers(1, 30), st.integers(2, 9), st.sampled_from([0.01, 0.3]), st.integers(0, 2**32 - 1)
)
def test_steps_on_random_networks(statement, L, width, exponent, epsilon, seed):
    generator = np.random.default_rng(seed)
    sigma, K = ReLUEpsilon(epsilon, exponent), 3
    # Outputs of random networks, and of one in which all errors add up: every unit has the same input.
    sizes = [4, *[width] * (L - 1), K]
    random = [generator.standard_normal((b, a)) for a, b in pairwise(sizes)]
    alike = [np.ones((b, a)) / a for a, b in pairwise(sizes)]
    worst = epsilon * np.linspace(0, 1, 2001)
    worst = worst[np.argmax(worst - sigma(worst))]
    for weights, x in [(random, generator.standard_normal(4) * epsilon), (alike, np.full(4, worst))]:
        norms = [np.linalg.norm(weight, 2) for weight in weights[1:]]
        outputs = []
        for activation in (sigma, ReLU()):
            hidden = weights[0] @ x
            for weight in weights[1:]:
                hidden = weight @ activation(hidden)
            outputs.append(hidden)
        gap = np.linalg.norm(outputs[0] - outputs[1])
        stated = float(statement.output(epsilon, sizes[1:-1], norms))
        require_at_most(gap, stated * (1 + 1e-12), "outputs further apart", L=L, width=width)
    # Fits of residuals that differ by E, one of them of length at most 1.
    a = generator.standard_normal(K)
    a *= generator.uniform(0, 1) / np.linalg.norm(a)
    ray = generator.standard_normal(K)
    for short, step in [(a, ray), (a / np.linalg.norm(a), a)]:
        E = generator.uniform(0.01, 2)
        far = short + E * step / np.linalg.norm(step)
        difference = abs(far @ far - short @ short) / (2 * K)
        require_at_most(difference, float(statement.fit(E, K)) * (1 + 1e-12), "fits further apart", E=E)
    # Minimisers on a grid: g = m x²/2, and f within δ of it, at random or with a pit as far out as it can be.
    m, delta, grid = generator.uniform(0.2, 3), generator.uniform(0.01, 1), np.linspace(-6, 6, 4001)
    g = m * grid**2 / 2
    pit = 0.999 * 2 * sqrt(delta / m)
    for f in (
        g + delta * generator.uniform(-1, 1, grid.size),
        g + delta * np.where(abs(grid - pit) < 0.01 * pit, -1, 1),
    ):
        distance = abs(grid[f.argmin()])
        require_at_most(distance, float(statement.minimisers(delta, m)), "minimisers further apart", m=m, delta=delta)


@claim.check(
    "optimised",
    covers=Search("L-BFGS from 8 starts in three problems, K = 2, L = 2, 3"),
    blind_to=dict.fromkeys([name for name in claim.near_misses if name not in STEPS], "the check is of the terms"),
)
def test_terms_of_the_regularisation_at_minima(statement):
    # λ_W2 so small that the first pre-activations are inside (0, ε), where σ_ε is not homogeneous.
    for L, lams, exponent in [(2, (0.02, 0.02, 1e-3), 2), (2, (0.05, 0.05, 2e-4), 3), (3, (0.01, 0.01, 1e-2, 1e-3), 2)]:
        problem = Problem.of(2, L, lams=lams, activation=ReLUEpsilon(0.9, exponent))
        point = search(problem, starts=8, seed=L)[0]
        require(point.gradient_norm < 1e-6 and point.loss < 0.4, "no minimum found", L=L, loss=point.loss)
        terms = [
            lam * (matrix**2).sum() / 2 for lam, matrix in zip(lams, (point.features, *point.weights), strict=True)
        ]
        require_at_most(max(terms), 0.5, "a term above that of the zero network", L=L)
        spread = max(terms) / min(terms)
        if statement.terms == "equal":
            require_close(spread, 1, "terms differ at an optimum", rtol=1e-4, L=L, lams=lams)
        # What the steps give is what theory computes.
        for l in range(1, L + 1):
            module = relu_epsilon.feature_gap(l, 2, lams, problem.widths[1:], problem.activations[0])
            stated = float(steps.features(l, problem))
            require_close(module, stated, "theory.ufm.relu_epsilon says otherwise", rtol=1e-12, L=L, layer=l)
