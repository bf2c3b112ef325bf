"""`import chainrule` is light: it loads no library that only some users of it need."""

import importlib
import pkgutil
import statistics
import subprocess
import sys
import time

import pytest

import chainrule

HEAVY = ("sklearn", "scipy", "matplotlib", "torch", "jax", "pandas", "click")
EXTRAS = ("torch", "jax", "jaxlib")  # what a module may miss: it belongs to an extra
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
