"""`nct deep-rfm`: its table, its checkpoints, and what it says to wrong input."""

import csv
import io
import json
import signal
import time

import numpy as np
import pytest
from sklearn.datasets import load_digits

from nct import cli
from numerics.deep_rfm import DeepRFM
from numerics.kernels import ReLUFeatures

SMALL = ["deep-rfm", "--samples", "150", "--width", "64"]


def table(capsys, *arguments):
    assert cli.main([*SMALL, *arguments]) == 0
    return capsys.readouterr().out


def test_the_command_prints_the_layers_of_the_model(capsys):
    rows = list(csv.DictReader(io.StringIO(table(capsys, "--depth", "2", "--csv", "--seed", "3"))))
    X, y = load_digits(return_X_y=True)
    X, y = X[:150] - X[:150].mean(0), y[:150]
    X /= np.where(X.std(0) > 0, X.std(0), 1.0)
    model = DeepRFM(2, feature_map=ReLUFeatures(64), random_state=3).fit(X, y)
    assert [float(row["nc1_projected"]) for row in rows] == pytest.approx(
        [record.metrics["projected"].nc1 for record in model.records_], rel=1e-9
    )
    objects = json.loads(table(capsys, "--depth", "1", "--json", "--kernel", "gaussian", "--features", "cos-gaussian"))
    assert objects[0]["metrics"]["features"]["nc1"] > objects[0]["metrics"]["projected"]["nc1"]
    lines = table(capsys, "--depth", "3").splitlines()
    assert len(lines) == 4
    assert lines[0].split()[:3] == ["layer", "NC1:", "X"]


def test_the_command_stops_and_resumes(capsys, start_nct, tmp_path):
    path = str(tmp_path / "run.pt")
    process = start_nct(*SMALL, "--depth", "5000", "--checkpoint", path)
    for _ in range(600):
        if (tmp_path / "run.pt").exists() or process.poll() is not None:
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert "go on with --resume" in err
    assert "Traceback" not in err
    done = len(DeepRFM.load(path).records_)
    assert done >= 1
    resumed = table(capsys, "--depth", str(done + 1), "--checkpoint", path, "--resume", "--csv")
    whole = table(capsys, "--depth", str(done + 1), "--csv")
    for first, second in zip(csv.DictReader(io.StringIO(resumed)), csv.DictReader(io.StringIO(whole)), strict=True):
        # Rounding grows with the condition of the layers between.
        assert float(first["nc1_projected"]) == pytest.approx(float(second["nc1_projected"]), rel=1e-4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--resume"], "--resume needs --checkpoint"),
        (["--depth", "0"], "depth = 0; depth must be an integer ≥ 1"),
        (["--bandwidth", "-1"], "bandwidth must be a finite real number > 0"),
        (["--samples", "5000"], "samples must be an integer ≥ 1 and ≤ 1797"),
        (["--feature-bandwidth", "2"], "ReLU features have none"),
        (["--device", "abacus"], "device 'abacus' cannot be used"),
        (["--data", "imagenet"], "invalid choice"),
        (["--checkpoint", "absent.pt", "--resume"], "absent.pt"),
        (["--checkpoint", "missing/run.pt"], "--checkpoint must be in a folder that exists"),
        (["--checkpoint", "."], "it is a folder"),
        (["--depth", "2.5"], "argument --depth: '2.5' is not an integer"),
        (["--ridge", "small"], "argument --ridge: 'small' is not a number"),
    ],
)
def test_wrong_arguments_are_one_line(complaint, arguments, message):
    assert message in complaint(*SMALL, *arguments)


def test_a_checkpoint_is_not_overwritten_or_continued_with_other_settings(capsys, complaint, tmp_path):
    path = str(tmp_path / "run.pt")
    table(capsys, "--depth", "1", "--checkpoint", path)
    for arguments, message in (
        ([], "go on from it with --resume, or delete it"),
        (["--resume", "--bandwidth", "3"], "was made with kernel Laplace(bandwidth=2.0)"),
        (["--resume", "--seed", "1"], "another --seed"),
        (["--resume", "--samples", "140"], "X or y differ"),
    ):
        assert message in complaint(*SMALL, "--depth", "2", "--checkpoint", path, *arguments)
