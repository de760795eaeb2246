"""Fixtures that several test files share."""

import pytest

from nct import cli


@pytest.fixture
def nct(capsys):
    """Run a command that succeeds and return what it prints."""

    def run(*arguments):
        assert cli.main([str(argument) for argument in arguments]) == 0
        printed = capsys.readouterr()
        assert printed.err == ""
        return printed.out

    return run


@pytest.fixture
def complaint(capsys):
    """Run a command that fails on its input and return the one line that it prints."""

    def run(*arguments):
        with pytest.raises(SystemExit) as stop:
            cli.main([str(argument) for argument in arguments])
        assert stop.value.code == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.endswith("\n")
        assert printed.err.count("\n") == 1
        return printed.err

    return run
