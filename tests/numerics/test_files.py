"""Files are written whole or not at all, and outputs are checked before the work."""

import os
import stat
import subprocess
import sys

import pytest

from numerics.files import check_output, replacing, same_file


@pytest.fixture
def target(tmp_path):
    file = tmp_path / "runs.csv"
    file.write_text("old")
    return file


def names(folder):
    return sorted(path.name for path in folder.iterdir())


class TestReplacing:
    def test_a_new_file(self, tmp_path):
        with replacing(tmp_path / "runs.csv") as new:
            assert new.parent == tmp_path
            assert new.suffix == ".csv"
            new.write_text("new")
            assert names(tmp_path) == [new.name]
        assert names(tmp_path) == ["runs.csv"]
        assert (tmp_path / "runs.csv").read_text() == "new"

    @pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
    def test_a_failure_leaves_the_old_file(self, target, error):
        def write():
            with replacing(target) as new:
                new.write_text("half")
                assert target.read_text() == "old"
                raise error

        with pytest.raises(error):
            write()
        assert target.read_text() == "old"
        assert names(target.parent) == ["runs.csv"]

    def test_nothing_written_is_an_error_and_leaves_the_old_file(self, target):
        with pytest.raises(FileNotFoundError), replacing(target):
            pass
        assert target.read_text() == "old"

    def test_a_link_stays_and_its_file_is_replaced(self, target):
        link = target.parent / "link.csv"
        link.symlink_to(target)
        with replacing(link) as new:
            new.write_text("new")
        assert link.is_symlink()
        assert target.read_text() == "new"

    @pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
    def test_the_permissions_stay(self, target):
        target.chmod(0o640)
        with replacing(target) as new:
            new.write_text("new")
        assert stat.S_IMODE(target.stat().st_mode) == 0o640

    def test_two_writers_do_not_disturb_each_other(self, target):
        with replacing(target) as first, replacing(target) as second:
            first.write_text("first")
            second.write_text("second")
        assert target.read_text() == "first"  # the last to end
        assert names(target.parent) == ["runs.csv"]

    @pytest.mark.skipif(not os.path.exists(os.devnull) or os.name == "nt", reason="devices of POSIX")
    def test_a_device_is_not_replaced(self):
        with pytest.raises(OSError, match="an ordinary file"), replacing(os.devnull) as new:
            new.write_text("new")
        assert not os.path.isfile(os.devnull)

    def test_it_is_on_the_disk_before_it_is_renamed(self, target, monkeypatch):
        events = []
        monkeypatch.setattr(os, "fsync", lambda descriptor: events.append(os.fstat(descriptor).st_size))
        replace = os.replace
        monkeypatch.setattr(os, "replace", lambda *names: (events.append("renamed"), replace(*names)))
        with replacing(target) as new:
            new.write_text("12345")
        assert events[:2] == [5, "renamed"]


class TestCheckOutput:
    def test_what_can_be_written_and_nothing_is_left(self, target):
        assert check_output(target) == target
        assert check_output(str(target.parent / "b.CSV"), suffixes=[".csv"]) == target.parent / "b.CSV"
        assert names(target.parent) == ["runs.csv"]
        assert target.read_text() == "old"

    @pytest.mark.parametrize(
        ("change", "error", "message"),
        [
            ({"path": ""}, ValueError, "--csv = ''; --csv must be the name of a file"),
            ({"path": "a\0b"}, ValueError, "must be the name of a file"),
            ({"path": "sub/"}, ValueError, "must be the name of a file"),
            ({"path": "runs.txt", "suffixes": [".csv", ".tsv"]}, ValueError, "must end with one of '.csv', '.tsv'"),
            ({"path": "missing/runs.csv"}, FileNotFoundError, "must be in a folder that exists"),
            ({"path": "."}, IsADirectoryError, "it is a folder"),
            ({"path": "runs.csv", "overwrite": False}, FileExistsError, "must not exist, and it does"),
            ({"path": f"{'a' * 250}.csv"}, OSError, "must be a file that can be written: "),
            ({"path": os.devnull}, OSError, "an ordinary file"),
            ({"path": "runs.csv/a.csv"}, FileNotFoundError, "must be in a folder that exists"),
        ],
        ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
    )
    def test_what_cannot(self, target, monkeypatch, change, error, message):
        monkeypatch.chdir(target.parent)
        with pytest.raises(error) as caught:
            check_output(**{"name": "--csv"} | change)
        assert message in str(caught.value)
        assert type(caught.value) is error or error is OSError
        assert names(target.parent) == ["runs.csv"]

    @pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="a folder that nobody can write")
    def test_a_folder_that_cannot_be_written(self):
        with pytest.raises(OSError, match="must be a file that can be written"):
            check_output("/proc/self/runs.csv")

    def test_a_protected_file(self, target, monkeypatch):
        monkeypatch.setattr(os, "access", lambda path, mode: False)  # also where the tests run as root
        with pytest.raises(PermissionError, match="it is protected"):
            check_output(target)

    def test_an_input_in_any_spelling(self, target, monkeypatch):
        folder = target.parent
        monkeypatch.chdir(folder)
        (folder / "symbolic.csv").symlink_to(target)
        (folder / "hard.csv").hardlink_to(target)
        (folder / "sub").mkdir()
        for spelling in ("runs.csv", "./runs.csv", "sub/../runs.csv", target, "symbolic.csv", "hard.csv"):
            with pytest.raises(ValueError, match="must be another file than"):
                check_output(spelling, inputs=["runs.csv"])
        assert check_output("other.csv", inputs=["runs.csv"])

    def test_an_input_that_is_not_made_yet(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "link.csv").symlink_to("new.csv")
        for spelling in ("new.csv", "./new.csv", "link.csv"):
            with pytest.raises(ValueError, match="must be another file than"):
                check_output(spelling, inputs=["new.csv"])


def test_a_file_and_one_that_is_missing_are_not_the_same(target):
    assert not same_file(target, target.parent / "missing.csv")


def test_only_the_standard_library_is_imported():
    code = (
        "import sys, numerics.files\n"
        "loaded = {'torch', 'numpy', 'rich', 'scipy'} & set(sys.modules)\n"
        "assert not loaded, loaded"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
