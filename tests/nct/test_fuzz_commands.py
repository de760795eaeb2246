"""Odd values of every option of the commands: an answer in JSON, or one line that says what is wrong, nothing else."""

import contextlib
import io
import json
import math
import os
import shlex

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nct import cli

COMMANDS = {
    "dufm": "dufm -K 3 -L 3 --weight-decay 1e-2 --width 4 --seeds 2 --steps 20 --json",
    "sweep": "sweep made.db -K 3 -L 3 --weight-decay 1e-2 --width 4 --seeds 2 --steps 20 --workers 1 --quiet --json",
    "deep-rfm": "deep-rfm --samples 60 --width 32 --depth 1 --json",
    "ratio": "ratio -K 10 -L 4 --weight-decay 1e-3 --json",
    "best": "best -K 5 -L 3 --weight-decay 1e-3 --json",
}
OPTIONS = {
    "dufm": "-K -L --weight-decay --lams --width --lr -n --seeds --init-scale --optimizer --dtype --activation --eps "
    "--device --save --plot",
    "sweep": "-K -L --weight-decay --width --lr --batch --seeds --csv --parquet",
    "deep-rfm": "--samples --depth --kernel --bandwidth --features --width --feature-bandwidth --ridge --seed --device "
    "--dtype --memory-limit --checkpoint",
    "ratio": "-K -L --weight-decay --lams -n --construction",
    "best": "-K -L --weight-decay --lams -n --plot",
}
FILES = {"--save", "--plot", "--csv", "--parquet", "--checkpoint"}
VALUES = (
    *("", "0", "-1", "nan", "inf", "-inf", "1e400", "1e-400", "1/0", "1/3", "½", "10**3", "9" * 30, "x", "--", "1,"),
    *(",", "1:2:3:4", ":", "True", "0x10", " 5", "2.5", "3.0", "1e-320", "cpu:-1", "meta", "cuda:7", "no"),
)
PATHS = (
    "",
    ".",
    "folder",
    "nowhere/a.csv",
    "read-only/a.csv",
    "made.db",
    "./made.db",
    "link.csv",
    "a.gif",
    "/dev/null",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a sweep's file, a link to it, and folders of which one may not be written to."""
    folder, before = tmp_path_factory.mktemp("fuzz"), os.getcwd()
    os.chdir(folder)
    (folder / "folder").mkdir()
    (folder / "read-only").mkdir(mode=0o500)
    assert called(shlex.split(COMMANDS["sweep"]))[0] == 0
    (folder / "link.csv").symlink_to("made.db")
    yield folder
    os.chdir(before)


def called(argv):
    """A command's exit status, and what it wrote to standard output and error."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = cli.main(argv)
        except SystemExit as stop:
            status = stop.code
    return status, out.getvalue(), err.getvalue()


def numbers(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [number for one in value for number in numbers(one)]
    return [value] if isinstance(value, float) else []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_outcome_is_an_answer_or_one_line(command, folder):
    @settings(max_examples=settings.default.max_examples // 2, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(OPTIONS[command].split()), st.data())
    def check(option, data):
        value = data.draw(st.sampled_from(PATHS if option in FILES else VALUES))
        database = (folder / "made.db").read_bytes()[:16]
        status, out, err = called([*shlex.split(COMMANDS[command]), option, value])
        assert (folder / "made.db").read_bytes()[:16] == database  # no output replaces it
        if status == 0:
            assert all(math.isfinite(number) for number in numbers(json.loads(out)))
        else:
            assert status == 2, (status, err)
            assert err.count("\n") == 1, err
            assert len(err) < 700

    check()
