"""What the project says of itself in several places agrees."""

import doctest
import os
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from nct import cli
from nct.ledger import FIRST_CLAIM, read_claims, read_papers, short_scope

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_readme_has_the_two_commands():
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    commands = [line for line in lines if line.startswith("python3 -m venv ")]
    assert [command.rsplit(" -m ", 1)[1] for command in commands] == ["pytest proofs_checks/", "pytest -n auto"]
    for command in commands:
        assert "-m pip install -c constraints.txt -e '.[test]' &&" in command


PAGES = [ROOT / "README.md", *sorted((ROOT / "docs" / "tutorials").glob("*.md"))]
CONSOLE = "\n".join(
    block
    for page in PAGES
    if page.name != "your_own_ledger.md"  # done step by step by test_tutorial.py
    for block in re.findall(r"```console\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
)


@pytest.mark.parametrize(("command", "printed"), re.findall(r"^\$ nct (.*)\n((?:(?!\$).*\n?)*)", CONSOLE, re.MULTILINE))
def test_the_commands_of_the_pages_print_what_these_say(command, printed, capsys):
    assert cli.main(shlex.split(command)) == 0
    found = capsys.readouterr().out
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    assert doctest.OutputChecker().check_output(printed, found, flags), found


def test_the_ledger_in_the_tutorial_is_that_of_the_claims():
    text = (ROOT / "docs/tutorials/which_theorems_stand.md").read_text(encoding="utf-8")
    verdicts, scopes = "holds|amended|fails|observed", "proved|in part|tested"
    rows = re.findall(rf"^([a-z0-9-]+\.\S+) +({verdicts}) +({scopes})  ", text, re.MULTILINE)
    listings = {listing.claim.id: listing for listing in read_claims(ROOT / "proofs_checks")}
    assert len(rows) == 3
    for id, verdict, reach in rows:
        assert (listings[id].claim.verdict, short_scope(listings[id].reach)) == (verdict, reach)


def test_the_map_of_the_review_has_its_rows():
    text = (ROOT / "docs/review_map.md").read_text(encoding="utf-8").partition("## The rows")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    claims = [listing.claim.id for listing in read_claims(ROOT / "proofs_checks")]
    ids = [id.removeprefix("review.") for id in claims if id.startswith("review.")]
    covered = set()
    for name, last in (part for cell in cells for part in re.findall(r"`([^`]+)`(?: to `([^`]+)`)?", cell)):
        first, _, more = name.partition("…")
        found = {id for id in ids if id == first or ("…" in name and id.startswith(first + more))}
        if last:
            low, high = (int(re.search(r"\d+", end)[0]) for end in (name, last))
            found |= {id for id in ids if (number := re.match(r"eq-(\d+)", id)) and low <= int(number[1]) <= high}
        assert found, f"{name} is no row"
        covered |= found
    experiments = re.compile(r"fig-|random-labels|.*\.(networks|size)$")  # not of one model, loss and property
    assert not [id for id in ids if id not in covered and not experiments.match(id)]


def test_constraints_pin_every_direct_dependency():
    pins = dict(
        re.findall(r"^([a-z0-9-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)
    )
    extras = PROJECT["optional-dependencies"]
    wanted = PROJECT["dependencies"] + [name for names in extras.values() for name in names]
    names = {re.match(r"[A-Za-z0-9-]+", requirement)[0].lower() for requirement in wanted} - {PROJECT["name"]}
    assert names <= set(pins)
    assert pins["torch"] == "2.13.0"
    assert not any("+" in version for version in pins.values())  # a local version is in no index


def test_the_citation_names_this_version_and_the_papers_of_the_ledger():
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(r"^version: (.+)$", text, re.MULTILINE)[1] == PROJECT["version"]
    assert re.search(r"^license: (.+)$", text, re.MULTILINE)[1] == PROJECT["license"]
    cited = {re.search(r"key in the ledger: ([\w-]+)", entry)[1]: entry for entry in text.split("\n  - type: ")[1:]}
    papers = read_papers(ROOT / "proofs_checks")
    assert list(cited) == list(papers)
    for key, paper in papers.items():
        entry = " ".join(cited[key].split())
        assert f"title: {paper.title}" in entry.replace('"', "")
        assert f"year: {paper.year}" in entry
        names = re.findall(r"family-names: (\S+) given-names: (\S+)", entry)
        assert tuple(f"{given} {family}" for family, given in names) == paper.authors
        assert paper.identifier.removeprefix("arXiv:") in entry


def test_the_model_claim_of_contributing_is_the_first_claim():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert re.search(r"```python\n(.*?)```", text, re.DOTALL)[1] == FIRST_CLAIM


def test_the_model_claim_of_contributing_passes_as_it_stands(pytester):
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    folder = pytester.mkdir("proofs_checks") / "gauss"
    folder.mkdir()
    (folder / "test_thm_1.py").write_text(re.search(r"```python\n(.*?)```", text, re.DOTALL)[1], encoding="utf-8")
    result = pytester.runpytest_inprocess("proofs_checks", "-p", "no:cacheprovider", "-W", "error")
    result.assert_outcomes(passed=7)
    result.stdout.fnmatch_lines(["gauss.thm-1 *holds *exact property *2 of 2"])


@pytest.mark.parametrize("package", ["theory", "numerics"])
def test_the_packages_are_typed(package):
    assert (ROOT / package / "py.typed").is_file()


def test_theory_does_not_import_torch():
    pattern = re.compile(r"^\s*(import|from) torch\b", re.MULTILINE)
    assert [path for path in (ROOT / "theory").rglob("*.py") if pattern.search(path.read_text(encoding="utf-8"))] == []


# .ci/run, on a project of one file whose tools are made up.

TOOLS = (
    "for tool in ruff mypy pytest mkdocs; do printf '#!/bin/sh\\n%s' \"test $tool != {broken}\" > .venv/bin/$tool; "
    "chmod +x .venv/bin/$tool; done"
)
COMMAND = (
    "python3 -m venv --without-pip .venv && "
    + TOOLS
    + " && test -f tracked && test ! -e untracked && {tests} -m pytest -n auto"
)


@pytest.fixture
def ci(tmp_path):
    project, scratch = tmp_path / "project", tmp_path / "scratch"
    (project / ".ci").mkdir(parents=True)
    scratch.mkdir()
    shutil.copy(ROOT / ".ci" / "run", project / ".ci" / "run")

    def run(readme):
        (project / "README.md").write_text(f"# A project\n\n```sh\n{readme}\n```\n")
        (project / "tracked").touch()
        for command in (["init", "-q"], ["add", "README.md", "tracked", ".ci"]):
            subprocess.run(["git", "-C", project, *command], check=True)
        (project / "untracked").touch()
        done = subprocess.run(
            [project / ".ci" / "run"],
            cwd=tmp_path,
            env={**os.environ, "TMPDIR": str(scratch)},
            input="never read",
            capture_output=True,
            text=True,
            check=False,
        )
        assert list(scratch.iterdir()) == []
        assert sorted(path.name for path in project.iterdir()) == [".ci", ".git", "README.md", "tracked", "untracked"]
        return done

    return run


def test_ci_passes_when_everything_does(ci):
    done = ci(COMMAND.format(broken="none", tests="true"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.rstrip().endswith("all passed")


@pytest.mark.parametrize(
    ("broken", "tests", "failed"),
    [
        ("none", "false", ["python3 -m venv"]),
        ("ruff", "true", [".venv/bin/ruff check", ".venv/bin/ruff format --check"]),
        ("mypy", "true", [".venv/bin/mypy"]),
        ("mkdocs", "true", [".venv/bin/mkdocs build --strict"]),
        ("pytest", "true", [".venv/bin/pytest proofs_checks --ledger-mutate=sample"]),
    ],
)
def test_ci_fails_when_anything_does(ci, broken, tests, failed):
    done = ci(COMMAND.format(broken=broken, tests=tests))
    assert done.returncode == 1
    told = [line.removeprefix("failed: ") for line in done.stdout.splitlines() if line.startswith("failed: ")]
    assert len(told) == len(failed)
    assert all(line.startswith(start) for line, start in zip(told, failed, strict=True))


@pytest.mark.parametrize(
    ("readme", "message"),
    [("pytest", "no test command"), ("python3 -m venv x -m pytest -n auto\n" * 2, "more than one")],
)
def test_ci_needs_the_readme_s_command(ci, readme, message):
    done = ci(readme.strip())
    assert done.returncode == 1
    assert message in done.stderr
