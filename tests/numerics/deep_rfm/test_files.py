"""numerics.deep_rfm on disk: what is kept, what is refused, what was written before."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from numerics.deep_rfm import DeepRFM, _archive
from numerics.kernels import CosineFeatures, Gaussian, Kernel, Laplace, ReLUFeatures

pytestmark = pytest.mark.filterwarnings("ignore::numerics.kernels.SingularKernelWarning")
DATA = Path(__file__).parents[2] / "data"
SMALL = {"feature_map": ReLUFeatures(6), "random_state": 0}


def clusters(n=24, d=5, K=3):
    generator = np.random.default_rng(0)
    y = np.arange(n) % K
    return generator.normal(size=(K, d))[y] + 0.5 * generator.normal(size=(n, d)), y


@pytest.fixture
def saved(tmp_path):
    """A model, and the file it was saved to."""
    X, y = clusters()
    model = DeepRFM(2, **SMALL).fit(X, y)
    model.save(tmp_path / "model.pt")
    return model, tmp_path / "model.pt"


# --- files that cannot be believed -------------------------------------------------------------------------------


def flipped(place):
    def change(path):
        content = bytearray(path.read_bytes())
        content[int(place * len(content))] ^= 1
        path.write_bytes(content)

    return change


def in_tensor(path):
    """One bit of a number, at the place where the archive keeps it."""
    weight = DeepRFM.load(path).layers_[0].features.weight.numpy().tobytes()
    content = bytearray(path.read_bytes())
    content[content.index(weight) + 6] ^= 1
    path.write_bytes(content)


def edited(path):
    """A number changed by someone who writes the archive anew, with checksums of its records that are right."""
    state = torch.load(path, weights_only=True)
    state["machine"][1][0, 0] += 1.0
    torch.save(state, path)


def with_checksum_of_another(path):
    content = path.read_bytes()
    edited(path)
    new = bytearray(path.read_bytes())
    new[-2:] = (71).to_bytes(2, "little")
    path.write_bytes(bytes(new) + content[-71:])


def cut(path):
    path.write_bytes(path.read_bytes()[:-200])


def longer(path):
    path.write_bytes(path.read_bytes() + b"\0")


DAMAGE = {
    "a flipped bit near the start": flipped(0.01),
    "a flipped bit in the middle": flipped(0.5),
    "a flipped bit near the end": flipped(0.97),
    "a flipped bit of the checksum": flipped(0.999),
    "a flipped bit of a weight": in_tensor,
    "an edited record": edited,
    "an edited record with the old checksum": with_checksum_of_another,
    "an end that is missing": cut,
    "a byte too many": longer,
    "no content": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("not a model"),
    "another archive": lambda path: torch.save({"weights": torch.ones(3)}, path),
    "an archive of a tensor": lambda path: torch.save(torch.ones(3), path),
    "a module": lambda path: torch.save(torch.nn.Linear(2, 2), path),
    "a later format": lambda path: torch.save({"format": 7, "parameters": {}}, path),
    "a zip file": lambda path: zipfile.ZipFile(path, "w").writestr("a.txt", "a"),
    "an array": lambda path: np.save(path.open("wb"), np.ones(3)),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_file_that_cannot_be_believed_is_refused_in_one_line(damage, saved):
    _, path = saved
    DAMAGE[damage](path)
    with pytest.raises(ValueError, match=r"model\.pt is (not a saved DeepRFM|damaged): ") as caught:
        DeepRFM.load(path)
    assert "\n" not in str(caught.value)


def test_no_bit_of_a_file_may_differ(saved):
    _, path = saved
    content = path.read_bytes()
    for place in range(0, len(content), 97):
        path.write_bytes(content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
        with pytest.raises(ValueError, match=r"is (not a saved DeepRFM|damaged)"):
            DeepRFM.load(path)


def resaved(path, change):
    """The file with its state changed, and a checksum that is right."""
    state = torch.load(path, weights_only=True)
    change(state)
    _archive.write_archive(path, {key: value for key, value in state.items() if key != "format"})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s["records"].pop(), "not one record a layer"),
        (lambda s: s["layers"].reverse(), "the shapes of layer 1"),
        (lambda s: s.update(features_in=4), "the shapes of layer 1"),
        (lambda s: s["layers"][1][0].fill_(torch.nan), "NaN or infinity in layer 2"),
        (lambda s: s.update(machine=(s["machine"][0], s["machine"][1][:, :2])), "the outputs of the machine"),
        (lambda s: s.update(machine=(s["machine"][0][:5], s["machine"][1])), "the shapes of the machine"),
        (lambda s: s["parameters"].update(dtype="float32"), "the dtypes of layer 1"),
        (lambda s: s["parameters"].update(ridge=-1.0), "ridge must be"),
        (lambda s: s["parameters"].update(depth_of_the_sea=3), "unexpected keyword"),
        (lambda s: s["parameters"].update(feature_map=("Unknown", {})), "Unknown"),
        (lambda s: s["records"][0].update(metrics={}), "input"),
        (lambda s: s["records"].reverse(), "the records"),
    ],
)
def test_what_does_not_fit_together_is_refused_whatever_its_checksum(change, message, saved):
    _, path = saved
    resaved(path, change)
    with pytest.raises(ValueError, match=f"is damaged: what it holds does not fit together .*{message}") as caught:
        DeepRFM.load(path)
    assert "\n" not in str(caught.value)


def test_a_device_that_is_not_there_is_no_damage(saved):
    with pytest.raises(ValueError, match="device 'abacus' cannot be used here"):
        DeepRFM.load(saved[1], device="abacus")
    with pytest.raises(ValueError, match="device 'meta' cannot be used here: it holds no numbers"):
        DeepRFM.load(saved[1], device="meta")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        DeepRFM.load(tmp_path / "absent.pt")
    with pytest.raises(FileNotFoundError):
        DeepRFM(1, **SMALL).fit(*clusters()).save(tmp_path / "absent" / "model.pt")
    with pytest.raises(ValueError, match="no layers to save"):
        DeepRFM().save(tmp_path / "empty.pt")
    assert not list(tmp_path.iterdir())


# --- what is kept ------------------------------------------------------------------------------------------------


@pytest.mark.any_type
def test_numpy_scalars_in_parameters_are_kept_as_numbers(tmp_path):
    X, y = clusters()
    grid = {"depth": np.arange(1, 3), "ridge": np.logspace(-6, -2, 2), "targets": np.array(["signed", "onehot"])}
    model = DeepRFM(feature_map=ReLUFeatures(np.int64(6)), kernel=Laplace(np.float32(2.0)), random_state=np.int64(0))
    best = GridSearchCV(model, grid, cv=2).fit(X, y).best_estimator_
    best.set_params(grams=np.array([1]), gram_samples=np.int32(9), memory_limit=np.int64(10**9)).fit(X, y)
    best.save(tmp_path / "model.pt")
    again = DeepRFM.load(tmp_path / "model.pt")
    np.testing.assert_array_equal(again.decision_function(X), best.decision_function(X))
    assert (again.depth, again.ridge, again.targets) == (best.depth, best.ridge, best.targets)
    assert [type(value) for value in (again.depth, again.ridge, again.targets)] == [int, float, str]


LABELS = {
    "strings": np.array(["a", "bc", "d"]),
    "objects": np.array(["a", "bc", "d"], dtype=object),
    "dates": np.array(["2024-01-01", "2024-02-01", "2025-01-01"], dtype="datetime64[D]"),
    "moments": np.array([1, 2, 3], dtype="datetime64[ns]"),
    "bytes": np.array([7, 200, 255], dtype=np.uint8),
    "floats": np.array([0.0, 1.0, 2.0], dtype=np.float32),
    "booleans": np.array([False, True, True]),
}


@pytest.mark.parametrize("labels", LABELS)
def test_labels_of_every_kind_are_kept_with_their_dtype(labels, tmp_path):
    X, y = clusters()
    names = LABELS[labels][y]
    model = DeepRFM(1, **SMALL).fit(X, names)
    model.save(tmp_path / "model.pt")
    again = DeepRFM.load(tmp_path / "model.pt")
    assert again.classes_.dtype == model.classes_.dtype
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert len(again.set_params(warm_start=True, depth=2).fit(X, names).layers_) == 2


class Date(str):
    """A label that is more than a string."""


def test_labels_that_a_file_cannot_keep_are_refused_before_it_is_replaced(saved):
    _, path = saved
    before = path.read_bytes()
    X, y = clusters()
    model = DeepRFM(1, **SMALL).fit(X, y)
    model.classes_ = np.array([Date("a"), Date("b"), Date("c")], dtype=object)
    with pytest.raises(ValueError, match="y has the label 'a' of type Date, which cannot be saved"):
        model.save(path)

    class Own(Laplace):
        pass

    with pytest.raises(ValueError, match="cannot be saved; kernel must be one of Laplace, Gaussian"):
        DeepRFM(1, kernel=Own(1.0), **SMALL).fit(X, y).save(path)
    assert path.read_bytes() == before


def test_everything_that_fit_predict_and_clone_rely_on_is_kept(tmp_path):
    X, y = clusters()
    settings = {
        "kernel": Gaussian(1.5),
        "feature_map": CosineFeatures(6, "laplace-l1", 20.0),
        "ridge": 1e-3,
        "targets": "onehot",
        "agop_scale": "sum",
        "agop_route": "features",
        "memory_limit": 10**9,
        "singular": "jitter",
        "grams": (1, 3),
        "gram_samples": 11,
        "random_state": 5,
        "warm_start": True,
    }
    model = DeepRFM(2, **settings).fit(X, y)
    model.save(tmp_path / "model.pt")
    again = DeepRFM.load(tmp_path / "model.pt")
    for name, value in model.get_params().items():
        assert repr(again.get_params()[name]) == repr(value), name
    fitted = {name for name in vars(model) if name.endswith("_")}
    assert fitted == {name for name in vars(again) if name.endswith("_")}
    np.testing.assert_array_equal(again.gram_index_, model.gram_index_)
    np.testing.assert_array_equal(again.decision_function(X), model.decision_function(X))
    np.testing.assert_array_equal(clone(again).fit(X, y).transform(X), clone(model).fit(X, y).transform(X))


def test_names_of_features_are_kept(tmp_path):
    pandas = pytest.importorskip("pandas")
    X, y = clusters()
    table = pandas.DataFrame(X, columns=list("abcde"))
    model = DeepRFM(1, **SMALL).fit(table, y)
    model.save(tmp_path / "model.pt")
    again = DeepRFM.load(tmp_path / "model.pt")
    np.testing.assert_array_equal(again.feature_names_in_, model.feature_names_in_)
    np.testing.assert_array_equal(again.decision_function(table), model.decision_function(table))
    with pytest.raises(ValueError, match="feature names"):
        again.predict(table[list("edcba")])


def test_the_state_of_a_random_generator_is_kept(tmp_path):
    X, y = clusters()
    model = DeepRFM(1, feature_map=ReLUFeatures(6), random_state=np.random.RandomState(3)).fit(X, y)
    model.save(tmp_path / "model.pt")
    again = DeepRFM.load(tmp_path / "model.pt")
    assert again.seed_ == model.seed_
    np.testing.assert_array_equal(clone(again).fit(X, y).transform(X), clone(model).fit(X, y).transform(X))


def test_defaults_stay_defaults(tmp_path):
    X, y = clusters()
    DeepRFM(1).fit(X, y).save(tmp_path / "model.pt")
    again = DeepRFM.load(tmp_path / "model.pt")
    assert again.kernel is None
    assert again.feature_map is None
    assert again.random_state is None


# --- what was written before -------------------------------------------------------------------------------------


def written_before():
    return json.loads((DATA / "deep_rfm_format_1.json").read_text())


def test_a_file_of_format_1_predicts_as_it_did():
    before = written_before()
    model = DeepRFM.load(DATA / "deep_rfm_format_1_finished.pt")
    np.testing.assert_allclose(model.decision_function(before["new"]), before["finished"], rtol=0, atol=1e-13)
    assert model.predict(before["new"]).tolist() == before["labels"]
    assert [record.metrics["projected"].nc1 for record in model.records_] == before["nc1"]
    assert model.kernel == Gaussian(1.5) or model.kernel.bandwidth == 1.5
    assert sorted(model.grams_) == [1, 3]
    again = clone(model)
    assert (again.depth, again.ridge) == (2, 1e-3)


def test_a_fit_that_format_1_kept_unfinished_goes_on():
    before = written_before()
    model = DeepRFM.load(DATA / "deep_rfm_format_1_unfinished.pt")
    assert (model.depth, len(model.layers_)) == (3, 2)
    with pytest.raises(Exception, match="not fitted"):
        model.predict(before["new"])
    model.set_params(warm_start=True).fit(before["X"], before["y"])
    np.testing.assert_allclose(model.decision_function(before["new"]), before["whole"], rtol=0, atol=1e-9)


def test_a_file_of_format_1_is_believed_only_if_its_records_are_as_they_were(tmp_path):
    content = (DATA / "deep_rfm_format_1_finished.pt").read_bytes()
    whole = DeepRFM.load(DATA / "deep_rfm_format_1_finished.pt")
    path = tmp_path / "old.pt"
    refused = 0
    for place in range(50, len(content), 61):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        try:
            model = DeepRFM.load(path)
        except ValueError:
            refused += 1
        else:  # a byte between the records, which means nothing
            assert torch.equal(model.coef_, whole.coef_)
            assert all(
                torch.equal(a.features.weight, b.features.weight)
                for a, b in zip(model.layers_, whole.layers_, strict=True)
            )
    assert refused > 50


def test_an_archive_is_still_one_that_torch_reads(saved):
    state = torch.load(io.BytesIO(saved[1].read_bytes()), weights_only=True)
    assert state["format"] == 2
    assert issubclass(Gaussian, Kernel)
