"""theory.deep_rfm.collapse_map: the iteration against its definition, exactness, wrong input."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from collapse_grams import SIZES, gram_of
from hypothesis import given, settings
from hypothesis import strategies as st

from theory import labels, woodbury
from theory.deep_rfm import collapse_map


@given(SIZES, st.integers(0, 2**32 - 1), st.floats(0, 3))
def test_agop_gram_from_its_definition(sizes, seed, lam_k):
    # predictor α(XᵀX + λ_k I)⁻¹ …, its gradient at every sample, their mean outer product
    Y = labels.one_hot(sizes)
    N = Y.shape[1]
    X = np.random.default_rng(seed).standard_normal((N + 2, N))
    beta = X @ np.linalg.solve(X.T @ X + lam_k * np.eye(N), Y.T)
    gradients = [beta] * N
    M = sum(gradient @ gradient.T for gradient in gradients) / N
    expected = X.T @ M @ X
    tolerance = 1e-13 * np.linalg.cond(X) ** 2 * N
    assert np.abs(collapse_map.agop_gram(X.T @ X, Y, lam_k) - expected).max() < tolerance


@given(SIZES, st.integers(0, 2**32 - 1))
def test_shuffling_samples_shuffles_the_result(sizes, seed):
    Y = labels.one_hot(sizes)
    N = Y.shape[1]
    order, gram = np.random.default_rng(seed).permutation(N), gram_of(seed, N)
    parameters = {"lam_k": 0.3, "lam_map": 0.7, "kappa": 0.9}
    shuffled = collapse_map.step(gram[np.ix_(order, order)], Y[:, order], **parameters)
    assert np.allclose(shuffled, collapse_map.step(gram, Y, **parameters)[np.ix_(order, order)], atol=1e-11)


@given(SIZES, st.fractions(min_value=Fraction(1, 50), max_value=3, max_denominator=50), st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_float_step_agrees_with_the_exact_one(sizes, lam, seed):
    Y = labels.one_hot(sizes)
    N = Y.shape[1]
    factor = np.random.default_rng(seed).integers(-2, 3, size=(N, N))
    gram = factor @ factor.T
    exact = collapse_map.exact_step(gram.tolist(), Y, lam_k=lam, lam_map=Fraction(1, 3), kappa=Fraction(3, 4))
    rounded = collapse_map.step(gram, Y, lam_k=float(lam), lam_map=1 / 3, kappa=0.75)
    assert np.abs(np.array(exact, dtype=float) - rounded).max() < 1e-12 * (1 + np.abs(gram).max()) * N


def test_exact_kappa_fixes_the_collapsed_gram_exactly():
    for n, K in ((1, 1), (2, 1), (3, 2)):
        Y = labels.one_hot([n] * K)
        lam_k, lam_map = Fraction(3, 7), Fraction(2, 5)
        gram = [[Fraction(int(entry)) for entry in row] for row in collapse_map.collapsed_gram(Y)]
        kappa = collapse_map.exact_kappa(n, lam_k, lam_map)
        assert collapse_map.exact_step(gram, Y, lam_k=lam_k, lam_map=lam_map, kappa=kappa) == gram
        printed = collapse_map.printed_kappa(Fraction(1, 100), lam_map)
        assert collapse_map.exact_step(gram, Y, lam_k=Fraction(1, 100), lam_map=lam_map, kappa=printed) != gram


@pytest.mark.any_type
@pytest.mark.parametrize("lam", [Fraction(1, 4), "0.25", "1/4", Decimal("0.25")])
@pytest.mark.parametrize("m", [3, np.int64(3), np.uint8(3), Fraction(3), "3"])
def test_exact_arguments_give_exact_scalings(lam, m):
    assert collapse_map.exact_kappa(np.int16(2), lam, m) == Fraction(20, 21) ** 2
    assert collapse_map.printed_kappa(lam, m) == Fraction(1, 3)
    mapped = collapse_map.exact_step([[1, 0], [0, 2]], np.eye(2), lam_k=lam, lam_map=m, kappa=Fraction(1, 2))
    assert mapped == [[2 * Fraction(16, 17) ** 2, 0], [0, 2 * Fraction(20, 21) ** 2]]


@pytest.mark.any_type
@pytest.mark.parametrize("number", [0.25, np.float32(0.25), np.array(0.25)])
def test_a_float_gives_a_float_or_is_its_binary_value(number):
    for kappa in (collapse_map.exact_kappa(1, number, 3), collapse_map.printed_kappa(Fraction(1, 3), number)):
        assert isinstance(kappa, float)
    assert collapse_map.exact_kappa(1, number, 3) == pytest.approx((16 / 17) ** 2, rel=1e-15)
    mapped = collapse_map.exact_step([[number]], [[1]], lam_k=number, lam_map=0.1, kappa=number)
    A = Fraction(1, 4) + Fraction(0.1)
    assert mapped == [[4 * (A / (A + Fraction(1, 4))) ** 2]]


@pytest.mark.parametrize("gap", [0.9e-12, 1.1e-12])
@pytest.mark.parametrize("size", [1e-150, 1.0, 1e150])
def test_symmetric_up_to_rounding(gap, size):
    gram = size * np.array([[2.0, 1.0], [1.0, 1.0]])
    gram[0, 1] += 2 * gap * size
    parameters = {"lam_k": size, "lam_map": size, "kappa": 1.0}
    if gap > 1e-12:
        with pytest.raises(ValueError, match="gram differs from its transpose"):
            collapse_map.step(gram, [[1, 1]], **parameters)
    else:
        mapped = collapse_map.step(gram, [[1, 1]], **parameters)
        assert np.array_equal(mapped, mapped.T)
        assert np.allclose(mapped, collapse_map.step((gram + gram.T) / size / 2, [[1, 1]], lam_k=1, lam_map=1, kappa=1))


def test_inverse_of_the_collapsed_gram_and_woodbury():
    Y = labels.one_hot([1, 4, 2])
    inverse = collapse_map.collapsed_gram_inverse(Y, 0.3)
    assert np.allclose(inverse, woodbury.updated_inverse(np.eye(7) / 0.3, Y.T, Y.T), atol=1e-13)
    assert np.allclose(inverse @ (collapse_map.collapsed_gram(Y) + 0.3 * np.eye(7)), np.eye(7), atol=1e-13)


# Wrong input.

GOOD = {"lam_k": 0.1, "lam_map": 1.0, "kappa": 0.9}


def test_masked_arrays_are_refused():
    gram = np.ma.masked_array(np.eye(2), mask=[[0, 1], [1, 0]])
    for call in (lambda: collapse_map.step(gram, [[1, 1]], **GOOD), lambda: collapse_map.agop_gram(gram, [[1, 1]], 1)):
        with pytest.raises(TypeError, match="masked array"):
            call()


@pytest.mark.parametrize(
    ("Y", "message"),
    [
        ([[1, -1]], r"column 1"),
        ([[0.5, 1], [0.5, 0]], r"column 0"),
        ([[1, 1], [1, 0]], r"column 0"),
        ([[1, 1], [0, 0]], r"class 1"),
        ([1, 1], r"shape \(2,\)"),
        ([[np.nan, 1]], r"column 0"),
    ],
)
def test_labels_that_are_not_one_hot(Y, message):
    with pytest.raises(ValueError, match=message):
        collapse_map.step(np.eye(2), Y, **GOOD)


@pytest.mark.parametrize("name", ["lam_map", "kappa"])
@pytest.mark.parametrize("value", [0, -1.0, np.nan, np.inf])
def test_parameters_that_must_be_positive(name, value):
    with pytest.raises(ValueError, match=f"{name} = "):
        collapse_map.step(np.eye(2), [[1, 1]], **GOOD | {name: value})


@pytest.mark.any_type
def test_other_parameters():
    with pytest.raises(ValueError, match=r"lam_k = -0.1"):
        collapse_map.step(np.eye(2), [[1, 1]], **GOOD | {"lam_k": -0.1})
    with pytest.raises(TypeError, match="lam_map = None"):
        collapse_map.step(np.eye(2), [[1, 1]], **GOOD | {"lam_map": None})
    with pytest.raises(ValueError, match="lam_map = 'one'"):
        collapse_map.step(np.eye(2), [[1, 1]], **GOOD | {"lam_map": "one"})
    with pytest.raises(ValueError, match="n = 0"):
        collapse_map.exact_kappa(0, 0.1, 1.0)
    with pytest.raises(ValueError, match="layers = 0"):
        collapse_map.iterate(np.eye(2), [[1, 1]], **GOOD, layers=0)
    with pytest.raises(TypeError, match=r"kappa = True is a bool"):
        collapse_map.exact_step([[1]], [[1]], lam_k=1, lam_map=1, kappa=True)
    with pytest.raises(TypeError, match=r"gram\[0, 0\] = None is a NoneType"):
        collapse_map.exact_step([[None]], [[1]], lam_k=1, lam_map=1, kappa=1)
    with pytest.raises(ValueError, match="gram must be 2 × 2"):
        collapse_map.exact_step([[1]], [[1, 1]], lam_k=1, lam_map=1, kappa=1)


@pytest.mark.parametrize(
    ("gram", "message"),
    [
        (np.eye(3), r"shape \(3, 3\)"),
        ([[1, 0.5], [0, 1]], "transpose"),
        ([[1, 0], [0, np.nan]], r"gram\[1, 1\] = nan; gram must be finite"),
        ([1, 1], "gram must be a square matrix"),
        ([[1, 0], [0, -2]], r"eigenvalue -1"),
    ],
)
def test_gram_matrices(gram, message):
    with pytest.raises(ValueError, match=message):
        collapse_map.step(gram, [[1, 1]], **GOOD)


def test_singular_data():
    with pytest.raises(ValueError, match="data_gram must be positive definite"):
        collapse_map.iterate(np.diag([1.0, -1e-3]), [[1, 1]], **GOOD, layers=1)


@pytest.mark.parametrize("parameters", [(0, 1), (-1, 1), (1, 0), (1, -1)])
def test_perturbations_of_the_scaling_are_positive(parameters):
    name = "lam_k" if parameters[0] < 1 else "lam_map"
    with pytest.raises(ValueError, match=f"{name} must be"):
        collapse_map.exact_kappa(3, *parameters)
    with pytest.raises(ValueError, match=f"{name} must be"):
        collapse_map.printed_kappa(*parameters)
