r"""What gradient descent finds in the DUFM (lowrank, Section 6.1 with Figure 2, top).

As printed, of gradient descent on features and weights from random initialisations: the training loss ends below that
of deep neural collapse, $L_\mathrm{dnc}$; the ranks of the intermediate layers are below K, and within a run always
the same; and in all experiments the pre-activations of all intermediate layers but the last are non-negative.

The settings behind the figure are not in the text that was available. The statement is put to runs at K = 10, L = 4,
λ = 8·10⁻³ for every matrix, learning rate ½ and standard deviation 1/√width at the start. At width 20 every run ends
below L_dnc, and about nine in ten follow the whole statement, with ranks of 5 to 8; in the others the two
intermediate layers differ in rank, or some of their units are negative, so that "always" and "all" do not survive. At
width 64 every run ends at deep neural collapse to within a per mille, which the paper itself reports in its section
on the width. Amended are the share of the runs and the width.

After the paper's 200,000 steps (with --ledger-long) 58 of 64 runs at width 20 follow, 63 have one rank and 3 have ended
in the strongly regular graph; those at width 64 are at L_dnc to six digits.

That is no matter of stopping early. Descent with a fixed step holds a unit at the kink of the ReLU by stepping across
it, which leaves pre-activations of −0.1 to −0.3 % of a layer's norm; a finish by L-BFGS at a stationary point removes
most of these, and the exceptions stay.
"""

from functools import cache
from typing import Literal, NamedTuple

import pytest
import torch
from scipy.stats import binom

from nct.ledger import Claim, Statement, require
from numerics import descent

K, L, LAM, SEEDS = 10, 4, 8e-3, 32


class Pattern(NamedTuple):
    """The statement: what holds in at least a share of the runs at each of some widths."""

    share: float = 2 / 3
    widths: tuple[int, ...] = (20,)
    below: Literal["loss_dnc", "loss_srg"] = "loss_dnc"
    rank: Literal["below K", "K"] = "below K"
    non_negative: tuple[int, ...] = (2, 3)
    negative: tuple[int, ...] = (4,)


claim = Claim(
    id="lowrank.gd-low-rank",
    title="Gradient descent ends below L_dnc, at one low rank",
    source="lowrank, Section 6.1, Figure 2 (top)",
    verdict="amended",
    printed=Statement(
        r"\text{every run: } \mathcal L < \mathcal L_\mathrm{dnc},\ \operatorname{rank} M_2 = \dots = "
        r"\operatorname{rank} M_{L-1} < K,\ "
        r"\tilde H_2, \dots, \tilde H_{L-1} \ge 0,\ \tilde H_L \not\ge 0",
        Pattern(share=1, widths=(20, 64)),
    ),
    amended=Statement(
        r"\text{at least two in three runs from random initialisations, if the network is narrow (K = 10, L = "
        r"4, width 20): } "
        r"\mathcal L < \mathcal L_\mathrm{dnc},\ \operatorname{rank} M_2 = \dots = \operatorname{rank} M_{L-1} < K,\ "
        r"\tilde H_2, \dots, \tilde H_{L-1} \ge 0,\ \tilde H_L \not\ge 0",
        Pattern(),
    ),
    near_misses={
        "at width 64": Pattern(widths=(64,)),
        "below L_srg": Pattern(below="loss_srg"),
        "of rank K": Pattern(rank="K"),
        "the last layer non-negative too": Pattern(non_negative=(2, 3, 4), negative=()),
        "negative in an intermediate layer": Pattern(non_negative=(2,), negative=(3, 4)),
    },
)


@cache
def trained(width):
    steps, seeds = (40_000, SEEDS) if width < 64 else (15_000, 8)
    return descent.train(K, L, LAM, width=width, seeds=seeds, steps=steps, dtype=torch.float32, record=2)


@cache
def long_descent(width):
    """The paper's number of steps."""
    return descent.train(
        K, L, LAM, width=width, seeds=64 if width < 64 else 8, steps=200_000, dtype=torch.float32, record=2
    )


@cache
def stationary(width):
    return trained(width)[:12].polish(max_steps=600) if width < 64 else trained(width)[:8].polish(max_steps=100)


def follows(pattern, runs, tolerance):
    """Which runs follow the pattern; ranks and signs are read off at the tolerance, relative to the layer."""
    middle, negative = runs.ranks(tolerance)[:, 1:-1], runs.negativity() > tolerance
    good = (runs.losses < getattr(runs, pattern.below)) & (middle == middle[:, :1]).all(1)
    good &= (middle < K).all(1) if pattern.rank == "below K" else (middle == K).all(1)
    for l in pattern.non_negative:
        good &= ~negative[:, l - 2]
    for l in pattern.negative:
        good &= negative[:, l - 2]
    return good


def put_to(pattern, outcome, tolerance):
    for width in pattern.widths:
        runs = outcome(width)
        good = follows(pattern, runs, tolerance)
        if pattern.share == 1:
            for i in range(len(runs)):
                ranks, negativity = runs.ranks(tolerance)[i, 1:-1].tolist(), runs.negativity()[i].round(4).tolist()
                require(
                    good[i],
                    "a run does not follow",
                    width=width,
                    seed=runs.seeds[i],
                    loss=round(runs.losses[i], 6),
                    dnc=round(runs.loss_dnc, 6),
                    ranks=ranks,
                    negative=negativity,
                )
        # If at least the share of all runs followed, so few among these would be a chance below 0.1 %.
        chance = binom.cdf(good.sum(), len(runs), pattern.share)
        require(chance > 1e-3, "too few runs follow", width=width, runs=len(runs), follow=int(good.sum()))


@claim.check("simulated")
def test_gradient_descent(statement):
    put_to(statement, trained, tolerance=1e-2)  # three times the largest chatter


@pytest.mark.ledger_long
@claim.check("simulated")
def test_gradient_descent_of_200_000_steps(statement):
    put_to(statement, long_descent, tolerance=1e-2)


@claim.check("optimised")
def test_stationary_points_nearby(statement):
    for width in statement.widths:
        gradient = stationary(width).gradient_norms().max()
        require(
            gradient < 0.2 * trained(width).gradient_norms().min(), "not stationary", width=width, gradient=gradient
        )
    put_to(statement, stationary, tolerance=5e-3)
