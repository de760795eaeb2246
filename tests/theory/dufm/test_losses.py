"""L_dnc, L_srg and their ratio: accuracy against 50 digits, the global minimum, broadcasting, wrong input."""

import subprocess
import sys
from fractions import Fraction

import dufm_reference as reference
import numpy as np
import pytest

from theory import dufm
from theory.ufm import log_exact, minimise_scale


def relative_errors(K, L, lams, n):
    pairs = [(dufm.dnc_loss, reference.dnc_loss), (dufm.srg_loss, reference.srg_loss)]
    exact = [float(theirs(K, L, lams, n)) for _, theirs in pairs]
    return [abs(ours(K, L, lams=lams, n=n) / value - 1) for (ours, _), value in zip(pairs, exact, strict=True)]


def random_problem(rng):
    K = int(np.exp(rng.uniform(np.log(6), np.log(1e6))))
    return K, int(rng.integers(3, 61)), int(rng.choice([1, 7, 500]))


@pytest.mark.parametrize("seed", range(60))
def test_relative_error_of_one_regularisation(seed):
    rng = np.random.default_rng(seed)
    K, L, n = random_problem(rng)
    assert max(relative_errors(K, L, [10 ** rng.uniform(-30, 0)] * (L + 1), n)) < 1e-12


@pytest.mark.parametrize("seed", range(60))
def test_relative_error_of_mixed_regularisation(seed):
    rng = np.random.default_rng(seed)
    K, L, n = random_problem(rng)
    lams = np.minimum(1.0, 10 ** (rng.uniform(-20, -1) + rng.uniform(-5, 5, L + 1)))
    assert max(relative_errors(K, L, lams.tolist(), n)) < 1e-12


@pytest.mark.parametrize("seed", range(60))
def test_global_minimum_near_the_threshold(seed):
    """Just below the threshold f has several local minima, and which one is global changes."""
    rng = np.random.default_rng(seed)
    K, L, n = random_problem(rng)
    inside, outside = -60.0, 0.0
    while outside - inside > 1e-9:
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if dufm.srg_loss(K, L, 10**middle, n=n) < 0.5 else (inside, middle)
    for distance in (0.0, 1e-3, 0.05):
        assert max(relative_errors(K, L, [10 ** (inside - distance)] * (L + 1), n)) < 1e-12


def test_a_local_minimum_is_not_taken_for_the_global_one():
    """Random spectra with eigenvalues far apart, where fitting only the large ones is often best."""
    rng = np.random.default_rng(0)
    N, bumps = 2000, 3
    weights = rng.dirichlet(np.ones(bumps), N).T
    log_e = np.sort(rng.uniform(0, 30, (bumps, N)), axis=0)[::-1]
    log_e[-1] = 0.0
    L, log_kappa = rng.integers(3, 20, N), rng.uniform(-6, 1, N)
    found = minimise_scale(log_kappa, L, weights, np.exp(log_e))
    grid = np.linspace(-40.0, 60.0, 8001)[:, None]
    fits = sum(w / (1 + np.exp(grid + e)) for w, e in zip(weights, log_e, strict=True))
    values = 0.5 * (L * np.exp(log_kappa + grid / L) + fits)
    lowest = np.minimum(values.min(0), 0.5)
    assert (found.value <= lowest * (1 + 1e-12)).all()
    np.testing.assert_allclose(found.value, lowest, rtol=1e-4)  # the grid's own error, of second order in its spacing
    partial = np.isfinite(found.log_u) & (found.log_u < -1.0)
    assert 0.1 < partial.mean() < 0.9  # both kinds of minimum occur


def test_zero_solution_beyond_the_threshold():
    assert dufm.dnc_loss(10, 4, 1.0) == dufm.srg_loss(10, 4, 1.0) == 0.5
    assert dufm.loss_ratio(10, 4, 1.0) == 1.0
    blocks = dufm.srg_loss(np.arange(6, 5000), 5, 1.0)
    assert (blocks == 0.5).all()  # exactly, though the parts of a block construction add up
    r = np.arange(4, 3000)
    assert (dufm.srg_loss(r * (r - 1) // 2, 5, 1.0) == 0.5).all()


def test_threshold_of_dnc_is_the_closed_form():
    """L_dnc < ½ iff n λ_H1 ⋯ λ_WL < (L−1)^{L−1}/(K^{L+1} L^{2L})."""
    for K, L, n in [(6, 3, 1), (10, 4, 5), (45, 7, 2)]:
        lam = float(Fraction((L - 1) ** (L - 1), n * K ** (L + 1) * L ** (2 * L))) ** (1 / (L + 1))
        assert dufm.dnc_loss(K, L, lam * (1 - 1e-9), n=n) < 0.5
        assert dufm.dnc_loss(K, L, lam * (1 + 1e-9), n=n) == 0.5


def test_no_warning_at_the_extremes(recwarn):
    for K in (6, 7, 10**6, 10**12):
        for L in (3, 60, 1000):
            for lam in (1e-300, 1e-30, 1.0, 1e300):
                assert 0 <= dufm.srg_loss(K, L, lam, construction="best") <= 0.5
                assert 0 <= dufm.dnc_loss(K, L, lam) <= 0.5
    assert not recwarn.list


@pytest.mark.parametrize("construction", ["block", "drop", "best"])
def test_constructions_agree_on_triangular_numbers(construction):
    K = np.array([6, 10, 15, 21, 5050])
    np.testing.assert_array_equal(dufm.srg_loss(K, 4, 1e-6, construction=construction), dufm.srg_loss(K, 4, 1e-6))


def test_best_is_the_smaller_loss():
    K = np.arange(6, 60)
    block, drop, best = (dufm.srg_loss(K, 5, 1e-5, construction=c) for c in ("block", "drop", "best"))
    np.testing.assert_array_equal(best, np.minimum(block, drop))
    assert (block < drop).any()
    assert (drop < block).any()


def test_broadcasting_and_types():
    assert type(dufm.dnc_loss(10, 4, 1e-3)) is float
    assert type(dufm.loss_ratio(np.int64(10), np.int32(4), np.float64(1e-3))) is float
    table = dufm.loss_ratio(np.array([6, 10])[:, None, None], np.array([3, 4, 5])[:, None], [1e-3, 1e-4, 1e-5, 1e-6])
    assert table.shape == (2, 3, 4)
    assert table[1, 1, 2] == pytest.approx(dufm.loss_ratio(10, 4, 1e-5), rel=1e-14)
    assert dufm.dnc_loss([], 4, 1e-3).shape == (0,)
    assert dufm.srg_loss(10, 4, [[1e-3]], n=[1, 2]).shape == (1, 2)


def test_exact_inputs():
    value = dufm.dnc_loss(10, 4, 0.25e-3)
    for lam in (Fraction(1, 4000), "0.00025", "2.5e-4", "1/4000"):
        assert dufm.dnc_loss(10, 4, lam) == pytest.approx(value, rel=1e-14)
    assert dufm.dnc_loss(10, 4, ["1e-3", Fraction(1, 1000)]) == pytest.approx(dufm.dnc_loss(10, 4, 1e-3), rel=1e-14)
    assert 0 < dufm.dnc_loss(10, 4, lams=["1e-400", "1e400", 1e-3, 1e-3, 1e-3]) < 0.5  # beyond the floats themselves


def test_n_acts_as_a_factor_of_the_feature_regularisation():
    assert dufm.srg_loss(10, 4, lams=[1e-3, 1e-4, 1e-4, 1e-4, 1e-4], n=7) == pytest.approx(
        dufm.srg_loss(10, 4, lams=[7e-3, 1e-4, 1e-4, 1e-4, 1e-4]), rel=1e-14
    )


WRONG_VALUES = [
    ({"K": 5}, "K = 5; K must be an integer ≥ 6"),
    ({"K": 10.5}, "K = 10.5; K must be an integer"),
    ({"K": float("nan")}, "K = nan; K must be an integer"),
    ({"K": 10**13}, "K = 10000000000000; K must be an integer ≥ 6 and ≤ 1000000000000"),
    ({"L": 2}, "L = 2; L must be an integer ≥ 3"),
    ({"L": 3.5}, "L = 3.5; L must be an integer"),
    ({"L": float("inf")}, "L = inf; L must be an integer"),
    ({"n": 0}, "n = 0; n must be an integer ≥ 1"),
    ({"n": 1.5}, "n = 1.5; n must be an integer"),
    ({"lam": 0.0}, "lam = 0.0; lam must be a finite number, Fraction or decimal string > 0"),
    ({"lam": -1e-3}, "lam = -0.001; lam must be a finite number, Fraction or decimal string > 0"),
    ({"lam": np.inf}, "lam = inf; lam must be a finite number, Fraction or decimal string > 0"),
    ({"lam": "much"}, "lam = 'much'; lam must be a finite number, Fraction or decimal string > 0"),
    ({"lam": "1e-999999999"}, "lam = '1e-999999999'; lam must be a finite number, Fraction or decimal string > 0"),
    ({"lam": "-1"}, "lam = '-1'; lam must be a finite number, Fraction or decimal string > 0"),
    ({"lam": Fraction(0)}, "lam must be a finite number, Fraction or decimal string > 0"),
    ({"lam": None}, "neither of lam and lams given; exactly one is allowed"),
    ({"lams": [1e-3] * 5}, "both of lam and lams given; exactly one is allowed"),
    ({"lam": None, "lams": [1e-3] * 4}, "lams has 4 entries; for L = 4 it must have L\\+1 = 5"),
    (
        {"lam": None, "lams": [1e-3] * 4 + [0]},
        "lams\\[4\\] = 0; lams\\[4\\] must be a finite number, Fraction or decimal string > 0",
    ),
    ({"lam": None, "lams": [1e-3] * 4 + [np.nan]}, "lams\\[4\\] = nan"),
    ({"construction": "blocks"}, "construction = 'blocks'; construction must be one of 'block', 'drop', 'best'"),
]

WRONG_ENTRIES = [
    ({"K": [10, 3]}, "K = 3; K must be an integer ≥ 6"),
    ({"lam": [1e-3, np.nan]}, "lam = nan; lam must be a finite number, Fraction or decimal string > 0"),
    ({"lam": None, "lams": [1e-3] * 5, "K": [6, 10]}, "lams goes with scalar K and L; K has shape \\(2,\\)"),
    ({"K": [6, 10], "lam": [1e-3, 1e-4, 1e-5]}, "do not broadcast: K \\(2,\\), L \\(\\), lam \\(3,\\), n \\(\\)"),
]

WRONG_TYPES = [
    ({"K": "ten"}, "K = 'ten' is a str; K must be an integer"),
    ({"K": True}, "K = True is a bool; K must be an integer"),
    ({"K": 10 + 0j}, "is a complex; K must be an integer"),
    ({"L": None}, "L = None is a NoneType; L must be an integer"),
    ({"n": "1"}, "n = '1' is a str; n must be an integer"),
    ({"lam": 1e-3j}, "is a complex; lam must be a finite number, Fraction or decimal string > 0"),
    ({"lam": True}, "lam = True is a bool; lam must be a finite number, Fraction or decimal string > 0"),
    ({"lam": None, "lams": 1e-3}, "lams = 0.001 is a float; lams must be a sequence of L\\+1 = 5 numbers"),
    ({"lam": None, "lams": "1e-3"}, "lams = '1e-3' is a str; lams must be a sequence"),
    ({"lam": None, "lams": [1e-3] * 4 + [None]}, "lams\\[4\\] = None is a NoneType"),
]

ARGUMENTS = {"K": 10, "L": 4, "lam": 1e-3}


VECTORISED = [dufm.srg_loss, dufm.loss_ratio]


@pytest.mark.parametrize("function", [*VECTORISED, dufm.srg], ids=lambda f: f.__name__)
@pytest.mark.parametrize(("wrong", "message"), WRONG_VALUES, ids=lambda case: str(case)[:40])
def test_wrong_values(function, wrong, message):
    with pytest.raises(ValueError, match=message):
        function(**(ARGUMENTS | wrong))


@pytest.mark.parametrize("function", VECTORISED, ids=lambda f: f.__name__)
@pytest.mark.parametrize(("wrong", "message"), WRONG_ENTRIES, ids=lambda case: str(case)[:40])
def test_wrong_entries_of_arrays(function, wrong, message):
    with pytest.raises(ValueError, match=message):
        function(**(ARGUMENTS | wrong))


@pytest.mark.parametrize("function", [*VECTORISED, dufm.srg], ids=lambda f: f.__name__)
@pytest.mark.parametrize(("wrong", "message"), WRONG_TYPES, ids=lambda case: str(case)[:40])
def test_wrong_types(function, wrong, message):
    with pytest.raises(TypeError, match=message):
        function(**(ARGUMENTS | wrong))


def test_dnc_allows_few_classes_but_not_one():
    assert dufm.dnc_loss(2, 3, 1e-4) < 0.5
    with pytest.raises(ValueError, match="K = 1; K must be an integer ≥ 2"):
        dufm.dnc_loss(1, 3, 1e-4)


def test_import_is_light():
    """No SymPy, torch, SciPy or NetworkX until they are asked for."""
    code = "from theory import dufm; dufm.loss_ratio; import sys; print(sorted({m.split('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "numpy" in loaded
    for heavy in ("sympy", "torch", "scipy", "networkx", "matplotlib", "flint", "mpmath"):
        assert f"'{heavy}'" not in loaded


@pytest.mark.parametrize("lam", [1e-308, 5e-324, 1e-320, "1e-340", "1e-9000", Fraction(1, 10**400)])
@pytest.mark.parametrize("construction", ["block", "drop", "best"])
@pytest.mark.parametrize(("K", "L"), [(10, 4), (12, 3), (27, 6)])
def test_ratio_below_the_floats(K, L, lam, construction):
    bounds = dufm.enclose_ratio(K, L, lam, construction=construction, digits=20)
    error = 2e-12 + 1e-15 * abs(log_exact(Fraction(lam)))
    assert dufm.loss_ratio(K, L, lam, construction=construction) == pytest.approx(float(bounds.lower), rel=error)


@pytest.mark.parametrize("lam", [5e-324, "1e-340"])
@pytest.mark.parametrize("loss", [dufm.srg_loss, dufm.dnc_loss])
def test_losses_below_the_floats_are_refused(loss, lam):
    with pytest.raises(ValueError, match=r"below 2\.2e-308"):
        loss(10, 4, [1e-3, lam] if isinstance(lam, float) else ["1e-3", lam])


@pytest.mark.parametrize("L", [10**5, 10**9, 10**15])
def test_many_layers(L):
    lam = 1e-3 / L
    ratio, loss = dufm.enclose_ratio(12, L, lam, digits=20), dufm.enclose_loss("dnc", 12, L, lam, digits=20)
    assert dufm.loss_ratio(12, L, lam) == pytest.approx(float(ratio.lower), rel=2e-12)
    assert dufm.dnc_loss(12, L, lam) == pytest.approx(float(loss.lower), rel=1e-12)


@pytest.mark.parametrize("huge", [2**63, 2**64, 10**400, np.uint64(2**63), 1e19, [4, 2**63]])
@pytest.mark.parametrize("name", ["L", "n"])
def test_integers_beyond_the_limit_are_refused(name, huge):
    with pytest.raises(ValueError, match=rf"{name} = \d.*; {name} must be an integer ≥ . and ≤ 1000000000000000"):
        dufm.loss_ratio(**(ARGUMENTS | {name: huge}))


@pytest.mark.parametrize("name", ["K", "L", "lam", "n"])
def test_masked_arrays_are_refused(name):
    masked = np.ma.array([ARGUMENTS.get(name, 1)] * 2, mask=[False, True])
    with pytest.raises(TypeError, match=f"{name} is a masked array; {name} must be an array without a mask"):
        dufm.loss_ratio(**(ARGUMENTS | {name: masked}))
