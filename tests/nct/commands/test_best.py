"""`nct best`: its numbers are those of the library, its forms of output, and what it says to wrong input."""

import csv
import io
import json
from decimal import Decimal

import numpy as np
import pytest

from nct import cli
from theory import dufm

TABLE = ("-K", 8, "-L", 3, "--weight-decay", 5e-4)
GOOD = ["-K", "5", "-L", "4", "--weight-decay", "1e-3"]


def test_one_problem(nct):
    text = nct("best", *TABLE)
    lines = text.splitlines()
    bounds, entry = dufm.bounds(8, 3, 5e-4), next(e for e in dufm.best_known_table() if (e.K, e.L) == (8, 3))
    assert lines[0] == "8 classes, 3 layers, weight decay 0.0005, 1 sample per class"
    upper, lower = (Decimal(lines[i].split()[2]) for i in (2, 4))
    assert bounds.upper <= upper < bounds.upper * (1 + Decimal("1e-9"))
    assert bounds.lower * (1 - Decimal("1e-9")) < lower <= bounds.lower
    assert lines[2].endswith("(matrices without a known structure)")
    assert lines[3].split() == ["ranks", *map(str, bounds.solution.ranks)]
    assert lines[4].endswith("(removing classes)")
    dnc, srg = dufm.dnc_loss(8, 3, 5e-4), dufm.srg_loss(8, 3, 5e-4, construction="best")
    assert lines[7].split() == ["DNC", f"{dnc:.10g}", f"{float(bounds.upper) / dnc:.6f}"]
    assert lines[8].split() == ["SRG", f"{srg:.10g}", f"{float(bounds.upper) / srg:.6f}"]
    for line, step in zip(lines[11:], entry.history, strict=True):
        assert " ".join(line.split()) == f"{step.date} {step.loss:.10g} {step.method}"


def test_json(nct):
    (row,) = json.loads(nct("best", *TABLE, "--json"))
    bounds, entry = dufm.bounds(8, 3, 5e-4), next(e for e in dufm.best_known_table() if (e.K, e.L) == (8, 3))
    assert row == {
        "classes": 8,
        "layers": 3,
        "weight_decay": 5e-4,
        "samples_per_class": 1,
        "best_known_loss": pytest.approx(float(bounds.upper), rel=1e-15),
        "best_known": "matrices",
        "ranks": list(bounds.solution.ranks),
        "lower_bound": pytest.approx(float(bounds.lower), rel=1e-15),
        "argument": "removing classes",
        "optimal": False,
        "dnc_loss": dufm.dnc_loss(8, 3, 5e-4),
        "srg_loss": dufm.srg_loss(8, 3, 5e-4, construction="best"),
        "ratio_to_dnc": pytest.approx(entry.ratio, rel=1e-9),
        "ratio_to_srg": pytest.approx(entry.ratio_to_srg, rel=1e-9),
        "history": [step._asdict() for step in entry.history],
    }
    assert row["lower_bound"] <= bounds.lower < bounds.upper <= row["best_known_loss"]


def test_a_history_is_of_the_problem_of_the_table_only(nct):
    def history(*arguments):
        return json.loads(nct("best", *arguments, "--json"))[0]["history"]

    assert history("-K", 4, "-L", 3, "--lams", "5e-4,5e-4,5e-4,1/2000")
    for other in (
        ("-K", 4, "-L", 3, "--weight-decay", 1e-3),
        ("-K", 4, "-L", 3, "--lams", "5e-4,5e-4,5e-4,1e-3"),
        ("-K", 29, "-L", 3, "--weight-decay", 5e-4),
        ("-K", 4, "-L", 3, "--weight-decay", 5e-4, "-n", 2),
    ):
        assert history(*other) is None
    assert "since" not in nct("best", "-K", 4, "-L", 3, "--weight-decay", 1e-3)


def test_a_table_has_every_combination(nct):
    lines = nct("best", "-K", "2,5:6", "-L", "3:4", "--weight-decay", "5e-4,1", "-n", "1,2").splitlines()
    titles = "K L weight decay n lower bound best known / L_dnc / L_srg solution ranks"
    assert " ".join(lines[0].split()) == titles
    assert len(lines) == 1 + 3 * 2 * 2 * 2
    bounds = dufm.bounds(6, 4, 5e-4)
    (row,) = (line.split() for line in lines if line.split()[:4] == ["6", "4", "0.0005", "1"])
    assert row[4:6] == [f"{float(bounds.lower):.6g}", f"{float(bounds.upper):.6g}"]
    assert float(row[6]) == pytest.approx(float(bounds.upper) / dufm.dnc_loss(6, 4, 5e-4), abs=1e-6)
    assert float(row[7]) == pytest.approx(float(bounds.upper) / dufm.srg_loss(6, 4, 5e-4), abs=1e-6)
    assert lines[1].split()[6:] == ["1.000000", "DNC,", "optimal", "2×3"]
    assert lines[3].split()[6:] == ["1.000000", "zero,", "optimal", "0×3"]


def test_csv(nct):
    text = nct("best", "-K", "5,8", "-L", 3, "--weight-decay", "5e-4", "--csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["classes"] for row in rows] == ["5", "8"]
    assert (rows[0]["srg_loss"], rows[0]["ratio_to_srg"]) == ("", "")
    assert rows[1]["ranks"] == " ".join(map(str, dufm.bounds(8, 3, 5e-4).solution.ranks))
    assert "history" not in rows[0]


def test_what_is_optimal_is_said(nct):
    assert "(DNC, proved optimal)" in nct("best", "-K", 2, "-L", 4, "--weight-decay", 1e-3)
    zero = nct("best", "-K", 5, "-L", 3, "--weight-decay", 1)
    assert "best known   0.5 (the zero solution, proved optimal)" in zero
    assert "proved optimal" not in nct("best", *TABLE)


def test_separate_regularisations(nct):
    lams = [1e-3, 1e-4, 2e-4, 5e-4]
    (row,) = json.loads(nct("best", "-K", 7, "-L", 3, "--lams", ",".join(map(str, lams)), "-n", 3, "--json"))
    assert row["lams"] == lams
    assert "weight_decay" not in row
    assert row["best_known_loss"] == pytest.approx(float(dufm.bounds(7, 3, lams=lams, n=3).upper), rel=1e-15)


def test_a_descent_gains_where_the_table_is_of_another_regularisation(nct):
    """Near the threshold the best shape is not the table's."""
    problem = ("-K", 5, "-L", 4, "--weight-decay", 2e-2)
    (before,), (after,) = (json.loads(nct("best", *problem, *more, "--json")) for more in ((), ("--descend",)))
    found = dufm.best_known(5, 4, lam=2e-2)
    assert after["best_known_loss"] < before["best_known_loss"] * (1 - 1e-6)
    assert after["best_known_loss"] == pytest.approx(found.loss, rel=1e-9)
    assert Decimal(after["best_known_loss"]) >= dufm.attained(found)
    assert after["ranks"] == list(found.ranks)
    assert after["lower_bound"] == before["lower_bound"]


def test_a_descent_that_gains_nothing_changes_nothing(nct):
    problem = ("-K", "2,3", "-L", 3, "--weight-decay", "5e-4,1", "--json")
    assert nct("best", *problem, "--descend") == nct("best", *problem)


def test_a_picture(nct, tmp_path):
    assert nct("best", *GOOD, "--plot", tmp_path / "best.png") == nct("best", *GOOD)
    assert (tmp_path / "best.png").read_bytes().startswith(b"\x89PNG")


def test_there_is_no_picture_of_the_zero_solution(capsys, tmp_path):
    from nct import cli

    with pytest.raises(SystemExit) as stop:
        cli.main(["best", "-K", "5", "-L", "3", "--weight-decay", "1", "--plot", str(tmp_path / "best.png")])
    printed = capsys.readouterr()
    assert stop.value.code == 2
    assert "the zero solution" in printed.out
    assert printed.err.startswith("nct best: error: --plot: nothing better than the zero solution is known")
    assert not list(tmp_path.iterdir())


def but(option, *values):
    """The good arguments with another value of one option."""
    arguments = dict(zip(GOOD[::2], GOOD[1::2], strict=True))
    arguments.pop(option, None)
    return [word for pair in arguments.items() for word in pair] + ([option, *values] if values else [])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (but("-L"), "the following arguments are required: -L/--layers"),
        (but("--weight-decay"), "one of the arguments --weight-decay --lams is required"),
        (but("-K", "1"), "K = 1; K must be an integer ≥ 2"),
        (but("-L", "2"), "L = 2; L must be an integer ≥ 3"),
        (but("--weight-decay", "0"), "lam = 0.0"),
        (but("--weight-decay", "1e-320"), "lam is so small that the loss is below 2.2e-308"),
        ([*GOOD, "-n", "0"], "n = 0; n must be an integer ≥ 1"),
        (["-K", "5", "-L", "3,4", "--lams", "1,1,1,1"], "--lams goes with one number of layers, not with 2"),
        (["-K", "5", "-L", "4", "--lams", "1,1"], "lams has 2 entries; for L = 4 it must have L+1 = 5"),
        ([*but("-K", "6:205"), "-n", "1:51"], "at most 10000 are printed: for more use theory.dufm.bounds"),
        ([*but("-K", "28,29"), "--descend"], "K = 29, L = 4; the table has K from 2 to 28 and L from 3 to 8"),
        ([*but("-K", "5,6"), "--plot", "a.png"], "--plot draws the solution of one problem, not of 2"),
        ([*but("-K", "1001"), "--plot", "a.png"], "--plot draws at most 1000 classes, not 1001"),
        ([*GOOD, "--plot", "a.xyz"], "--plot must end with one of '"),
        ([*GOOD, "--json", "--csv"], "argument --csv: not allowed with argument --json"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_input(complaint, monkeypatch, tmp_path, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert message in complaint("best", *arguments)
    assert not list(tmp_path.iterdir())


def matrices_of(K, L, **options):
    solution = dufm.best_known(K, L, **options)
    return [solution.class_means(1), *(solution.weights(l) for l in range(1, L + 1))]


@pytest.fixture
def worse_table(monkeypatch):
    """As if less were known: the best known loss a tenth higher."""
    true = dufm.bounds

    def bounds(*arguments, **options):
        found = true(*arguments, **options)
        return found._replace(upper=found.upper * Decimal("1.1"))

    monkeypatch.setattr(dufm, "bounds", bounds)


def checked(capsys, *arguments):
    status = cli.main(["best", "--check", *map(str, arguments)])
    return status, capsys.readouterr().out


def test_a_solution_that_is_better_than_the_best_known(capsys, tmp_path, worse_table):
    np.savez(tmp_path / "a.npz", *matrices_of(6, 4), lam="0.0005")
    status, printed = checked(capsys, tmp_path / "a.npz")
    assert status == 0
    assert "better than the best known by a share of 9.09e-02" in printed
    (tmp_path / "a.json").write_text(
        json.dumps({"schema": 1, "lam": "0.0005", "matrices": [m.tolist() for m in matrices_of(6, 4)]})
    )
    status, printed = checked(capsys, tmp_path / "a.json", "--json")
    told = json.loads(printed)
    assert (status, told["passes"], told["classes"], told["layers"]) == (0, True, 6, 4)
    assert told["lower_bound"] < told["loss"] < told["best_known_loss"]


def test_a_solution_that_is_no_better(capsys, tmp_path):
    np.savez(tmp_path / "a.npz", *matrices_of(6, 4), lam="0.0005")
    status, printed = checked(capsys, tmp_path / "a.npz")
    assert status == 1
    assert "not better: " in printed
    dnc = dufm.dnc(6, 4, 5e-4)
    matrices = [1e5 * dnc.class_means(1), *(dnc.weights(l) for l in (1, 2, 3, 4))]  # scales are free
    np.savez(tmp_path / "b.npz", *matrices, lams=[5e-4] * 5)
    status, printed = checked(capsys, tmp_path / "b.npz", "--json")
    told = json.loads(printed)
    assert status == 1
    assert told["loss"] == pytest.approx(dnc.loss, rel=1e-9)
    assert told["gain"] == pytest.approx(1 - dnc.loss / dufm.best_known(6, 4).loss, rel=1e-6)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("{", "cannot be read"),
        ("[]", "is no solution"),
        ('{"schema": 2, "lam": 1, "matrices": []}', "has schema 2; this version reads schema 1"),
        ('{"schema": 1, "matrices": []}', "must have either lam or lams"),
        ('{"schema": 1, "lam": 1, "lambda": 1, "matrices": []}', "has the field 'lambda'"),
        ('{"schema": 1, "lam": 1, "matrices": []}', "matrices"),
        ('{"schema": 1, "lam": 1, "matrices": [[[1]], [[1]], [[1]]]}', "with L at least 3"),
        ('{"schema": 1, "lam": -1, "matrices": [[[1, 2]], [[1]], [[1]], [[1], [2]]]}', "lam"),
        ('{"schema": 1, "lam": 1, "matrices": [[[1, 2]], [[1]], [[1]], [[1]]]}', "must have the shape (2, 1)"),
        ('{"schema": 1, "lam": 1, "matrices": [[[1, 2]], [[1, 2]], [[1]], [[1], [2]]]}', "matrices[1]"),
        ('{"schema": 1, "lam": 1, "matrices": [[[1, "a"]], [[1]], [[1]], [[1], [2]]]}', "matrices[0]"),
        ('{"schema": 1, "lam": 1, "matrices": [[[1, 2]], [[-1]], [[1]], [[1], [2]]]}', "have the last layer 0"),
    ],
)
def test_a_file_that_is_no_solution(complaint, tmp_path, data, message):
    (tmp_path / "a.json").write_text(data)
    assert message in complaint("best", "--check", tmp_path / "a.json")


def test_a_file_that_cannot_be_read(complaint, tmp_path):
    assert "cannot be read" in complaint("best", "--check", tmp_path / "nowhere.json")
    assert "cannot be read" in complaint("best", "--check", tmp_path / "nowhere.npz")
    (tmp_path / "a.npz").write_text("no archive")
    assert "cannot be read" in complaint("best", "--check", tmp_path / "a.npz")
    np.save(tmp_path / "b.npy", np.eye(2))
    assert "cannot be read" in complaint("best", "--check", tmp_path / "b.npy")


def test_a_check_is_of_the_file_s_problem_alone(complaint, tmp_path):
    assert "--check goes with --json alone" in complaint("best", "--check", "a.npz", "-K", "6")
    assert "--check goes with --json alone" in complaint("best", "--check", "a.npz", "--csv")
    assert "the following arguments are required: -L/--layers" in complaint("best", "-K", "6", "--weight-decay", "1e-3")
