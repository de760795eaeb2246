"""Archives of tensors, numbers and strings that are believed only if no byte of them has changed.

An archive is a file as `torch.save` writes it, whose comment is the SHA-256 of all that comes before the comment.
Reading one runs no code that is in it. Archives of format 1 have no such checksum, but each record in them has one,
which is verified.
"""

import hashlib
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import torch

from numerics.files import replacing

__all__ = ["FORMAT", "read_archive", "write_archive"]

FORMAT = 2
"""Of the archives that are written; those of format 1 are read."""

_MAGIC = b"sha256:"
_COMMENT = len(_MAGIC) + 2 * hashlib.sha256().digest_size


def write_archive(path: str | os.PathLike[str], state: dict[str, Any]) -> None:
    """Write an archive whole or not at all.

    Parameters
    ----------
    path : path
        The file; one that is there is replaced.
    state : dict
        Tensors, numbers, strings, and lists, tuples and dictionaries of them.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    with replacing(path) as new, new.open("w+b") as file:
        torch.save({"format": FORMAT, **state}, file)
        file.seek(-2, os.SEEK_END)  # an archive without comment ends with the comment's length
        file.write(_COMMENT.to_bytes(2, "little"))
        file.seek(0)
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0, os.SEEK_END)
        file.write(_MAGIC + checksum.encode())


def read_archive(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read an archive of either format.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        If it is no such archive, or has been damaged.
    OSError
        If it cannot be read.
    """
    with Path(path).open("rb") as file:
        checked = _checked(path, file)
        file.seek(0)
        try:
            state = torch.load(file, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:
            raise _foreign(path, "it holds more than tensors, numbers and strings") from error
        except Exception as error:
            raise _foreign(path, "torch cannot read it") from error
    if not isinstance(state, dict) or type(state.get("format")) is not int:
        raise _foreign(path, "it says no format")
    if state["format"] not in (1, FORMAT):
        raise _foreign(path, f"it is of format {state['format']}, and 1 and {FORMAT} are known")
    if state["format"] != 1 and not checked:
        raise ValueError(f"{path} is damaged: it has lost its checksum")
    return state


def _checked(path: str | os.PathLike[str], file: BinaryIO) -> bool:
    """Verify the checksum of the file, or those of its records where it has none of its own; whether it had."""
    size = file.seek(0, os.SEEK_END)
    if size == 0:
        raise _foreign(path, "it is empty")
    file.seek(max(0, size - _COMMENT))
    comment = file.read()
    if comment.startswith(_MAGIC):
        if _digest_before(file, size - _COMMENT) != comment.removeprefix(_MAGIC):
            raise ValueError(f"{path} is damaged: its checksum is not that of what it holds")
        return True
    try:
        with zipfile.ZipFile(file) as archive:
            wrong = archive.testzip()
    except Exception as error:
        raise _foreign(path, "it is no archive") from error
    if wrong is not None:
        raise ValueError(f"{path} is damaged: the checksum of its record {wrong} is not that of what it holds")
    return False


def _digest_before(file: BinaryIO, end: int) -> bytes:
    digest = hashlib.sha256()
    file.seek(0)
    while end > 0:
        part = file.read(min(end, 1 << 20))
        digest.update(part)
        end -= len(part)
    return digest.hexdigest().encode()


def _foreign(path: str | os.PathLike[str], reason: str) -> ValueError:
    return ValueError(f"{path} is not a saved DeepRFM: {reason}")
