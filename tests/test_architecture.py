"""The rooms are as docs/architecture.md says: what each may import, no circles, nothing private, no long file."""

import ast
import re
from pathlib import Path

import networkx as nx
import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("nct", "numerics", "theory")
FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
}
TREES = {module: ast.parse(path.read_text(encoding="utf-8")) for module, path in FILES.items()}
TABLE = {
    room: set(re.findall(r"`([^`]+)`", allowed))
    for room, allowed in re.findall(
        r"^\| `([\w.]+)` \|[^|]*\|([^|]*)\|$",
        (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
}


def imported(module):
    """The names that a module imports, wherever in it, as (module, name or None)."""
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative imports hide the room"
            yield from ((node.module, alias.name) for alias in node.names)


def provider(package, name):
    """The module that `name` comes from, followed through what packages hand on (their `__init__`, eager or lazy)."""
    if f"{package}.{name}" in FILES:
        return f"{package}.{name}"
    if package in FILES and FILES[package].name == "__init__.py":
        stub = FILES[package].with_suffix(".pyi")
        tree = ast.parse(stub.read_text(encoding="utf-8")) if stub.exists() else TREES[package]
        for node in tree.body:
            if isinstance(node, ast.ImportFrom) and any((alias.asname or alias.name) == name for alias in node.names):
                source = f"{package}.{node.module}" if node.level else node.module
                return provider(source, name)
    return package


def edges():
    for module in FILES:
        for package, name in imported(module):
            if package.partition(".")[0] in PACKAGES:
                target = package if name is None else provider(package, name)
                if target != module:
                    yield module, target


EDGES = sorted(set(edges()))


def room(module):
    while module not in TABLE:
        module = module.rpartition(".")[0]
    return module


def test_the_table_names_rooms_that_exist():
    assert set(PACKAGES) <= set(TABLE)
    assert set(TABLE) <= {module for module, path in FILES.items() if path.name == "__init__.py"}
    assert set().union(*TABLE.values()) <= set(TABLE)


def test_every_import_is_allowed():
    wrong = [
        f"{module} imports {target}"
        for module, target in EDGES
        if room(module) != room(target) and room(target) not in TABLE[room(module)]
    ]
    assert wrong == []


def test_every_permission_is_used():
    used = {(room(module), room(target)) for module, target in EDGES}
    idle = [(one, other) for one, allowed in TABLE.items() for other in allowed if (one, other) not in used]
    assert idle == []


def test_no_circles():
    graph = nx.DiGraph((module, target) for module, target in EDGES if FILES[module].name != "__init__.py")
    circles = [sorted(part) for part in nx.strongly_connected_components(graph) if len(part) > 1]
    assert circles == []


@pytest.mark.parametrize("outside", ["proofs_checks", "tests", "benchmarks", "examples"])
def test_nothing_imports_what_stands_outside(outside):
    assert [m for m in FILES for package, _ in imported(m) if package.partition(".")[0] == outside] == []


def test_theory_and_the_ledger_do_not_import_torch():
    light = [module for module in FILES if module.startswith(("theory", "nct.ledger"))]
    assert [m for m in light for package, _ in imported(m) if package.partition(".")[0] == "torch"] == []


def test_the_minimisers_of_floats_and_of_balls_are_independent():
    enclosing = {module for module in FILES if module.startswith("theory.dufm.enclosure")}
    for module in enclosing:
        assert not any("minimise_scale" == name for _, name in imported(module))
    meeting = "theory.dufm.optimum"  # compares what both have found
    users = {m for m, t in EDGES if t in enclosing and m not in enclosing and m.startswith("theory")}
    assert [m for m in users if not m.startswith(meeting)] == []


def is_private(name):
    return name.startswith("_") and not name.startswith("__")


def test_no_private_name_is_imported():
    wrong = [
        f"{module}: {name} of {package}"
        for module in FILES
        for package, name in imported(module)
        if package.partition(".")[0] in PACKAGES and name is not None and is_private(name)
        if f"{package}.{name}" not in FILES  # a module
    ]
    assert wrong == []


def test_a_private_module_is_imported_in_its_own_package_only():
    wrong = []
    for module in FILES:
        for package, name in imported(module):
            target = f"{package}.{name}" if name is not None and f"{package}.{name}" in FILES else package
            home, _, last = target.rpartition(".")
            if target in FILES and is_private(last) and not f"{module}.".startswith(f"{home}."):
                wrong.append(f"{module} imports {target}")
    assert wrong == []


def test_no_private_attribute_of_an_imported_module_is_used():
    wrong = []
    for module, tree in TREES.items():
        modules = {name for package, name in imported(module) if f"{package}.{name}" in FILES}
        for node in ast.walk(tree):
            match node:
                case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name in modules and is_private(
                    attribute
                ):
                    wrong.append(f"{module}: {name}.{attribute}")
    assert wrong == []


def test_files_are_at_most_400_lines():
    long = {
        module: lines for module, path in FILES.items() if (lines := path.read_text(encoding="utf-8").count("\n")) > 400
    }
    assert long == {}


def test_every_public_module_begins_with_a_sentence():
    """It is the module's line in the tables of the API pages, which have one line for each."""
    public = [m for m in FILES if not any(map(is_private, m.split("."))) and not m.startswith("nct.commands.")]
    lines = {module: (ast.get_docstring(TREES[module]) or "").split("\n\n")[0] for module in public}
    assert {module: line for module, line in lines.items() if not re.fullmatch(r"[^\n]+[.]", line)} == {}
