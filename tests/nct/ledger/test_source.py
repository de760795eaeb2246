"""The source of functions."""

from functools import partial

from nct.ledger._source import functions_in, source_of

SEVERAL = {"ä": (lambda m: m + 1, lambda m: m + 2), "nested": lambda m: lambda k: k + m}
MULTILINE = [
    lambda m:
    # a comment
    m
    + 3
]  # fmt: skip


def test_each_lambda_of_a_line():
    first, second, outer = functions_in(SEVERAL)
    assert [source_of(f) for f in (first, second)] == ["lambda m: m + 1", "lambda m: m + 2"]
    assert source_of(outer) == "lambda m: lambda k: k + m"
    assert source_of(outer(1)) == "lambda k: k + m"


def test_a_lambda_of_several_lines():
    assert " ".join(source_of(*MULTILINE).split()) == "lambda m: # a comment m + 3"


def test_source_that_is_nowhere():
    space = {}
    exec("f = lambda m: m\ndef g(m): return m", space)
    assert source_of(space["f"]) is None
    assert source_of(space["g"]) is None


def test_a_function_keeps_its_decorators_and_loses_its_indentation():
    @staticmethod
    def inner(m):
        return m

    assert source_of(inner.__func__) == "@staticmethod\ndef inner(m):\n    return m"


def test_functions_within_values():
    def f(): ...

    assert functions_in([f, {"a": partial(f)}, (f, 1), max]) == [f]
    loop = []
    loop.append(loop)
    assert functions_in(loop) == []
