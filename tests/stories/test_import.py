"""`import chainrule` is light: it loads no library, and no room, that only some users of it need."""

import ast
import importlib
import pkgutil
import statistics
import subprocess
import sys
import time

import pytest

import chainrule
from chainrule.base.later import LightPackage

HEAVY = ("sklearn", "scipy", "matplotlib", "torch", "jax", "pandas", "click")
EXTRAS = ("torch", "jax", "jaxlib", "triton")  # what a module may miss: it belongs to an extra
LATER = ("chainrule.plan", "chainrule.nn", "chainrule.ops.lstm", "chainrule.backends.native.library")
PACKAGES = ("chainrule", "chainrule.core", "chainrule.glass", "chainrule.nn", "chainrule.ops")
RUNS = 5


def modules_loaded_by(statement):
    script = f"import sys; {statement}; print(' '.join(sys.modules))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def median_seconds(statement):
    def once():
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", statement], check=True)
        return time.perf_counter() - start

    return statistics.median(once() for _ in range(RUNS))


def test_import_loads_nothing_heavy():
    loaded = modules_loaded_by("import chainrule")
    assert sorted(loaded.intersection(HEAVY)) == []
    assert sorted(loaded.intersection(LATER)) == []


@pytest.mark.parametrize("name", PACKAGES)
def test_names_imported_later_are_those_that_type_checkers_see(name):
    package = importlib.import_module(name)
    assert isinstance(package, LightPackage)
    checked = {}
    for node in ast.walk(type_checking_block(package.__file__)):
        if isinstance(node, ast.ImportFrom):
            names = importlib.import_module(node.module).__all__ if node.names[0].name == "*" else None
            checked |= dict.fromkeys(names or [alias.name for alias in node.names], node.module)
    rooms = {n for n, module in checked.items() if module == name}
    assert rooms == package.rooms
    assert checked.keys() - rooms == package.files_by_name.keys()
    assert {n: checked[n] for n in rooms ^ checked.keys() if n != "PRIMITIVES"} == {
        n: f"{name}.{file}" for n, file in package.files_by_name.items() if n != "PRIMITIVES"
    }


def type_checking_block(path):
    with open(path, encoding="utf-8") as file:
        found = [n for n in ast.parse(file.read()).body if isinstance(n, ast.If) and n.test.id == "TYPE_CHECKING"]
    return found[0]


@pytest.mark.parametrize("name", PACKAGES)
def test_every_public_name_is_there(name):
    """Whatever was imported before, in whatever order; a function may be called like its file."""
    statement = f"""
import chainrule.ops.einsum, chainrule.core.checkpoint, {name} as package
from {name} import *
for name in package.__all__:
    assert name in dir(package) and globals()[name] is getattr(package, name)
"""
    run = subprocess.run([sys.executable, "-c", statement], capture_output=True, text=True, check=False)
    assert run.stderr == ""


def test_a_word_is_found_by_the_file_that_defines_it():
    statement = "import sys, chainrule; from chainrule.core import words; words.cumsum; words.logical_and"
    assert {"chainrule.ops.cumulative", "chainrule.ops.logic"} <= modules_loaded_by(statement)
    with pytest.raises(AttributeError, match="no operation is called 'nonsense'"):
        chainrule.core.words.nonsense  # noqa: B018 - the attribute is what is tested


def test_all_primitives_are_in_the_table_however_little_was_imported():
    script = "import chainrule; print(len(chainrule.PRIMITIVES), 'lstm' in chainrule.PRIMITIVES)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.split() == [str(len(chainrule.PRIMITIVES)), "True"]


def test_the_time_of_import_is_printed(capsys):
    """The promise is 0.2 s; the import graph above is what keeps it, so the time is shown and not tested."""
    numpy_alone, whole = median_seconds("import numpy"), median_seconds("import chainrule")
    bare = median_seconds("pass")
    with capsys.disabled():
        print(f"\nimport chainrule: {whole - bare:.3f} s, of which NumPy {numpy_alone - bare:.3f} s")


@pytest.mark.parametrize(
    "name", sorted(module.name for module in pkgutil.walk_packages(chainrule.__path__, "chainrule."))
)
def test_every_module_can_be_imported(name):
    """Doctests skip a module that cannot be imported; here it is an error, unless an extra is missing."""
    if name.endswith(".__main__"):
        pytest.skip("runs the command line")
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name not in EXTRAS:
            raise
        pytest.skip(f"needs {error.name}: pip install -e '.[oracles]'")
