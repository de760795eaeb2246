r"""Through a wide random ReLU layer large angles shrink faster than small ones (review, Section 1).

It is said, after Giryes et al., that in a shallow network with Gaussian random weights the angle between features of
one class shrinks faster than that between features of different classes, and that NC1 is the extreme of this in a deep
network. Read: a wide ReLU layer, an angle θ within a class that is smaller than the angle between classes.

With $\cos\theta' = \frac1\pi(\sin\theta+(\pi-\theta)\cos\theta)$ and φ = π − θ the slope is $\frac{d\theta'}{d\theta}
= \varphi\sin\varphi/\sqrt q$, $q = \pi^2-(\sin\varphi-\varphi\cos\varphi)^2$. It is below 1 on (0, π), as
$\varphi^2+\sin^2\varphi-2\varphi\sin\varphi\cos\varphi$ has the derivative $4\varphi\sin^2\varphi$ and is π² at φ = π:
so θ − θ' rises. It falls in θ, as a ball-arithmetic proof shows: θ' is concave and 0 at 0, so θ'/θ falls. Both
readings of the printed statement are false for every pair of angles.
"""

from typing import Literal, NamedTuple

import numpy as np
import sympy as sp
from flint import arb, arb_series
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require, require_equal
from theory.deep_rfm.relu_angle import angle_after


class Shrinking(NamedTuple):
    """Which of two angles shrinks faster: by the ratio θ'/θ, and by the difference θ − θ'."""

    ratio: Literal["smaller", "larger"]
    difference: Literal["smaller", "larger"]


claim = Claim(
    id="review.random-weights",
    title="Angles through a layer of random weights",
    source="review, Section 1 (after Giryes et al.)",
    verdict="amended",
    printed=Statement(
        r"\text{even in a shallow network with Gaussian random weights, the angle between intra-class features "
        r"shrinks faster than the inter-class angle}"
        r"\text{ (read: one wide ReLU layer, the smaller of two angles, by ratio and by difference)}",
        Shrinking("smaller", "smaller"),
    ),
    amended=Statement(
        r"0 < \theta_1 < \theta_2 \le \pi \Rightarrow \frac{\theta_2'}{\theta_2} < \frac{\theta_1'}{\theta_1}, \quad"
        r"\theta_2 - \theta_2' > \theta_1 - \theta_1'",
        Shrinking("larger", "larger"),
    ),
    near_misses={
        "the smaller one by ratio": Shrinking("smaller", "larger"),
        "the smaller one by difference": Shrinking("larger", "smaller"),
    },
    depends_on=["agop.prop-A1"],
    counterexample_code=r"""
from math import acos, cos, pi, sin

# Within a class 30°, between classes 90°, after one wide random ReLU layer.
def after(theta):
    return acos((sin(theta) + (pi - theta) * cos(theta)) / pi)

small, large = pi / 6, pi / 2
print(f"shares left: {after(small) / small:.3f} within, {after(large) / large:.3f} between")
assert after(small) / small > after(large) / large
assert small - after(small) < large - after(large)
""",
)


def concavity_holds():
    """M(φ) = φ²sin²φ s + (φ sinφ)' q > 0 on (0, π), of which the slope's derivative in φ is a positive multiple."""

    def M(phi, sine, cosine):
        s = sine - phi * cosine
        return phi**2 * sine**2 * s + (sine + phi * cosine) * (arb.pi() ** 2 - s**2)

    def positive(a, b):
        x = arb((a + b) / 2, (b - a) / 2)
        if bool(M(x, x.sin(), x.cos()) > 0):
            return True
        return b - a > 1e-4 and positive(a, (a + b) / 2) and positive((a + b) / 2, b)

    def third_derivative(x):
        # In θ = π − φ: φ = π − θ, sin φ = sin θ, cos φ = −cos θ; value, slope and curvature vanish at θ = 0.
        theta = arb_series([x, 1], prec=4)
        phi = arb.pi() - theta
        return M(phi, theta.sin(), -theta.cos())[3]

    # For φ near 0, where M = 0, its derivative is positive; for θ ≤ 1/4 the third one is; between them M itself.
    start = arb_series([arb(0.01, 0.01), 1], prec=2)
    near_the_end = all(bool(third_derivative(arb((i + 0.5) / 2048, 1 / 4096)) > 0) for i in range(512))
    return near_the_end and positive(0.02, 2.9) and bool(M(start, start.sin(), start.cos())[1] > 0)


@claim.check("enclosed", covers="all")
def test_slope_below_one_and_falling(statement):
    phi = sp.Symbol("phi", positive=True)
    s = sp.sin(phi) - phi * sp.cos(phi)
    # dθ'/dθ from the definition, squared: (c')²/(1 − c²) with c = s/π.
    square = sp.diff(s, phi) ** 2 / (sp.pi**2 - s**2)
    numerator = phi**2 + sp.sin(phi) ** 2 - 2 * phi * sp.sin(phi) * sp.cos(phi)
    require_equal(sp.simplify(sp.diff(numerator, phi) - 4 * phi * sp.sin(phi) ** 2), 0, "another derivative")
    gap = (sp.pi**2 - s**2) - sp.diff(s, phi) ** 2
    require_equal(sp.simplify(gap - (sp.pi**2 - numerator)), 0, "the slope is not below 1 so")
    M = phi**2 * sp.sin(phi) ** 2 * s + sp.diff(phi * sp.sin(phi), phi) * (sp.pi**2 - s**2)
    derived = sp.diff(square, phi) * (sp.pi**2 - s**2) ** 2 / (2 * phi * sp.sin(phi))
    require_equal(sp.simplify(derived - M), 0, "the slope has another derivative")
    theta = sp.Symbol("theta", positive=True)
    at_end = M.subs(phi, sp.pi - theta)
    require_equal([at_end.diff(theta, k).subs(theta, 0) for k in range(3)], [0, 0, 0], "not a triple zero")
    require_equal(M.subs(phi, 0), 0, "not zero at φ = 0")
    require_equal(statement.ratio, "larger" if concavity_holds() else "smaller", "the ratio is otherwise")
    require_equal(statement.difference, "larger", "the difference is otherwise")


@claim.check("property", covers=Instances("pairs of angles in (0, π], 50 drawn"))
@given(st.floats(1e-3, np.pi), st.floats(1e-3, np.pi))
def test_pairs_of_angles(statement, one, other):
    theta = np.sort([one, other])
    if theta[1] - theta[0] > 1e-4:
        after = np.arccos(np.clip((np.sin(theta) + (np.pi - theta) * np.cos(theta)) / np.pi, -1, 1))
        order = {True: "larger", False: "smaller"}
        ratio, difference = after / theta, theta - after
        if theta[0] > 0.05:  # below that the arc cosine loses the digits
            require_equal(statement.ratio, order[bool(ratio[1] < ratio[0])], "by ratio", theta=tuple(theta))
            require_equal(statement.difference, order[bool(difference[1] > difference[0])], "by difference")
    require(abs(angle_after(0.5) - np.arccos((np.sin(0.5) + (np.pi - 0.5) * np.cos(0.5)) / np.pi)) < 1e-12, "angle")


@claim.check("simulated", covers=Instances("angles of 30° and 90°, a layer of 200,000 features"))
def test_a_drawn_layer(statement):
    W = np.random.default_rng(0).normal(size=(200_000, 2))
    theta = np.array([np.pi / 6, np.pi / 2])
    base = np.maximum(W[:, 0], 0)
    after = []
    for angle in theta:
        other = np.maximum(W @ [np.cos(angle), np.sin(angle)], 0)
        after.append(np.arccos(base @ other / np.linalg.norm(base) / np.linalg.norm(other)))
    # The ratios differ by 0.13, the differences by 0.33; the standard error of an angle is about 0.003.
    ratio, difference = after / theta, theta - after
    require_equal(statement.ratio, "larger" if ratio[1] < ratio[0] else "smaller", "by ratio")
    require_equal(statement.difference, "larger" if difference[1] > difference[0] else "smaller", "by difference")
