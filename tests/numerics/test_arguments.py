"""A number means the same whatever its type, in every public function of numerics."""

import outcomes
import pytest
from numerics_calls import CALLS
from scalar_arguments import in_every_type, public_functions, scalars

import numerics

pytestmark = pytest.mark.any_type  # methods and what calls them are not all annotated for every type
#: Functions between the doors, whose callers have checked the numbers; another package's loader; what only collects.
WITHOUT = {
    "numerics.data.mnist1d",
    "numerics.deep_rfm.agop_root",  # timings; its other arguments are in the table
    "numerics.kernels.distances_about",
    "numerics.descent.plot",
    "numerics.descent.tiles",
    "numerics.linalg.add_gram",
    "numerics.metrics.condition_number",
    "numerics.scaling.binary_scale",
    "numerics.scaling.restored",
    "numerics.scaling.safe_scale",
}


def fresh(arguments):
    """The arguments, of which a function may overwrite the tensors."""
    return {name: value.clone() if hasattr(value, "clone") else value for name, value in arguments.items()}


def variants():
    for index, (label, _, usual) in enumerate(CALLS):
        for name, value in usual.items():
            for kind, given in in_every_type(value):
                yield pytest.param(index, {name: given}, id=f"{label}-{name}-{kind}")


@pytest.mark.parametrize(("index", "given"), list(variants()))
def test_a_number_means_the_same_in_every_type(index, given):
    _, function, usual = CALLS[index]
    found, wanted = function(**(fresh(usual) | given)), function(**fresh(usual))
    assert outcomes.same(outcomes.parts(found), outcomes.parts(wanted), rtol=1e-13)


def test_every_public_function_is_called():
    called = {}
    for label, function, usual in CALLS:
        called.setdefault(function, set()).update(usual)
        called.setdefault(f"numerics.{label}", set()).update(usual)
    missing = [
        f"{name}({argument})"
        for name, function in public_functions(numerics)
        if name not in WITHOUT and not name.startswith(("numerics.tensors", "numerics.sweep"))
        for argument in scalars(function)
        if argument not in called.get(function, set()) | called.get(name, set())
    ]
    assert not missing
