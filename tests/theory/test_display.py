"""theory.display: tables for notebooks, axes given or new."""

import builtins

import pytest

from theory import display


def test_a_table():
    assert display.html_table({"a": 1, "b": "x"}).count("<tr>") == 2
    assert "caption" not in display.html_table({"a": 1})


def test_axes_are_those_given_or_new():
    pytest.importorskip("matplotlib")
    new = display.axes_of()
    assert display.axes_of(new) is new
    assert display.axes_of() is not new


def test_matplotlib_is_missing(monkeypatch):
    original = builtins.__import__

    def without(name, *rest, **more):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return original(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match="plotting needs matplotlib"):
        display.axes_of()
