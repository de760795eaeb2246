"""numerics.deep_rfm and numerics.kernels: Algorithm 1 step by step, singular kernels, resume, wrong input."""

import itertools
import sys
from fractions import Fraction

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from numerics.deep_rfm import DeepRFM, agop_root
from numerics.kernels import (
    CosineFeatures,
    Gaussian,
    Laplace,
    Linear,
    ReLUFeatures,
    SingularKernelWarning,
)
from numerics.metrics import collapse_metrics

F64 = torch.float64


def points(n, d, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=F64)


def clusters(n=60, d=8, K=3, seed=0, spread=0.5):
    y = np.arange(n) % K
    return (points(K, d, seed)[y] + spread * points(n, d, seed + 1)).numpy(), y


# --- the square root of the AGOP ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "d"), [(30, 8), (12, 40)])
@pytest.mark.parametrize("kernel", [Laplace(2.0), Gaussian(2.0), Linear()])
def test_root_squares_to_the_agop_in_either_eigenproblem(n, d, kernel):
    X, alpha = points(n, d), points(n, 3, 1)
    root = agop_root(kernel, X, alpha)
    gradients = torch.einsum("ijd,jc->icd", kernel.gradient(X), alpha)
    M = torch.einsum("icd,ice->de", gradients, gradients) / n
    assert root.vectors.shape == (d, min(n, d))
    torch.testing.assert_close(root.matrix @ root.matrix, M, rtol=1e-10, atol=1e-12 * float(M.abs().max()))
    assert torch.equal(root.matrix, root.matrix.T) or (root.matrix - root.matrix.T).abs().max() < 1e-13
    assert torch.linalg.eigvalsh(root.matrix)[0] > -1e-12
    new = points(5, d, 2)
    torch.testing.assert_close(root(new), new @ root.matrix)


@pytest.mark.any_type
def test_root_refuses_a_kernel_with_a_metric_of_its_own():
    with pytest.raises(ValueError, match="kernel must have none"):
        agop_root(Laplace(1.0, M=torch.eye(2, dtype=F64)), points(3, 2), points(3, 1))
    with pytest.raises(TypeError, match="kernel is a str"):
        agop_root("laplace", points(3, 2), points(3, 1))
    with pytest.raises(TypeError, match="X is a list"):
        agop_root(Laplace(1.0), points(3, 2).tolist(), points(3, 1))
    with pytest.raises(ValueError, match="X contains NaN or infinity"):
        agop_root(Laplace(1.0), points(3, 7) / 0.0, points(3, 1))


# --- the estimator -----------------------------------------------------------------------------------------------


def algorithm_1(X, y, K, depth, model, kernel, scale):
    """Algorithm 1 by the letter, with inverses and Jacobians of the definition; only the drawn maps are shared."""
    X = torch.as_tensor(X)
    Y = -torch.ones(len(y), K, dtype=F64)
    Y[torch.arange(len(y)), torch.as_tensor(y)] = 1.0
    stages = []
    for layer in range(depth):
        X = X / X.norm(dim=1, keepdim=True)
        alpha = torch.linalg.inv(kernel(X)) @ Y
        gradients = torch.einsum("ijd,jc->icd", kernel.gradient(X), alpha)
        M = torch.einsum("icd,ice->de", gradients, gradients) / scale
        values, vectors = torch.linalg.eigh(M)
        projected = X @ ((vectors * values.clamp_min(0).sqrt()) @ vectors.T)
        features = model.layers_[layer].features(projected)
        stages.append((X, projected, features))
        X = features
    X = X / X.norm(dim=1, keepdim=True)
    return stages, X, torch.linalg.inv(kernel(X)) @ Y


@pytest.mark.parametrize("kernel", [Laplace(2.0), Gaussian(1.0)])
@pytest.mark.parametrize("feature_map", [ReLUFeatures(50), CosineFeatures(50, "laplace-l1", 5.0)])
@pytest.mark.parametrize("agop_scale", ["mean", "sum"])
def test_layers_are_those_of_algorithm_1(kernel, feature_map, agop_scale):
    X, y = clusters()
    model = DeepRFM(2, kernel=kernel, feature_map=feature_map, agop_scale=agop_scale, random_state=3).fit(X, y)
    stages, final, alpha = algorithm_1(X, y, 3, 2, model, kernel, 60 if agop_scale == "mean" else 1)
    for record, tensors in zip(model.records_, stages, strict=True):
        for stage, tensor in zip(("input", "projected", "features"), tensors, strict=True):
            expected = collapse_metrics(tensor, torch.as_tensor(y), 3)
            assert record.metrics[stage].nc1 == pytest.approx(expected.nc1, rel=1e-7)
            assert record.metrics[stage].nc2 == pytest.approx(expected.nc2, rel=1e-7)
        assert record.solver == "cholesky"
        assert (np.diff(record.spectrum) <= 0).all()
    np.testing.assert_allclose(model.transform(X), final.numpy(), atol=1e-7)
    np.testing.assert_allclose(model.decision_function(X), (kernel(final) @ alpha).numpy(), atol=1e-6)
    assert model.score(X, y) == 1.0


def test_nc1_falls_through_the_agop_and_not_through_the_features():
    X, y = load_digits(return_X_y=True)
    model = DeepRFM(4, feature_map=ReLUFeatures(512), random_state=0).fit(X[:400] - X[:400].mean(0), y[:400])
    for record in model.records_:
        assert record.metrics["projected"].nc1 < 0.5 * record.metrics["input"].nc1
        assert record.metrics["features"].nc1 > record.metrics["projected"].nc1


def test_collapsed_data_is_solved_by_the_pseudo_inverse_with_a_warning():
    X, y = clusters(spread=0.0)
    with pytest.warns(SingularKernelWarning, match="layers 1, 2 are singular to working precision; solved by pinv"):
        model = DeepRFM(2, feature_map=ReLUFeatures(32), random_state=0).fit(X, y)
    assert np.isfinite(model.transform(X)).all()
    assert model.records_[0].rank == 3
    assert model.records_[1].metrics["features"].nc1 < 1e-25
    assert model.score(X, y) == 1.0


def test_gram_snapshots():
    X, y = clusters(n=30)
    model = DeepRFM(2, feature_map=ReLUFeatures(32), random_state=0, grams=(1, 3), gram_samples=12).fit(X, y)
    assert sorted(model.grams_) == [1, 3]
    assert model.grams_[3].shape == (12, 12)
    assert (np.diff(y[model.gram_index_]) >= 0).all()
    unit = X / np.linalg.norm(X, axis=1, keepdims=True)
    centred = unit - unit.mean(axis=0)
    centred /= np.linalg.norm(centred, axis=1, keepdims=True)
    expected = (centred @ centred.T)[np.ix_(model.gram_index_, model.gram_index_)]
    np.testing.assert_allclose(model.grams_[1], expected, atol=1e-6)


def test_a_seed_repeats_and_labels_may_be_anything():
    X, y = clusters()
    names = np.array(["a", "b", "c"])[y]
    first, second = (DeepRFM(2, feature_map=ReLUFeatures(20), random_state=1).fit(X, names) for _ in range(2))
    np.testing.assert_array_equal(first.transform(X), second.transform(X))
    assert (first.predict(X) == names).all()
    other = DeepRFM(2, feature_map=ReLUFeatures(20), random_state=2).fit(X, names)
    assert not np.allclose(first.transform(X), other.transform(X))


def test_one_hot_targets_and_float32():
    X, y = clusters()
    model = DeepRFM(1, feature_map=ReLUFeatures(20), targets="onehot", dtype="float32", random_state=1).fit(X, y)
    assert model.transform(X).dtype == np.float32
    np.testing.assert_allclose(model.decision_function(X), np.eye(3)[y], atol=1e-3)


class Stop(Exception):
    pass


def stop_after(layers):
    def callback(model, record):
        if record.layer == layers:
            raise Stop

    return callback


@pytest.mark.parametrize("through_disk", [False, True])
def test_an_interrupted_fit_resumes_to_the_same_result(tmp_path, through_disk):
    X, y = clusters()
    settings = {"feature_map": CosineFeatures(30, "gaussian", 2.0), "random_state": 5, "grams": (1, 2, 4)}
    whole = DeepRFM(3, **settings).fit(X, y)
    model = DeepRFM(3, **settings, callback=stop_after(2))
    with pytest.raises(Stop):
        model.fit(X, y)
    assert len(model.records_) == 2
    with pytest.raises(Exception, match="not fitted"):
        model.predict(X)
    if through_disk:
        model.save(tmp_path / "model.pt")
        model = DeepRFM.load(tmp_path / "model.pt")
    model.set_params(warm_start=True, callback=None).fit(X, y)
    np.testing.assert_allclose(model.transform(X), whole.transform(X), atol=1e-12)
    assert [r.metrics["features"].nc1 for r in model.records_] == pytest.approx(
        [r.metrics["features"].nc1 for r in whole.records_], rel=1e-9
    )
    assert sorted(model.grams_) == [1, 2, 4]
    deeper = model.set_params(depth=4).fit(X, y)
    assert len(deeper.records_) == 4
    # Interrupted, a fitted model does not go on predicting with the coefficients of its former depth.
    with pytest.raises(Stop):
        model.set_params(depth=6, callback=stop_after(5)).fit(X, y)
    with pytest.raises(Exception, match="not fitted"):
        model.predict(X)


def test_a_saved_model_predicts_the_same(tmp_path):
    X, y = clusters()
    model = DeepRFM(2, kernel=Gaussian(1.5), feature_map=ReLUFeatures(20), random_state=0).fit(
        X, np.array(list("abc"))[y]
    )
    model.save(tmp_path / "model.pt")
    again = DeepRFM.load(tmp_path / "model.pt")
    np.testing.assert_array_equal(again.decision_function(X), model.decision_function(X))
    assert again.predict(X).tolist() == model.predict(X).tolist()
    assert again.kernel.bandwidth == 1.5
    assert again.records_[1].metrics == model.records_[1].metrics
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"depth": 0}, ValueError, "depth = 0; depth must be an integer ≥ 1"),
        ({"depth": 1.5}, ValueError, "depth must be an integer"),
        ({"kernel": "laplace"}, TypeError, "kernel must be"),
        ({"kernel": Laplace(1.0, M=torch.eye(8, dtype=F64))}, ValueError, "Mahalanobis"),
        ({"feature_map": "relu"}, TypeError, "feature_map must be"),
        ({"ridge": -1.0}, ValueError, "ridge must be a finite real number ≥ 0"),
        ({"targets": "binary"}, ValueError, "targets must be one of 'signed', 'onehot'"),
        ({"agop_scale": "max"}, ValueError, "agop_scale"),
        ({"grams": (0,)}, ValueError, "grams must name layers in 1…"),
        ({"device": "abacus"}, ValueError, "device 'abacus' cannot be used"),
        ({"dtype": "float16"}, ValueError, "dtype must be"),
        ({"memory_limit": 1000}, ValueError, "memory_limit = 1000 bytes is too small"),
    ],
)
def test_wrong_parameters(parameters, error, message):
    X, y = clusters()
    with pytest.raises(error, match=message):
        DeepRFM(**{"depth": 1, **parameters}).fit(X, y)


def test_projection_is_the_last_stage_that_was_measured():
    X, y = clusters()
    model = DeepRFM(2, feature_map=ReLUFeatures(64), random_state=0).fit(X, y)
    measured = collapse_metrics(torch.as_tensor(model.project(X)), torch.as_tensor(y), len(model.classes_))
    assert measured.nc1 == pytest.approx(model.records_[-1].metrics["projected"].nc1, rel=1e-10)
    assert measured.nc2 == pytest.approx(model.records_[-1].metrics["projected"].nc2, rel=1e-10)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"grams": 1}, TypeError, "grams must be a collection of layers"),
        ({"grams": (1, 5)}, ValueError, "grams must name layers in 1…2"),
        ({"gram_samples": 0}, ValueError, "gram_samples = 0; gram_samples must be an integer ≥ 1"),
        ({"gram_samples": 2.5}, ValueError, "gram_samples must be an integer"),
        ({"callback": 3}, TypeError, "callback = 3 cannot be called"),
        ({"device": "meta"}, ValueError, "device 'meta' cannot be used here: it holds no numbers"),
        ({"memory_limit": 0}, ValueError, "memory_limit = 0"),
        ({"depth": True}, TypeError, "depth = True is a bool"),
    ],
)
def test_wrong_parameters_are_found_at_the_door(parameters, error, message):
    with pytest.raises(error, match=message):
        DeepRFM(**{"depth": 1, **parameters}).fit(*clusters())


@pytest.mark.any_type
def test_numbers_of_every_type_mean_the_same():
    X, y = clusters()
    first = DeepRFM(2, kernel=Laplace(2.0), feature_map=ReLUFeatures(20), ridge=0.25, random_state=0).fit(X, y)
    for two, quarter in ((2.0, "0.25"), (np.uint8(2), np.float32(0.25)), (torch.tensor(2), Fraction(1, 4))):
        feature_map = ReLUFeatures(two * 10)
        other = DeepRFM(two, kernel=Laplace(two), feature_map=feature_map, ridge=quarter, random_state=0).fit(X, y)
        np.testing.assert_array_equal(other.decision_function(X), first.decision_function(X))


XOR = np.array([[1.0, 1], [-1, -1], [1, -1], [-1, 1]])
CUBE = np.array(list(itertools.product([-1.0, 1], repeat=3)))
GRID = np.array(list(itertools.product(range(4), repeat=2)), dtype=float) - 1.5


@pytest.mark.parametrize(
    ("X", "y"),
    [(XOR, [0, 0, 1, 1]), (CUBE, CUBE.prod(axis=1)), (GRID, (GRID.sum(axis=1) + 3.0) % 2)],
    ids=["XOR", "parity of 3 bits", "4 × 4 squares"],
)
@pytest.mark.filterwarnings("ignore::numerics.kernels.SingularKernelWarning")
def test_classes_with_one_mean_are_fitted_and_the_measures_say_what_is_not_defined(X, y):
    model = DeepRFM(2, random_state=0).fit(X, y)
    assert np.isfinite(model.decision_function(X)).all()
    measured = model.records_[0].metrics["input"]
    assert np.isnan(measured.nc1)
    assert "all class means coincide" in measured.undefined["nc1"]
    assert model.score(X, y) == 1.0


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("size", [1e-300, 1e-30, 1e30, 1e300])
def test_data_of_any_size_give_the_machine_of_the_rescaled_data(dtype, size):
    X, y = clusters()
    size = 2.0 ** round(np.log2(size))
    small, scaled = (
        DeepRFM(2, feature_map=ReLUFeatures(30), dtype=dtype, random_state=0).fit(data, y) for data in (X, size * X)
    )
    np.testing.assert_array_equal(scaled.decision_function(size * X), small.decision_function(X))
    np.testing.assert_array_equal(scaled.transform(size * X), small.transform(X))


def test_masked_arrays_are_refused():
    X, y = clusters()
    model = DeepRFM(1, feature_map=ReLUFeatures(64), random_state=0).fit(X, y)
    masked = np.ma.masked_greater(X, 1.0)
    with pytest.raises(TypeError, match="X is a masked array; X must be a plain one"):
        DeepRFM(1).fit(masked, y)
    with pytest.raises(TypeError, match="y is a masked array"):
        DeepRFM(1).fit(X, np.ma.masked_equal(y, 1))
    with pytest.raises(TypeError, match="X is a masked array"):
        model.predict(masked)


def test_memory_that_the_system_does_not_tell_is_not_recorded(monkeypatch):
    """As on Windows, which has no module `resource`."""
    X, y = clusters()
    model = DeepRFM(1, feature_map=ReLUFeatures(64), random_state=0)
    assert model.fit(X, y).records_[0].peak_memory > 10**6
    monkeypatch.setitem(sys.modules, "resource", None)
    assert model.fit(X, y).records_[0].peak_memory is None


def test_an_interrupt_between_a_layer_and_its_record_is_made_good():
    X, y = clusters()
    settings = {"feature_map": ReLUFeatures(30), "random_state": 0}
    whole = DeepRFM(3, **settings).fit(X, y)
    model = DeepRFM(2, **settings).fit(X, y)
    model.records_.pop()
    model.set_params(depth=3, warm_start=True).fit(X, y)
    np.testing.assert_array_equal(model.decision_function(X), whole.decision_function(X))


def test_wrong_data():
    X, y = clusters()
    with pytest.raises(ValueError, match="at least two classes"):
        DeepRFM(1).fit(X, y * 0)
    with pytest.raises(ValueError, match="NaN"):
        DeepRFM(1).fit(np.where(X > 1, np.nan, X), y)
    model = DeepRFM(1, feature_map=ReLUFeatures(64), random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="8 features"):
        model.predict(X[:, :5])
    with pytest.raises(ValueError, match="warm_start cannot remove"):
        model.set_params(depth=2).fit(X, y).set_params(depth=1, warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match="classes fitted before"):
        model.set_params(depth=2).fit(X, y + 1)
    with pytest.raises(ValueError, match="X or y differ"):
        model.fit(X + 1e-9, y)
