"""`nct dufm`: what it prints, writes and says to wrong input."""

import csv
import json
import os
import re
import select
import signal
import sys

import numpy as np
import pytest

from nct import cli
from numerics import descent

TRAIN = ["dufm", "-K", "4", "-L", "3", "--weight-decay", "0.01", "--width", "6", "--seeds", "3,5", "--steps", "300"]


def train(**change):
    return descent.train(**{"K": 4, "L": 3, "lam": 0.01, "width": 6, "seeds": [3, 5], "steps": 300} | change)


def test_table(nct):
    lines = nct(*TRAIN).splitlines()
    runs = train()
    assert lines[0] == "4 classes, 3 layers, widths 6 6 6: 2 runs of 300 steps"
    assert lines[1] == f"losses: DNC {runs.loss_dnc:.8g}"
    order = np.argsort(runs.losses)
    for line, i in zip(lines[4:6], order, strict=True):
        words = line.split()
        assert words[:3] == [str(runs.seeds[i]), f"{runs.losses[i]:.8g}", f"{runs.losses[i] / runs.loss_dnc:.4f}"]
        assert [int(w) for w in words[4:7]] == runs.ranks()[i].tolist()
    assert lines[-1].startswith("below DNC: ")


def test_json_and_csv(nct):
    rows = json.loads(nct(*TRAIN, "--json"))
    assert {row["seed"]: row["loss"] for row in rows} == dict(zip((3, 5), train().losses, strict=True))
    table = list(csv.DictReader(nct(*TRAIN, "--csv").splitlines()))
    assert [float(row["loss"]) for row in table] == [row["loss"] for row in rows]
    assert [row["ranks"].split() for row in table] == [[str(r) for r in row["ranks"]] for row in rows]


def test_files_and_options(nct, tmp_path):
    options = ["--polish", "--save", tmp_path / "runs.npz", "--plot", tmp_path / "runs.png", "-n", 2]
    nct(*TRAIN, *options, "--activation", "identity,relu", "--optimizer", "momentum", "--lr", 0.05)
    runs = descent.Runs.load(tmp_path / "runs.npz")
    expected = train(n=2, activation=["identity", "relu"], optimizer="momentum", lr=0.05).polish()
    np.testing.assert_array_equal(runs.losses, expected.losses)
    assert (tmp_path / "runs.png").read_bytes().startswith(b"\x89PNG")


def test_runs_that_diverge(nct):
    text = nct(*TRAIN, "--lr", 1e4)
    assert text.count("diverged at step") == 2
    assert text.endswith("below DNC: 0 of 2;  diverged: 2\n")
    assert [row["loss"] for row in json.loads(nct(*TRAIN, "--lr", 1e4, "--json"))] == [None, None]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--width", 3], "width = 3; width must be an integer ≥ K = 4 in every layer"),
        (["--lr", 0], "lr = 0.0; lr must be a finite real number > 0"),
        (["--activation", "tanh"], "activation must be"),
        (["--device", "abacus"], "device 'abacus' cannot be used"),
        (["--save", "/missing/runs.npz"], "--save must be in a folder that exists"),
        (["--save", "runs.pt"], "--save must end with '.npz'"),
        (["--plot", "/missing/runs.png"], "--plot must be in a folder that exists"),
        (["--plot", "runs.npz"], "--plot must end with one of '"),
        (["--steps", "many"], "argument --steps: 'many' is not an integer"),
        (["--steps", "1e400"], "argument --steps: '1e400' is too large"),
        (["--seeds", "1e15"], "argument --seeds: '1e15' are too many seeds"),
        (["--seeds", "a"], "argument --seeds: 'a' is neither an integer nor a range"),
        (["--optimizer", "lion"], "'lion'"),
    ],
)
def test_wrong_input(complaint, monkeypatch, change, message):
    if change[0] in ("--save", "--plot"):  # found before the work
        monkeypatch.setattr(descent, "train", None)
    assert message in complaint(*TRAIN, *change)


def test_a_file_is_replaced_only_if_told(nct, complaint, monkeypatch, tmp_path):
    file = tmp_path / "runs.npz"
    file.write_text("mine")
    with monkeypatch.context() as patch:
        patch.setattr(descent, "train", None)
        assert "--save must not exist, and it does; --force replaces it" in complaint(*TRAIN, "--save", file)
    assert file.read_text() == "mine"
    nct(*TRAIN, "--save", file, "--force")
    np.testing.assert_array_equal(descent.Runs.load(file).losses, train().losses)


def test_one_file_is_not_two_outputs(complaint, monkeypatch, tmp_path):
    monkeypatch.setattr("nct.commands.dufm.image_endings", lambda: [".npz"])
    assert "--plot must be another file than" in complaint(
        *TRAIN, "--save", tmp_path / "a.npz", "--plot", tmp_path / "b" / ".." / "a.npz"
    )


def test_a_plot_without_matplotlib_is_refused_before_the_work(complaint, monkeypatch, tmp_path):
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setattr(descent, "train", None)
    assert "--plot needs matplotlib: pip install" in complaint(*TRAIN, "--plot", tmp_path / "runs.png")


def test_a_plot_that_cannot_be_drawn_does_not_take_the_rest_with_it(capsys, tmp_path):
    arguments = [*TRAIN, "--lr", "1e4", "--plot", str(tmp_path / "runs.png"), "--save", str(tmp_path / "runs.npz")]
    with pytest.raises(SystemExit) as stop:
        cli.main(arguments)
    printed = capsys.readouterr()
    assert stop.value.code == 2
    assert printed.out.count("diverged at step") == 2
    assert printed.err.startswith("nct dufm: error: --plot: ")
    assert [path.name for path in tmp_path.iterdir()] == ["runs.npz"]


def test_the_optimisers_in_the_help_are_those_there_are(capsys):
    with pytest.raises(SystemExit):
        cli.main(["dufm", "--help"])
    printed = " ".join(capsys.readouterr().out.split())
    with pytest.raises(ValueError, match="one of") as refusal:
        train(optimizer="none")
    *others, last = re.findall(r"'(\w+)'", str(refusal.value).split("one of")[1].split("got")[0])
    assert others
    assert f"{', '.join(others)} or {last} (default: gd" in printed


@pytest.mark.skipif(os.name == "nt", reason="a terminal of POSIX")
def test_a_bar_on_a_terminal_and_an_interrupt_that_writes_what_there_is(start_nct, tmp_path):
    import pty

    file, (reader, terminal) = tmp_path / "runs.npz", pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "200"}
    arguments = [*TRAIN, "--steps", "1000000", "--save", file]
    process = start_nct(*arguments, stderr=terminal, env=environment)
    os.close(terminal)
    shown = read_until(reader, rb"[1-9]%.*training")  # from half a percent on
    process.send_signal(signal.SIGINT)
    shown += read_until(reader, rb"runs so far are in .*\n")
    out, _ = process.communicate(timeout=60)
    os.close(reader)
    runs = descent.Runs.load(file)
    assert (process.returncode, out, len(runs)) == (130, "", 2)
    assert 5_000 <= runs.steps < 1_000_000
    assert f"stopped after {runs.steps} of 1000000 steps; the runs so far are in {file}".encode() in shown
    shorter = train(steps=runs.steps)
    np.testing.assert_allclose(runs.losses, shorter.losses, rtol=1e-10)


def read_until(reader, pattern):
    """What a terminal shows, up to a pattern; it ends with an error when the process does, and after a minute."""
    shown = b""
    while not re.search(pattern, shown):
        assert select.select([reader], [], [], 60)[0], shown
        shown += os.read(reader, 4096)
    return shown


@pytest.mark.parametrize("saved", [True, False])
def test_an_interrupt_while_polishing(monkeypatch, capsys, tmp_path, saved):
    def interrupt(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(descent.Runs, "polish", interrupt)
    file = tmp_path / "runs.npz"
    assert cli.main([*TRAIN, "--polish", *(["--save", str(file)] if saved else [])]) == 130
    printed = capsys.readouterr()
    assert printed.out == ""
    kept = f"the runs so far are in {file}" if saved else "nothing was kept, for want of --save"
    assert printed.err == f"nct dufm: stopped after 300 of 300 steps, not polished; {kept}\n"
    if saved:
        np.testing.assert_array_equal(descent.Runs.load(file).losses, train().losses)
