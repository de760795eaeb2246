"""numerics.deep_rfm as a scikit-learn estimator: its conventions, searches, names, tables and dtypes."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import check_transformer_preserve_dtypes, parametrize_with_checks

from numerics.deep_rfm import DeepRFM
from numerics.kernels import CosineFeatures, Gaussian, Laplace, ReLUFeatures


def clusters(n=24, d=5, K=3):
    generator = np.random.default_rng(0)
    y = np.arange(n) % K
    return generator.normal(size=(K, d))[y] + 0.5 * generator.normal(size=(n, d)), y


@pytest.mark.any_type
@pytest.mark.filterwarnings("ignore::numerics.kernels.SingularKernelWarning")
@parametrize_with_checks([DeepRFM(2, feature_map=ReLUFeatures(64), random_state=0)])
def test_scikit_learn_conventions(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        check(estimator)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.filterwarnings("ignore::numerics.kernels.SingularKernelWarning")
def test_tags_say_which_dtype_is_preserved(dtype):
    model = DeepRFM(1, feature_map=ReLUFeatures(64), dtype=dtype, random_state=0)
    assert model.__sklearn_tags__().transformer_tags.preserves_dtype == [dtype]
    check_transformer_preserve_dtypes("DeepRFM", model)


def test_features_have_names():
    X, y = clusters()
    model = DeepRFM(1, feature_map=ReLUFeatures(4), random_state=0).fit(X, y)
    assert model.get_feature_names_out().tolist() == ["deeprfm0", "deeprfm1", "deeprfm2", "deeprfm3"]


def test_output_is_a_table_if_asked_for():
    pandas = pytest.importorskip("pandas")
    X, y = clusters()
    model = DeepRFM(1, feature_map=ReLUFeatures(4), random_state=0).set_output(transform="pandas").fit(X, y)
    table = model.transform(X)
    assert isinstance(table, pandas.DataFrame)
    assert list(table.columns) == list(model.get_feature_names_out())
    np.testing.assert_array_equal(table.to_numpy(), model.set_output(transform="default").transform(X))


def test_set_output_is_there_without_a_library_of_tables():
    model = DeepRFM(1, feature_map=ReLUFeatures(4), random_state=0).set_output(transform="default")
    assert model.fit_transform(*clusters()).shape == (24, 4)


@pytest.mark.any_type
def test_a_search_varies_the_parameters_of_kernels_and_feature_maps():
    X, y = clusters()
    grid = {"kernel__bandwidth": np.array([0.5, 4.0]), "feature_map__width": np.arange(20, 40, 10)}
    search = GridSearchCV(DeepRFM(1, kernel=Gaussian(9.0), random_state=0), grid, cv=2).fit(X, y)
    assert len(search.cv_results_["params"]) == 4
    best = search.best_estimator_
    assert isinstance(best.kernel, Gaussian)
    assert best.kernel.bandwidth == search.best_params_["kernel__bandwidth"]
    assert best.feature_map == ReLUFeatures(int(search.best_params_["feature_map__width"]))
    # It is the model that one would have made by hand.
    by_hand = DeepRFM(1, kernel=Gaussian(best.kernel.bandwidth), feature_map=best.feature_map, random_state=0).fit(X, y)
    np.testing.assert_array_equal(best.decision_function(X), by_hand.decision_function(X))


def test_a_parameter_of_a_part_makes_another_part():
    kernel = Laplace(2.0)
    model = DeepRFM(kernel=kernel)
    assert model.get_params()["kernel__bandwidth"] == 2.0
    assert model.get_params()["feature_map__width"] == 1024
    assert "kernel__M" not in model.get_params()
    model.set_params(kernel__bandwidth=3.0, feature_map__distribution="uniform")
    assert (kernel.bandwidth, model.kernel.bandwidth) == (2.0, 3.0)
    assert model.feature_map == ReLUFeatures(1024, "uniform")
    model.set_params(feature_map__bandwidth=2.0, feature_map=CosineFeatures(9))
    assert model.feature_map == CosineFeatures(9, bandwidth=2.0)
    with pytest.raises(ValueError, match="kernel__width is no parameter of DeepRFM; there are agop_route, "):
        model.set_params(kernel__width=3)
    with pytest.raises(ValueError, match="kernel__M is no parameter"):
        model.set_params(kernel__M=None)
    with pytest.raises(ValueError, match="bandwidth must be a finite real number > 0"):
        model.set_params(kernel__bandwidth=-1)


def test_clone_keeps_every_parameter():
    model = DeepRFM(3, kernel=Gaussian(1.5), feature_map=CosineFeatures(9), ridge=0.5, grams=(1,))
    copy = clone(model)
    assert repr(copy.get_params()) == repr(model.get_params())
