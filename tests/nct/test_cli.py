"""The command line: its numbers, its forms of output, and what it says to wrong input."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from nct import cli
from nct.commands import InputError, wrong_input
from nct.ledger import find_ledger, load_claims
from theory import dufm

NCT = [sys.executable, "-m", "nct.cli"]


# nct ratio


def test_one_ratio(nct):
    lines = nct("ratio", "--classes", 10, "--layers", 4, "--weight-decay", 5e-4).splitlines()
    dnc, srg = dufm.dnc_loss(10, 4, 5e-4), dufm.srg_loss(10, 4, 5e-4)
    assert lines[0] == "10 classes, 4 layers, weight decay 0.0005, 1 sample per class"
    assert lines[2].split() == ["DNC", "SRG"]
    assert lines[3].split() == ["loss", f"{dnc:.10g}", f"{srg:.10g}"]
    assert lines[4].split() == ["ranks", *["10"] * 4, *["5"] * 3, "10"]
    assert lines[6] == f"ratio        {srg / dnc:.10g} (SRG wins)"
    assert lines[7] == "non-trivial  yes"


def test_who_wins(nct):
    assert "(DNC wins)" in nct("ratio", "-K", 6, "-L", 3, "--weight-decay", 1e-4)
    trivial = nct("ratio", "-K", 6, "-L", 3, "--weight-decay", 1)
    assert "(neither wins)" in trivial
    assert "non-trivial  no" in trivial
    assert trivial.splitlines()[4].split() == ["ranks", *"000000"]


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
    assert " ".join(lines[0].split()) == "K L weight decay n L_dnc L_srg ratio non-trivial ranks dnc ranks srg"
    assert len(lines) == 1 + 3 * 4 * 2 * 2
    K, L, lam, n, *_ = lines[-1].split()
    assert (K, L, lam, n) == ("15", "6", "0.001", "5")
    assert float(lines[-1].split()[6]) == pytest.approx(dufm.loss_ratio(15, 6, 1e-3, n=5), abs=1e-6)
    assert lines[1].split()[7:] == ["yes", "6×3", "4×2", "6"]
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
        (but("-K", "5"), "K = 5; K must be an integer ≥ 6"),
        (but("-K", "ten"), "argument -K/--classes: 'ten' is neither an integer nor a range"),
        (but("-K", "10.5"), "argument -K/--classes: '10.5' is neither"),
        (but("-K", "10,"), "argument -K/--classes: '' is neither"),
        (but("-K", "1:2:3:4"), "argument -K/--classes: '1:2:3:4' is neither"),
        (but("-K", "8:6"), "argument -K/--classes: the range '8:6' is empty"),
        (but("-K", "6:8:0"), "argument -K/--classes: the range '6:8:0' is empty"),
        (but("-K", "6:10000000000"), "argument -K/--classes: the range '6:10000000000' has more than 10000 values"),
        ([*but("-K", "6:205"), "-n", "1:51"], "10200 combinations; at most 10000"),
        (but("-L", "2"), "L = 2; L must be an integer ≥ 3"),
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
        ([*GOOD, "--constr", "drop"], "unrecognized arguments: --constr"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_input(complaint, arguments, message):
    assert message in complaint("ratio", *arguments)


@pytest.mark.parametrize("arguments", [[], ["nothing"], ["--nothing"]])
def test_no_such_command(complaint, arguments):
    assert complaint(*arguments).startswith("nct: error: ")


# nct ledger


def test_the_ledger_lists_every_claim(nct):
    printed = nct("ledger")
    claims = load_claims(find_ledger())
    for claim in claims.values():
        assert any(line.split()[:2] == [claim.id, claim.verdict] for line in printed.splitlines())
        assert " ".join(claim.printed.text.split()) in " ".join(printed.split())
    assert f"\n{len(claims)} claims: " in printed


def test_one_claim(nct):
    printed = nct("ledger", "lowrank.lemma-12")
    assert printed.startswith("lowrank.lemma-12: Least norm of a map")
    assert "verdict  holds" in printed
    assert "    derived: " in printed
    assert "    r in place of r − 1" in printed
    assert "\nrests on\n    lowrank.def-3\n" in printed
    assert printed.rstrip().endswith(f"{os.sep}test_lemma_12.py")
    assert "    lowrank.lemma-12\n" in nct("ledger", "lowrank.def-3").split("\nneeded by\n")[1]


def test_claims_as_json(nct):
    (claim,) = json.loads(nct("ledger", "lowrank.lemma-12", "--json"))
    assert claim["verdict"] == "holds"
    assert claim["depends_on"] == ["lowrank.def-3"]
    assert claim["needed_by"] == [
        c["id"] for c in json.loads(nct("ledger", "--json")) if claim["id"] in c["depends_on"]
    ]
    assert {"derived", "exact", "property"} <= set(claim["checks"].values())
    assert "r in place of r − 1" in claim["near_misses"]


CLAIM = """
from nct.ledger import Claim, Statement
claim = Claim(id="example.{name}", title="A title", source="A source", verdict="{verdict}",
              printed=Statement("printed {name}", 1), {amended})
"""


@pytest.fixture
def folder(tmp_path):
    ledger = tmp_path / "proofs_checks" / "example"
    ledger.mkdir(parents=True)
    for name, verdict in [("a-10", "holds"), ("a-9", "amended"), ("b", "fails")]:
        amended = 'amended=Statement("repaired", 2)' if verdict == "amended" else ""
        text = CLAIM.format(name=name, verdict=verdict, amended=amended)
        (ledger / f"test_{name.replace('-', '_')}.py").write_text(text)
    return ledger.parent


def test_another_ledger(nct, folder, monkeypatch):
    lines = nct("ledger", "--folder", folder).splitlines()
    assert [line.split()[:2] for line in lines if line.startswith("example")] == [
        ["example.a-9", "amended"],
        ["example.a-10", "holds"],
        ["example.b", "fails"],
    ]
    assert "    amended: repaired" in lines
    assert lines[-1] == "3 claims: 1 holds, 1 amended, 1 fails"
    monkeypatch.chdir(folder / "example")
    assert nct("ledger").splitlines() == lines
    monkeypatch.chdir(folder.parent)
    assert nct("ledger", "example.a-9").endswith("\npytest proofs_checks/example/test_a_9.py\n")
    assert "amended statement\n    repaired" in nct("ledger", "example.a-9")


def test_claims_by_verdict(nct, folder):
    lines = nct("ledger", "--folder", folder, "--verdict", "fails").splitlines()
    assert lines[0].split()[0] == "example.b"
    assert lines[-1] == "1 claim: 1 fails"
    assert nct("ledger", "--folder", folder, "--verdict", "observed") == "\n0 claims\n"


def test_a_claim_that_is_not_there(complaint, folder):
    assert "no claim has the id 'example.a-8'; is it example.a-9" in complaint(
        "ledger", "example.a-8", "--folder", folder
    )
    assert "no claim has the id 'nothing'; 'nct ledger' lists them" in complaint(
        "ledger", "nothing", "--folder", folder
    )


def test_a_ledger_that_is_not_there(complaint, folder):
    assert "no claims below" in complaint("ledger", "--folder", folder / "nowhere")
    (folder / "example" / "test_b.py").write_text("claim = (\n\n")
    assert "test_b.py cannot be read" in complaint("ledger", "--folder", folder)
    assert "invalid choice: 'true'" in complaint("ledger", "--verdict", "true")


# All commands


@pytest.mark.parametrize("command", [None, *cli.COMMANDS])
def test_help(capsys, command):
    with pytest.raises(SystemExit) as stop:
        cli.main([command, "--help"] if command else ["--help"])
    assert stop.value.code == 0
    printed = capsys.readouterr().out
    if command is None:
        for name, described in cli.COMMANDS.items():
            assert name in printed
            assert " ".join(described.summary.split()) in " ".join(printed.split())
    else:
        assert printed.startswith(f"usage: nct {command} ")
        assert "examples:" in printed


def test_every_option_is_explained():
    for name in cli.COMMANDS:
        _, commands = cli._parser(name)
        assert all(action.help for action in commands[name]._actions)
        assert len(commands[name].description.split()) > 10


def test_version(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out.startswith("nct 0.")


def test_the_library_s_errors_become_one_line():
    for error in (ValueError, TypeError, OSError):
        with pytest.raises(InputError, match="what is wrong"), wrong_input():
            raise error("what is wrong")
    with pytest.raises(ZeroDivisionError), wrong_input():  # not of the input's making
        1 / 0  # noqa: B018


@pytest.mark.parametrize(
    ("arguments", "not_imported"),
    [
        (["--help"], {"torch", "numpy", "sympy", "networkx"}),
        (["ratio", *GOOD], {"torch", "sympy", "networkx", "matplotlib"}),
        (["ledger"], {"torch"}),
    ],
)
def test_imports_are_few(arguments, not_imported):
    code = (
        "import sys, nct.cli\n"
        "try: nct.cli.main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        f"loaded = {not_imported!r} & set(sys.modules)\n"
        "assert not loaded, loaded"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_closed_pipe_is_no_error():
    command = [*NCT, "ratio", "-K", "6:500", "-L", "3:6", "--weight-decay", "1e-3", "--csv"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline().startswith("classes,")
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait() == 1


@pytest.mark.parametrize("arguments", [["ratio", "--help"], ["--version"], ["ratio", *GOOD]])
def test_a_pipe_that_is_closed_from_the_start_is_no_error(arguments):
    with subprocess.Popen([*NCT, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait() in (0, 1)  # argparse itself swallows what unbuffered writing raises


def test_an_interrupt(monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("nct.commands.ratio.run", interrupt)
    assert cli.main(["ratio", *GOOD]) == 130


def test_output_that_the_terminal_cannot_show():
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [*NCT, "ratio", "-K", "10", "-L", "4:5", "--weight-decay", "1e-3"]
    done = subprocess.run(command, capture_output=True, env=environment, check=True)
    assert rb"5\xd73 10" in done.stdout


def test_the_console_script_is_installed():
    script = Path(sys.executable).parent / "nct"
    done = subprocess.run([script, "ratio", *but("-K", "5")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"nct ratio: error: K = 5; K must be an integer ≥ 6.*\n", done.stderr)
