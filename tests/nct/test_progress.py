"""Bars and messages on standard error: on a terminal only, and never on standard output."""

import io
import sys

import pytest

from nct.progress import progress, say


class Terminal(io.StringIO):
    def isatty(self):
        return True


def work(**options):
    with progress("counting", 4, **options) as update:
        update(1)
        update(3, text="nearly [there]")
        update(total=6)


def test_a_terminal(monkeypatch, capsys):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", Terminal())
    work()
    assert "nearly [there]" in sys.stderr.getvalue()
    assert "50%" in sys.stderr.getvalue()  # 3 of 6
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("stream", [io.StringIO, lambda: None])
def test_no_terminal(monkeypatch, capsys, stream):
    monkeypatch.setattr(sys, "stderr", stream())
    work()
    assert sys.stderr is None or sys.stderr.getvalue() == ""
    assert capsys.readouterr().out == ""


def test_not_shown(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    work(shown=False)
    assert sys.stderr.getvalue() == ""


def test_messages(monkeypatch, capsys):
    say("one\n  line", "dufm")
    say("two")
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "nct dufm: one line\nnct: two\n")
    monkeypatch.setattr(sys, "stderr", None)
    say("nobody hears it")
    assert capsys.readouterr().out == ""
