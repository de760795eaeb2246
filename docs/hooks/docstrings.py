"""Docstrings for the API pages: an example in the prose is set as code, and special methods stay out."""

import importlib.util
import re
from pathlib import Path

import griffe

spec = importlib.util.spec_from_file_location("formulas", Path(__file__).with_name("formulas.py"))
formulas = importlib.util.module_from_spec(spec)
spec.loader.exec_module(formulas)

EXAMPLE = re.compile(r"(?:(?<=\n\n)|\A)((?:[ \t]*)>>> .*?)(?=\n[ \t]*\n|\Z)", re.DOTALL)
SECTION = re.compile(r"^Examples\n-+$", re.MULTILINE)


def fenced(text: str) -> str:
    """The text with fences around its examples, up to the section that the parser reads as examples by itself."""
    section = SECTION.search(text)
    end = section.start() if section else len(text)
    return EXAMPLE.sub(r"```pycon\n\1\n```", text[:end]) + text[end:]


class Docstrings(griffe.Extension):
    def on_object(self, *, obj, **_):
        if obj.docstring:
            obj.docstring.value = fenced(formulas.set_apart(obj.docstring.value))

    def on_class(self, *, cls, **_):
        for name in [name for name in cls.members if name.startswith("__") and name != "__init__"]:
            cls.del_member(name)
