"""The command line as a whole: help, errors, interrupts, and a standard output that does not take everything."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from nct import cli
from nct.commands import InputError, wrong_input

NCT = [sys.executable, "-m", "nct.cli"]
RATIO = ["ratio", "-K", "10", "-L", "4", "--weight-decay", "1e-3"]


@pytest.mark.parametrize("arguments", [["nothing"], ["--nothing"], ["--nothing", "ratio"]])
def test_no_such_command(complaint, arguments):
    assert complaint(*arguments).startswith("nct: error: ")


def test_nct_alone_shows_the_commands(nct):
    printed = nct()
    assert printed.startswith("usage: nct ")
    for name, command in cli.COMMANDS.items():
        assert f" {name} " in printed
        assert " ".join(command.summary.split()) in " ".join(printed.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rato"], "nct: error: no command 'rato'; is it ratio?"),
        (["x"], "is it ratio or best or dufm or sweep"),
        (["ratio", "--wd", "1e-3"], "nct ratio: error: no option --wd; is it --weight-decay?"),
        (["ratio", "--wd=1e-3"], "no option --wd; is it --weight-decay?"),
        (["dufm", "--wd", "1e-3"], "is it --weight-decay?"),  # not --width, which is nearer letter by letter
        (["sweep", "a.db", "--learning-rate", "1"], "is it --lr?"),
        (["dufm", "--weigth-decay", "1e-3"], "is it --weight-decay"),
        ([*RATIO, "--constr", "drop"], "no option --constr; is it --construction?"),
        ([*RATIO, "--qqq"], "no option --qqq\n"),
        (["--verson"], "no option --verson; is it --version?"),
    ],
)
def test_the_nearest_is_named(complaint, arguments, message):
    assert message in complaint(*arguments)


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
    for error in (MemoryError("2 PiB"), RuntimeError("CUDA out of memory"), RuntimeError("can't allocate memory")):
        with pytest.raises(InputError, match="not enough memory for this: "), wrong_input():
            raise error
    for error in (ZeroDivisionError, RuntimeError("a fault")):  # not of the input's making
        with pytest.raises(type(error) if isinstance(error, Exception) else error), wrong_input():
            raise error


@pytest.mark.parametrize(
    ("arguments", "not_imported"),
    [
        (["--help"], {"torch", "numpy", "sympy", "networkx"}),
        (RATIO, {"torch", "sympy", "networkx", "matplotlib"}),
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


def test_the_help_takes_a_tenth_of_a_second_of_cpu():
    code = (
        "import resource, subprocess, sys\n"
        "subprocess.run([sys.executable, '-m', 'nct.cli', '--help'], stdout=subprocess.DEVNULL, check=True)\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(used.ru_utime + used.ru_stime)"
    )
    pytest.importorskip("resource")
    used = [float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout) for _ in "abc"]
    assert min(used) < 0.1


@pytest.mark.parametrize(
    ("arguments", "missing", "extra"),
    [
        (["dufm", "-K", "3", "-L", "3", "--weight-decay", "1e-3"], "torch", "numerics"),
        (["sweep", "a.db", "-K", "3", "-L", "3", "--weight-decay", "1e-3"], "torch", "numerics"),
        (["deep-rfm"], "torch", "numerics"),
        (["deep-rfm"], "sklearn", "numerics"),
        (RATIO, "numpy", "theory"),
    ],
)
def test_what_is_not_installed_is_named(tmp_path, arguments, missing, extra):
    code = f"import sys; sys.modules[{missing!r}] = None; from nct import cli; cli.main(sys.argv[1:])"
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    expected = f"{missing} is not installed: pip install 'neural-collapse-theory[{extra}]'"
    assert done.stderr == f"nct {arguments[0]}: error: {expected}\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_help_needs_no_torch(command):
    code = "import sys; sys.modules['torch'] = None; from nct import cli; cli.main(sys.argv[1:])"
    done = subprocess.run([sys.executable, "-c", code, command, "--help"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: ")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a disk that is always full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", [RATIO, [*RATIO, "--json"], ["--help"], ["ratio", "--help"], ["--version"], []])
def test_a_full_standard_output(arguments, unbuffered):
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*NCT, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, env=environment, check=False
        )
    assert done.returncode == 1
    assert done.stderr == "nct: error: standard output cannot be written: No space left on device\n"


@pytest.mark.skipif(os.name == "nt", reason="a shell of POSIX")
@pytest.mark.parametrize("arguments", [RATIO, ["--help"], ["--version"]])
def test_a_closed_standard_output(arguments):
    command = ["sh", "-c", '"$@" >&-', "sh", *NCT, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "nct: error: standard output is closed\n"


@pytest.mark.skipif(os.name == "nt", reason="a shell of POSIX")
def test_a_closed_standard_error():
    command = ["sh", "-c", '"$@" 2>&-', "sh", *NCT, *RATIO, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert json.loads(done.stdout)[0]["classes"] == 10


def test_a_closed_pipe_is_no_error():
    command = [*NCT, "ratio", "-K", "6:500", "-L", "3:6", "--weight-decay", "1e-3", "--csv"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline().startswith("classes,")
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait() == 1


@pytest.mark.parametrize("arguments", [["ratio", "--help"], ["--version"], RATIO])
def test_a_pipe_that_is_closed_from_the_start_is_no_error(arguments):
    with subprocess.Popen([*NCT, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait() in (0, 1)  # argparse itself swallows what unbuffered writing raises


def test_an_interrupt(monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("nct.commands.ratio.run", interrupt)
    assert cli.main(RATIO) == 130


def test_output_that_the_terminal_cannot_show():
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [*NCT, "ratio", "-K", "10", "-L", "4:5", "--weight-decay", "1e-3"]
    done = subprocess.run(command, capture_output=True, env=environment, check=True)
    assert rb"5\xd73 10" in done.stdout


@pytest.mark.parametrize(
    ("line", "expected", "unexpected"),
    [
        ("nct ", {"ratio", "ledger", "verify"}, {"--weight-decay"}),
        ("nct le", {"ledger"}, {"ratio"}),
        ("nct ratio --we", {"--weight-decay"}, {"--width"}),
        ("nct ledger --verdict ", {"amended", "observed"}, {"proved"}),
        ("nct ledger --reach pro", {"proved"}, {"tested"}),
        ("nct ledger lowrank.thm-5", {"lowrank.thm-5", "lowrank.thm-5.rate"}, {"lowrank.thm-6"}),
        ("nct verify ow", {"own"}, {"lowrank"}),
    ],
)
def test_completion(tmp_path, line, expected, unexpected):
    """What a shell that has evaluated register-python-argcomplete is told."""
    pytest.importorskip("argcomplete")
    environment = {
        **os.environ,
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_SHELL": "bash",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(tmp_path / "told"),
        "_ARGCOMPLETE_SUPPRESS_SPACE": "1",
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
        "COMP_TYPE": "9",
    }
    subprocess.run(NCT, env=environment, check=True, capture_output=True, timeout=60)
    told = {word.strip().replace("\\", "") for word in (tmp_path / "told").read_text().split("\n")}
    assert expected <= told
    assert not unexpected & told


def test_the_console_script_is_installed():
    script = Path(sys.executable).parent / "nct"
    done = subprocess.run([script, *RATIO[:2], "1", *RATIO[3:]], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"nct ratio: error: K = 1; K must be an integer ≥ 2.*\n", done.stderr)
