"""Fixtures that several test files share."""

import subprocess
import sys

# Here, and so before pytester, which forgets what is imported within its runs, while `in_unicode` keeps objects of it.
import pylatexenc.latex2text
import pylatexenc.latexwalker
import pylatexenc.macrospec  # noqa: F401
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


@pytest.fixture
def start_nct():
    """Start a command as a process of its own, which an interrupt reaches and which does not outlive the test."""
    started = []

    def start(*arguments, **options):
        # A process inherits that interrupts are ignored, as they are in the background of a script.
        code = (
            "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
            "from nct import cli; sys.exit(cli.main())"
        )
        command = [sys.executable, "-c", code, *map(str, arguments)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        process = subprocess.Popen(command, **pipes | options)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
