"""`nct ratio`: its table, its forms of output, and what it says to wrong input."""

import csv
import io
import json

import pytest

from theory import dufm


def test_one_ratio(nct):
    lines = nct("ratio", "--classes", 10, "--layers", 4, "--weight-decay", 5e-4).splitlines()
    dnc, srg = dufm.dnc_loss(10, 4, 5e-4), dufm.srg_loss(10, 4, 5e-4)
    assert lines[0] == "10 classes, 4 layers, weight decay 0.0005, 1 sample per class"
    assert lines[2].split() == ["DNC", "SRG"]
    assert lines[3].split() == ["loss", f"{dnc:.10g}", f"{srg:.10g}"]
    assert lines[4].split() == ["ranks", *["10"] * 4, *["5"] * 3, "10"]
    assert lines[6] == f"ratio        {srg / dnc:.10g} (SRG wins)"
    assert lines[7] == "non-trivial  yes"
    bounds = dufm.bounds(10, 4, 5e-4)
    assert lines[8] == f"best known   {bounds.upper:.10g} (SRG)"
    assert lines[9] == f"lower bound  {bounds.lower:.10g} (removing classes)"


def test_who_wins(nct):
    assert "(DNC wins)" in nct("ratio", "-K", 6, "-L", 3, "--weight-decay", 1e-4)
    trivial = nct("ratio", "-K", 6, "-L", 3, "--weight-decay", 1)
    assert "(neither wins)" in trivial
    assert "non-trivial  no" in trivial
    assert trivial.splitlines()[4].split() == ["ranks", *"000000"]


def test_there_is_no_winner_where_better_is_known(nct):
    """With 8 classes and 3 layers DNC is better than SRG, and the table has better than both."""
    problem = ("-K", 8, "-L", 3, "--weight-decay", 5e-4)
    assert "(DNC is below SRG; better is known)" in nct("ratio", *problem)
    (row,) = json.loads(nct("ratio", *problem, "--json"))
    assert row["lower_bound"] < row["best_known_loss"] < 0.99 * row["dnc_loss"] < row["srg_loss"]
    assert "(SRG is below DNC; better is known)" in nct("ratio", "-K", 12, "-L", 4, "--weight-decay", 5e-4)
    alone = nct("ratio", "-K", 5, "-L", 4, "--weight-decay", 5e-4)
    assert "there is no SRG solution below 6 classes; better is known" in alone
    assert "wins" not in alone


def test_the_other_construction_counts_as_better(nct):
    """The better of two SRG constructions is known, whichever of them is asked for."""
    K, L, lam = 100, 4, 1e-4
    worse, better = (dufm.srg_loss(K, L, lam, construction=one) for one in ("block", "drop"))
    assert better < worse
    assert "(SRG is below DNC; better is known)" in nct("ratio", "-K", K, "-L", L, "--weight-decay", lam)
    assert "(SRG wins)" in nct("ratio", "-K", K, "-L", L, "--weight-decay", lam, "--construction", "drop")


def test_two_classes_are_proved(nct):
    text = nct("ratio", "-K", 2, "-L", 5, "--weight-decay", 1e-3)
    assert "(DNC, proved optimal)" in text
    assert "(two classes)" in text
    assert "(the zero solution, proved optimal)" in nct("ratio", "-K", 10, "-L", 5, "--weight-decay", 1)


def test_the_best_known_solution_alone_beats_zero(nct):
    problem = ("-K", 10, "-L", 12, "--weight-decay", 1.5e-2)
    (row,) = json.loads(nct("ratio", *problem, "--json"))
    assert row["dnc_loss"] == row["srg_loss"] == 0.5
    assert row["best_known_loss"] < 0.43
    assert row["best_known"] == "rank two"
    assert row["nontrivial"]
    assert "(neither is below the other; better is known)" in nct("ratio", *problem)


def test_bounds_as_floats_are_bounds(nct):
    """The upper one is rounded up, the lower one down."""
    for row in json.loads(nct("ratio", "-K", "2:12", "-L", "3:4", "--weight-decay", "1e-3,1e-5", "--json")):
        bounds = dufm.bounds(row["classes"], row["layers"], row["weight_decay"])
        assert row["lower_bound"] <= bounds.lower < bounds.upper <= row["best_known_loss"]


def test_scales_beyond_floats_leave_the_best_known_empty(nct):
    """DNC and SRG have scales within the range of floats here, the graph that is better than them has not."""
    problem = ("-K", 15, "-L", 4, "--lams", "4e50,2e74,1.4e51,4e68,1e-263")
    with pytest.raises(ValueError, match="within the range of float64"):
        dufm.bounds(15, 4, lams=[4e50, 2e74, 1.4e51, 4e68, 1e-263])
    text = nct("ratio", *problem)
    assert "(SRG is below DNC)" in text
    assert "best known" not in text
    (row,) = json.loads(nct("ratio", *problem, "--json"))
    assert [row[name] for name in ("best_known_loss", "best_known", "lower_bound")] == [None] * 3
    assert row["nontrivial"]


def test_between_the_thresholds_the_regime_is_non_trivial(nct):
    """Here SRG beats the zero solution although DNC does not."""
    K, L = 10, 6
    threshold = ((L - 1) ** (L - 1) / (K ** (L + 1) * L ** (2 * L))) ** (1 / (L + 1))
    (row,) = json.loads(nct("ratio", "-K", K, "-L", L, "--weight-decay", 1.001 * threshold, "--json"))
    assert row["dnc_loss"] == 0.5
    assert row["srg_loss"] < 0.5
    assert row["nontrivial"]
    assert row["dnc_ranks"] == [0] * L


def test_a_table_has_every_combination(nct):
    lines = nct("ratio", "-K", "6,10,15", "-L", "3:6", "--weight-decay", "1e-4,1e-3", "-n", "1,5").splitlines()
    assert " ".join(lines[0].split()) == "K L weight decay n L_dnc L_srg ratio best non-trivial ranks dnc ranks srg"
    assert len(lines) == 1 + 3 * 4 * 2 * 2
    K, L, lam, n, *_ = lines[-1].split()
    assert (K, L, lam, n) == ("15", "6", "0.001", "5")
    assert float(lines[-1].split()[6]) == pytest.approx(dufm.loss_ratio(15, 6, 1e-3, n=5), abs=1e-6)
    assert float(lines[-1].split()[7]) == pytest.approx(float(dufm.bounds(15, 6, 1e-3, n=5).upper), rel=1e-5)
    assert lines[1].split()[8:] == ["yes", "6×3", "4×2", "6"]
    assert len({line.index("yes") for line in lines[1:]}) == 1  # columns stand below each other


def test_json(nct):
    rows = json.loads(nct("ratio", "-K", "10,12", "-L", 4, "--weight-decay", 5e-4, "--construction", "drop", "--json"))
    assert [row["classes"] for row in rows] == [10, 12]
    assert rows[1] == {
        "classes": 12,
        "layers": 4,
        "weight_decay": 5e-4,
        "samples_per_class": 1,
        "construction": "drop",
        "dnc_loss": dufm.dnc_loss(12, 4, 5e-4),
        "srg_loss": dufm.srg_loss(12, 4, 5e-4, construction="drop"),
        "ratio": pytest.approx(dufm.loss_ratio(12, 4, 5e-4, construction="drop"), rel=1e-15),
        "best_known_loss": pytest.approx(dufm.best_known(12, 4).loss, rel=1e-9),
        "best_known": dufm.best_known(12, 4).name,
        "lower_bound": pytest.approx(float(dufm.lower_bound(12, 4, 5e-4).value), rel=1e-15),
        "nontrivial": True,
        "dnc_ranks": [12] * 4,
        "srg_ranks": [6, 6, 6, 12],
    }


@pytest.mark.parametrize("construction", ["block", "drop", "best"])
def test_constructions(nct, construction):
    (row,) = json.loads(
        nct("ratio", "-K", 13, "-L", 4, "--weight-decay", 5e-4, "--construction", construction, "--json")
    )
    assert row["srg_loss"] == dufm.srg_loss(13, 4, 5e-4, construction=construction)


def test_separate_regularisations(nct):
    lams = [1e-3, 1e-4, 2e-4, 5e-4]
    text = ",".join(map(str, lams))
    (row,) = json.loads(nct("ratio", "-K", 10, "-L", 3, "--lams", text, "-n", 3, "--json"))
    assert row["lams"] == lams
    assert "weight_decay" not in row
    assert row["srg_loss"] == dufm.srg_loss(10, 3, lams=lams, n=3)
    assert "10 classes, 3 layers, lams 0.001 0.0001 0.0002 0.0005, 3 samples per class" in nct(
        "ratio", "-K", 10, "-L", 3, "--lams", text, "-n", 3
    )
    assert nct("ratio", "-K", "10,15", "-L", 3, "--lams", text).splitlines()[0].split()[2] == "lams"


def test_csv(nct):
    text = nct("ratio", "-K", "10:15:5", "-L", 4, "--weight-decay", "5e-4", "--csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["classes"] for row in rows] == ["10", "15"]
    assert float(rows[0]["ratio"]) == pytest.approx(dufm.loss_ratio(10, 4, 5e-4), rel=1e-15)
    assert rows[0]["srg_ranks"] == "5 5 5 10"
    assert rows[0]["nontrivial"] == "True"


GOOD = ["-K", "10", "-L", "4", "--weight-decay", "1e-3"]


def but(option, *values):
    """The good arguments with another value of one option."""
    arguments = dict(zip(GOOD[::2], GOOD[1::2], strict=True))
    arguments.pop(option, None)
    return [word for pair in arguments.items() for word in pair] + ([option, *values] if values else [])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (but("-K"), "the following arguments are required: -K/--classes"),
        (but("-L"), "the following arguments are required: -L/--layers"),
        (but("--weight-decay"), "one of the arguments --weight-decay --lams is required"),
        ([*GOOD, "--lams", "1,1,1,1,1"], "argument --lams: not allowed with argument --weight-decay"),
        (but("-K", "1"), "K = 1; K must be an integer ≥ 2"),
        (but("-K", "ten"), "argument -K/--classes: 'ten' is neither an integer nor a range"),
        (but("-K", "10.5"), "argument -K/--classes: '10.5' is neither"),
        (but("-K", "10,"), "argument -K/--classes: '' is neither"),
        (but("-K", "1:2:3:4"), "argument -K/--classes: '1:2:3:4' is neither"),
        (but("-K", "8:6"), "argument -K/--classes: the range '8:6' is empty"),
        (but("-K", "6:8:0"), "argument -K/--classes: the range '6:8:0' is empty"),
        (but("-K", "6:10000000000"), "argument -K/--classes: the range '6:10000000000' has more than 10000 values"),
        ([*but("-K", "6:205"), "-n", "1:51"], "10200 combinations; at most 10000"),
        (but("-L", "2"), "L = 2; L must be an integer ≥ 3"),
        (but("--weight-decay", "1/0"), "argument --weight-decay: '1/0' is not a number"),
        (but("--weight-decay", "1e-340"), "'1e-340' is too small for a floating-point number"),
        (but("--weight-decay", "1e400"), "'1e400' is too large for a floating-point number"),
        (but("--weight-decay", f"{10**400}/3"), "is too large for a floating-point number"),
        (but("-K", "1e99999"), "argument -K/--classes: '1e99999' is neither"),
        (but("-K", "1e400"), "argument -K/--classes: '1e400' is too large"),
        ([*GOOD, "-n", "9" * 20], "argument -n/--samples-per-class: '99999999999999999999' is too large"),
        (but("--weight-decay", "0"), "lam = 0.0"),
        (but("--weight-decay", "-1"), "lam = -1.0"),
        (but("--weight-decay", "nan"), "lam = nan"),
        (but("--weight-decay", "inf"), "lam = inf"),
        (but("--weight-decay", "small"), "argument --weight-decay: 'small' is not a number"),
        ([*GOOD, "-n", "0"], "n = 0; n must be an integer ≥ 1"),
        ([*GOOD, "--construction", "grow"], "argument --construction: invalid choice: 'grow'"),
        ([*GOOD, "--json", "--csv"], "argument --csv: not allowed with argument --json"),
        (["-K", "10", "-L", "4", "--lams", "1,1"], "lams has 2 entries; for L = 4 it must have L+1 = 5"),
        (["-K", "10", "-L", "3,4", "--lams", "1,1,1,1"], "--lams goes with one number of layers, not with 2"),
        ([*GOOD, "more"], "unrecognized arguments: more"),
        ([*GOOD, "--constr", "drop"], "no option --constr; is it --construction?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_input(complaint, arguments, message):
    assert message in complaint("ratio", *arguments)


def test_fewer_classes_than_a_graph_has_edges(nct):
    rows = json.loads(nct("ratio", "-K", "2:6", "-L", 4, "--weight-decay", 5e-4, "--json"))
    for K, row in enumerate(rows[:-1], 2):
        assert row["dnc_loss"] == dufm.dnc(K, 4, 5e-4).loss
        assert row["dnc_ranks"] == [K] * 4
        assert [row[name] for name in ("srg_loss", "ratio", "srg_ranks")] == [None] * 3
        assert row["nontrivial"]
    assert rows[-1]["ratio"] == pytest.approx(dufm.loss_ratio(6, 4, 5e-4), rel=1e-15)
    lines = nct("ratio", "-K", "5,6", "-L", 4, "--weight-decay", 5e-4).splitlines()
    assert lines[1].split() == ["5", "4", "0.0005", "1", "0.00624687", "0.00581255", "yes", "5×4"]
    alone = nct("ratio", "-K", 5, "-L", 4, "--weight-decay", 5e-4)
    assert "there is no SRG solution below 6 classes" in alone
    assert not json.loads(nct("ratio", "-K", 5, "-L", 4, "--weight-decay", 1, "--json"))[0]["nontrivial"]
    (row,) = csv.DictReader(io.StringIO(nct("ratio", "-K", 5, "-L", 4, "--weight-decay", 5e-4, "--csv")))
    assert (row["srg_loss"], row["ratio"], row["srg_ranks"]) == ("", "", "")


def test_fractions_and_integral_floats_are_numbers(nct):
    plain = nct("ratio", "-K", 10, "-L", 4, "--weight-decay", "5e-4", "--json")
    assert nct("ratio", "-K", "1e1", "-L", "8/2", "--weight-decay", "1/2000", "--json") == plain
    assert nct("ratio", "-K", "10.0", "-L", "4:4.0", "--lams", ",".join(["1/2000"] * 5), "--csv").splitlines()[1]
