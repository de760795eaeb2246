"""`nct verify`: which claims it runs, what it ends with, and what it says where there are none."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from nct.ledger import read_last_run

CLAIM = """
from nct.ledger import Claim, Statement, require

claim = Claim(id="example.{name}", title="A title", source="A source", verdict="holds",
              printed=Statement("m + 0 = m", lambda m: {formula}), near_misses={{"one more": lambda m: m + 1}})

@claim.check("exact")
def test_numbers(statement):
    {before}
    for m in range(5):
        require(statement(m) == m, "differs", m=m)

@claim.check("property")
def test_others(statement):
    for m in range(50, 60):
        require(statement(m) == m, "differs", m=m)
"""


@pytest.fixture
def folder(tmp_path):
    """A ledger of two papers, in a project that knows nothing of it."""

    def write(paper, row, formula="m", before="pass"):
        path = tmp_path / "proofs_checks" / paper / f"test_{row}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = CLAIM.format(name=row, formula=formula, before=before).replace("example.", f"{paper}.")
        path.write_text(text)
        return path

    write("one", "a")
    write("one", "b")
    write("two", "a")
    write.root = tmp_path
    return write


def verify(root, *arguments, **options):
    command = [sys.executable, "-m", "nct.cli", "verify", *map(str, arguments)]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, **options)


def ran(done):
    return re.findall(r"^(\w+\.\w+) +A title", done.stdout, re.M)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], ["one.a", "one.b", "two.a"]),
        (["one"], ["one.a", "one.b"]),
        (["two.a"], ["two.a"]),
        (["one.b", "two", "one.b"], ["one.b", "two.a"]),
        ([".A"], ["one.a", "two.a"]),
    ],
)
def test_what_is_named_is_run(folder, names, expected):
    done = verify(folder.root, *names)
    assert (done.returncode, done.stderr) == (0, "")
    assert ran(done) == expected
    assert f"{len(expected)} claim" in done.stdout


def test_options(folder):
    done = verify(folder.root.parent, "one.a", "--folder", folder.root / "proofs_checks", "--ledger", "ledger.json")
    assert done.returncode == 0, done.stdout
    assert "one.a" in json.dumps(json.loads((folder.root.parent / "ledger.json").read_text()))
    assert "3 deselected" in verify(folder.root, "one.a", "--pytest", "-k numbers -p no:cacheprovider").stdout


def test_a_run_is_recorded(folder):
    assert verify(folder.root, "one", "--record").returncode == 0
    assert {id: one.status for id, one in read_last_run(folder.root / "proofs_checks").items()} == {
        "one.a": "holds",
        "one.b": "holds",
    }
    done = verify(folder.root, "one.a", "--record", "--pytest", "-k numbers")
    assert done.returncode == 2
    assert "--ledger-record: records whole claims" in done.stderr


def test_long_checks(folder):
    path = folder("one", "c")
    path.write_text(path.read_text().replace("@claim.check", "import pytest\n@pytest.mark.ledger_long\n@claim.check"))
    few = int(re.search(r"(\d+) passed", verify(folder.root, "one.c").stdout)[1])
    assert int(re.search(r"(\d+) passed", verify(folder.root, "one.c", "--long").stdout)[1]) == few + 4


def test_a_claim_that_is_not_as_its_verdict_says(folder):
    folder("one", "b", formula="m * m")
    done = verify(folder.root)
    assert done.returncode == 1
    assert "broken" in done.stdout
    assert verify(folder.root, "one.a").returncode == 0


def test_a_file_that_cannot_be_read_is_not_an_interrupt(folder):
    (folder.root / "proofs_checks" / "one" / "test_c.py").write_text("raise ValueError('a fault')")
    done = verify(folder.root)
    assert done.returncode == 1
    assert "a fault" in done.stdout


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_an_interrupt(folder, start_nct):
    started = folder.root / "started"
    folder("one", "b", before=f"import time; open({str(started)!r}, 'w').close(); time.sleep(60)")
    process = start_nct("verify", cwd=folder.root)
    for _ in range(600):
        if started.exists() or process.poll() is not None:
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=50)
    assert process.returncode == 130
    assert "one.a" in out  # the ledger so far


def test_wrong_input(folder, complaint, monkeypatch):
    monkeypatch.chdir(folder.root)
    assert "no claim has 'one.d' in its id; is it one.b or one.a" in complaint("verify", "one.d")
    assert "'nct ledger' lists them" in complaint("verify", "xyz")
    for names in ([], ["one"]):
        assert "no claims below" in complaint("verify", *names, "--folder", folder.root / "nowhere")
    assert "no option --lnog; is it --long?" in complaint("verify", "--lnog")


def test_no_ledger(tmp_path):
    """A wheel has no claims: there, and where none are, it is said where they are."""
    code = "from nct.commands import verify; verify.find_ledger.__globals__['__file__'] = '/nowhere/x/y/z.py'"
    code += "; from nct import cli; import sys; sys.exit(cli.main(['verify']))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"nct verify: error: no ledger: .*source tree.*\n", done.stderr)
