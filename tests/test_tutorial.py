"""The tutorial, done step by step as it stands."""

import re
import shlex
from pathlib import Path

import pytest

from nct import cli

TEXT = (Path(__file__).parents[1] / "docs/tutorials/your_own_ledger.md").read_text(encoding="utf-8")
STEPS = re.findall(r'^```(\w+)(?: title="(.*?)")?\n(.*?)^```', TEXT, re.DOTALL | re.MULTILINE)


def commands(text):
    """The commands of a console block, each with the lines that it is said to print."""
    for block in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, printed = block.partition("\n")
        yield command, printed.splitlines()


def squeezed(text):
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def test_the_tutorial(pytester, capsys):
    seen = 0
    for language, file, text in STEPS:
        if file:
            path = pytester.path / file
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            for model in pytester.path.glob("proofs_checks/gauss/*.py"):
                model.unlink()
            continue
        assert language == "console", text
        for command, printed in commands(text):
            name, *arguments = shlex.split(command)
            if name == "pytest":
                result = pytester.runpytest_inprocess(*arguments, "-p", "no:cacheprovider", "-W", "error")
                assert result.ret == pytest.ExitCode.OK
                told = result.stdout.str()
                capsys.readouterr()
            else:
                assert name == "nct"
                assert cli.main(arguments) == 0
                told = capsys.readouterr().out.replace("\\", "/")
            wanted = [line for line in squeezed("\n".join(printed)) if line != "..."]
            assert [line for line in squeezed(told) if line in wanted] == wanted, told
            seen += 1
    assert seen == 7
