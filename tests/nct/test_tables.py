"""Tables in terminals of every width, and JSON and CSV that other programs read."""

import io
import json
import os
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nct.tables import print_csv, print_json, print_latex, print_table, table

TITLES = ("name", "loss", "what it is")
ROWS = [("a", "0.5", "short"), ("b", "10.25", "a longer text of several words [bold] :smile:"), ("c", "", "")]


def test_plain():
    assert table(TITLES, ROWS, "<><").splitlines() == [
        "name   loss  what it is",
        "a       0.5  short",
        "b     10.25  a longer text of several words [bold] :smile:",
        "c",
    ]


@pytest.mark.parametrize("width", [100, 58, 57, 40, 30])
def test_a_terminal(width):
    text = table(TITLES, ROWS, "<><", width=width)
    assert all(len(line) <= width for line in text.splitlines())
    assert all(line == line.rstrip() for line in text.splitlines())
    for word in " ".join(" ".join(row) for row in ROWS).split():
        assert word in text  # nothing is cut off, nor taken for markup
    assert (text == table(TITLES, ROWS, "<><")) == (width >= 58)


def test_numbers_longer_than_the_terminal_keep_their_digits():
    digits = "1234567890" * 5
    assert "".join(table(["n"], [[digits]], width=20).split()[1:]) == digits


def test_colours_only_where_they_are_wanted():
    text = table(TITLES, ROWS, "<><", width=100, styles=["red", "", "green"])
    assert "\x1b[31m" in text
    assert "\x1b" not in table(TITLES, ROWS, "<><", width=30)


def test_a_pipe_is_not_fitted_and_a_terminal_is(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    print_table(TITLES, ROWS, "<><")
    assert capsys.readouterr().out == table(TITLES, ROWS, "<><")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    print_table(TITLES, ROWS, "<><")
    assert capsys.readouterr().out == table(TITLES, ROWS, "<><", width=30)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda x: st.lists(x, max_size=3)
)


def test_a_column_that_stays_whole():
    rows = [("a-long-identifier", "some words that are to be broken into lines")]
    lines = table(("id", "text"), rows, width=30, whole=("id",)).splitlines()
    assert max(map(len, lines)) <= 30
    assert lines[1].startswith("a-long-identifier  some words")
    folded = table(("id", "text"), rows, width=20, whole=("id",))  # no room for both
    assert max(map(len, folded.splitlines())) <= 20
    assert "".join(line[:9] for line in folded.splitlines()[1:]).replace(" ", "").startswith("a-long-id")


def test_latex(capsys):
    print_latex(
        ["K", "L_dnc", "100 % of_it", "/ L_srg"], [["6", "1e-05", "5×3 & λ", "$x^2$"], ["", "-2.5e+10", "~", "a"]]
    )
    assert capsys.readouterr().out.splitlines() == [
        "% needs booktabs, amsmath, amssymb",
        r"\begin{tabular}{llll}",
        r"\toprule",
        r"$K$ & $L_{\mathrm{dnc}}$ & 100 \% of\_it & / $L_{\mathrm{srg}}$ \\",
        r"\midrule",
        r"6 & $1\times10^{-5}$ & 5{\texttimes}3 \& \ensuremath{\lambda} & $x^2$ \\",
        r" & $-2.5\times10^{10}$ & {\textasciitilde} & a \\",
        r"\bottomrule",
        r"\end{tabular}",
    ]


@given(JSON)
def test_json_is_json(value):
    def plain(value):
        if isinstance(value, list):
            return [plain(entry) for entry in value]
        return None if isinstance(value, float) and value - value != 0 else value

    for encoding in ("utf-8", "ascii"):
        stream = io.TextIOWrapper(
            io.BytesIO(), encoding=encoding, errors="surrogatepass" if encoding == "utf-8" else "strict"
        )
        before, sys.stdout = sys.stdout, stream
        try:
            print_json(value)
        finally:
            sys.stdout = before
        stream.flush()
        text = stream.buffer.getvalue().decode("utf-8", "surrogatepass")
        assert json.loads(text, parse_constant=pytest.fail) == plain(value)


def test_csv(capsys):
    print_csv([{"a": 1, "b": [1, 2], "c": None}, {"a": 'x,"y', "b": (), "c": "é\n"}])
    assert capsys.readouterr().out == 'a,b,c\n1,1 2,\n"x,""y",,"é\n"\n'


@pytest.mark.skipif(os.name == "nt", reason="a disk of POSIX that is always full")
def test_a_disk_that_fills_up_amid_a_text_is_noticed(monkeypatch):
    class Disk(io.RawIOBase):
        """It takes a thousand bytes and then as much of a write as there is room for, as the system does."""

        room = 1000

        def writable(self):
            return True

        def write(self, data):
            if not self.room:
                raise OSError(28, "No space left on device")
            taken = min(len(data), self.room)
            self.room -= taken
            return taken

    stream = io.TextIOWrapper(Disk(), encoding="utf-8", write_through=True)
    monkeypatch.setattr(sys, "stdout", stream)
    with pytest.raises(OSError, match="No space left"):
        print_json(list(range(1000)))
