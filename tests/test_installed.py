"""The wheel in virtual environments of their own, and projects that are not this one.

Each builds an environment, with packages from the network: ``pytest --ledger-long tests/test_installed.py``.
"""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from nct.cli import EXTRAS

ROOT = Path(__file__).parents[1]
BIN = "Scripts" if sys.platform == "win32" else "bin"
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST"))}

pytestmark = pytest.mark.ledger_long


class Environment:
    """A virtual environment with the wheel, and a folder to work in."""

    def __init__(self, folder: Path, wheel: Path, *requirements: str, everything: bool = False) -> None:
        self.folder, self.work = folder / "venv", folder / "work"
        self.work.mkdir()
        venv.create(self.folder, with_pip=True)
        if everything:  # what is installed here, except for the checkout itself
            library = next(self.folder.glob("[Ll]ib/**/site-packages"))
            (library / "installed.pth").write_text(sysconfig.get_path("purelib") + "\n")
        options = ["--no-deps", "--force-reinstall"] if everything else []
        self("python", "-m", "pip", "install", "--quiet", *options, wheel, *requirements)

    def __call__(self, command, *arguments, status=0):
        done = subprocess.run(
            [self.folder / BIN / command, *arguments],
            cwd=self.work,
            env=CLEAN | {"COLUMNS": "120"},
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    def write(self, name, text):
        (self.work / name).parent.mkdir(parents=True, exist_ok=True)
        (self.work / name).write_text(text, encoding="utf-8")


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT]
    subprocess.run(command, env=CLEAN, check=True)
    (built,) = folder.glob("*.whl")
    return built


OLDEST = ["pytest==8.2.0", "hypothesis==6.100.0", "rich==13.9.0", "pylatexenc==2.10"]


@pytest.fixture(scope="session", params=["lean", "oldest", "everything"])
def environment(request, tmp_path_factory, wheel):
    requirements = OLDEST if request.param == "oldest" else []
    folder = tmp_path_factory.mktemp(request.param)
    return Environment(folder, wheel, *requirements, everything=request.param == "everything")


@pytest.fixture
def here(environment, tmp_path):
    environment.work = tmp_path
    return environment


@pytest.fixture
def lean(environment, here, request):
    if "everything" in str(environment.folder.parent.name):
        pytest.skip("of what is not installed")
    return here


def test_a_ledger_of_one_s_own(here):
    assert "wrote pytest.ini" in here("nct", "ledger", "init")
    told = here("python", "-m", "pytest", "-W", "error", "--strict-markers", "--ledger", "ledger.json")
    assert "gauss.thm-1  Sum of the first integers  holds" in told
    assert "7 passed" in told
    assert "gauss.thm-1" in here("nct", "ledger")
    assert here("nct", "ledger", "--compare", "ledger.json", "ledger.json") == "no change\n"
    assert "7 passed" in here("nct", "verify", "gauss")
    claim = here.work / "proofs_checks" / "gauss" / "test_thm_1.py"
    claim.write_text(
        claim.read_text(encoding="utf-8").replace("m * (m + 1) // 2", "m * (m + 1) // 3"), encoding="utf-8"
    )
    told = here("python", "-m", "pytest", "-q", status=1)
    assert "statement = (lambda m: m * (m + 1) // 3)" in told
    assert "0x" not in told


def test_a_project_with_a_theory_an_option_and_a_marker_of_its_own(here):
    here.write("theory/__init__.py", "def total(n): return n * (n + 1) // 2\n")
    here.write(
        "pytest.ini", "[pytest]\nmarkers =\n    long: slow\n    exact: to the last digit\naddopts = --strict-markers\n"
    )
    here.write("conftest.py", "def pytest_addoption(parser): parser.addoption('--long', action='store_true')\n")
    test = "import pytest, theory\n@pytest.mark.long\n@pytest.mark.exact\ndef test(request):\n"
    here.write("tests/test_sums.py", test + "    assert request.config.getoption('--long') and theory.total(4) == 10\n")
    told = here("python", "-m", "pytest", "-W", "error", "--long")
    assert "1 passed" in told
    assert "= ledger =" not in told


def test_nothing_heavy_is_installed_or_imported(lean):
    listed = {line.split()[0].lower() for line in lean("python", "-m", "pip", "list").splitlines() if line.strip()}
    assert {"pytest", "hypothesis", "rich", "neural-collapse-theory"} <= listed
    assert not listed & {"numpy", "scipy", "sympy", "torch", "jaxtyping", "scikit-learn", "networkx"}


@pytest.mark.parametrize("command", ["ratio", "best", "dufm", "sweep", "deep-rfm"])
def test_a_command_says_what_to_install(lean, command):
    sized = ["--classes", "10", "--layers", "4", "--weight-decay", "5e-4"]
    arguments = {"sweep": ["a.db", *sized], "deep-rfm": ["--data", "digits", "--depth", "2"]}.get(command, sized)
    told = lean("nct", command, *arguments, status=2)
    assert len(told.splitlines()) == 1
    assert any(
        f"{name} is not installed: pip install 'neural-collapse-theory[{EXTRAS[name]}]'" in told for name in EXTRAS
    )


def test_the_claims_are_not_in_the_wheel_and_it_says_so(here):
    for command in (["ledger"], ["verify"]):
        told = here("nct", *command, status=2)
        assert "no ledger: there is no folder 'proofs_checks'" in told
        assert "in its source tree, not in its wheel" in told


def test_the_libraries(environment, here):
    if "everything" not in str(environment.folder.parent.name):
        pytest.skip("of what is installed")
    assert "0.8166844098 (SRG wins)" in here(
        "nct", "ratio", "--classes", "10", "--layers", "4", "--weight-decay", "5e-4"
    )
    told = here("python", "-c", "import nct, theory, numerics, torch; print(nct.__file__, theory.__file__)")
    assert all(str(environment.folder) in path for path in told.split())
    here("nct", "ledger", "init")
    assert "7 passed" in here("python", "-m", "pytest", "-n", "2", "-q", "--hypothesis-profile=deep")
