"""Files are written whole or not at all, and an output that cannot be written is found before the work.

What the experiments and the commands write goes through `replacing`. It needs the standard library only.
"""

import os
import secrets
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["check_output", "check_path", "replacing", "same_file"]

Name = str | os.PathLike[str]


@contextmanager
def replacing(path: Name) -> Iterator[Path]:
    """Give the name of a new file to write, and put that file in the place of `path` once it is whole.

    The new file lies beside the target, so that the last step is one renaming: whoever reads `path`, at any moment and
    after any crash, finds either the old file or the new one. If the writing fails or is interrupted, the new file is
    removed and the old one is as it was.

    Parameters
    ----------
    path : path
        The target. If it is a link, the file that it leads to is replaced, and the link stays.

    Yields
    ------
    Path
        The file to write; its name ends as the target's does.

    Raises
    ------
    OSError
        If the folder is missing or cannot be written, or `path` is no ordinary file.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     target = Path(folder, "runs.csv")
    ...     with replacing(target) as new:
    ...         _ = new.write_text("seed,loss")
    ...     target.read_text()
    'seed,loss'
    """
    target = Path(os.path.realpath(path))
    _check_ordinary("path", path, target)
    new = _beside(target)
    try:
        yield new
        if target.exists():
            shutil.copymode(target, new)
        _to_disk(new)
        os.replace(new, target)
        _to_disk(target.parent)
    finally:
        with suppress(OSError):
            new.unlink(missing_ok=True)


def check_output(
    path: Name,
    *,
    name: str = "path",
    inputs: Collection[Name] = (),
    suffixes: Collection[str] = (),
    overwrite: bool = True,
) -> Path:
    """Return `path` if `replacing` will be able to write there; to be called before work whose result is to be kept.

    Parameters
    ----------
    path : path
        The output.
    name : str
        What the caller calls it, for the error.
    inputs : collection of paths
        Files that the output may not be, under whatever spelling and through whatever link.
    suffixes : collection of str
        The endings that are allowed, with their dot, in lower case; all endings if there are none.
    overwrite : bool
        Whether the output may replace a file.

    Returns
    -------
    Path

    Raises
    ------
    ValueError
        If the name is empty, ends wrongly, or is that of an input.
    FileExistsError
        If there is a file that may not be replaced.
    OSError
        If the folder is missing or cannot be written, or the output is no ordinary file or is protected.

    Examples
    --------
    >>> check_output("runs.db", name="--csv", suffixes=[".csv"])
    Traceback (most recent call last):
    ...
    ValueError: --csv = 'runs.db'; --csv must end with '.csv'
    >>> check_output("./runs.csv", name="--csv", inputs=["runs.csv"])
    Traceback (most recent call last):
    ...
    ValueError: --csv = './runs.csv'; --csv must be another file than 'runs.csv'
    """
    check_path(name, path)
    text = os.fspath(path)
    if not text or text.endswith((os.sep, os.altsep or os.sep)) or "\0" in text:
        raise ValueError(f"{name} = {text!r}; {name} must be the name of a file")
    if suffixes and Path(text).suffix.lower() not in suffixes:
        choice = "one of " * (len(suffixes) > 1) + ", ".join(map(repr, suffixes))
        raise ValueError(f"{name} = {text!r}; {name} must end with {choice}")
    for other in inputs:
        if same_file(text, other):
            raise ValueError(f"{name} = {text!r}; {name} must be another file than {os.fspath(other)!r}")
    target = Path(os.path.realpath(text))
    _check_ordinary(name, text, target)
    if target.exists() and not overwrite:
        raise FileExistsError(f"{name} = {text!r}; {name} must not exist, and it does")
    _check_writable(name, path, target)
    return Path(path)


def same_file(first: Name, second: Name) -> bool:
    """Whether two names lead to one file, be it through links or another spelling, and whether it exists or not.

    Examples
    --------
    >>> same_file("runs.db", "./folder/../runs.db"), same_file("runs.db", "runs.csv")
    (True, False)
    """
    check_path("first", first)
    check_path("second", second)
    if os.path.exists(first) and os.path.exists(second):
        return os.path.samefile(first, second)
    real = [os.path.normcase(os.path.realpath(path)) for path in (first, second)]
    return real[0] == real[1]


def check_path(name: str, path: object) -> None:
    """Raise TypeError unless `path` is the name of a file: a string or a path."""
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"{name} is a {type(path).__name__}; {name} must be the name of a file")


def _beside(target: Path) -> Path:
    return target.with_name(f".{target.stem}.{secrets.token_hex(4)}.partial{target.suffix}")


def _check_ordinary(name: str, path: Name, target: Path) -> None:
    check_path(name, path)
    text = os.fspath(path)
    if target.is_dir():
        raise IsADirectoryError(f"{name} = {text!r}; {name} must be the name of a file, and it is a folder")
    if target.exists() and not target.is_file():
        raise OSError(f"{name} = {text!r}; {name} must be an ordinary file, and it is a device, a pipe or a socket")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{name} = {text!r}; {name} must be in a folder that exists")


def _check_writable(name: str, path: Name, target: Path) -> None:
    """Try it: permissions alone do not tell of read-only disks, quotas and names that are too long."""
    check_path(name, path)
    text = os.fspath(path)
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(f"{name} = {text!r}; {name} must be a file that can be written, and it is protected")
    trial = _beside(target)
    try:
        trial.touch(exist_ok=False)
        trial.unlink()
    except OSError as error:
        raise type(error)(f"{name} = {text!r}; {name} must be a file that can be written: {error.strerror}") from error


def _to_disk(path: Path) -> None:
    if os.name == "nt" and path.is_dir():  # a folder cannot be opened there
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
