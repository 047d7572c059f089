"""Modules that have moved are still found under their old names, and say where they went."""

from __future__ import annotations

import importlib
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from pellucid.moved import MOVED, Moved, home_of


@pytest.mark.parametrize("old", MOVED)
def test_an_old_name_gives_the_same_module_and_says_where_it_is(old: str) -> None:
    name = f"pellucid.{old}"
    home = importlib.import_module(str(home_of(name)))
    spec = home.__spec__
    for each in [each for each in sys.modules if f"{name}.".startswith(f"{each}.") and home_of(each)]:
        del sys.modules[each]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert importlib.import_module(name) is home
    assert str(caught[-1].message) == f"{name} has moved: import {home.__name__} instead"
    assert caught[-1].category is DeprecationWarning
    assert home.__spec__ is spec
    assert home.__name__ == home_of(name)


def test_a_module_below_an_old_package_is_the_same_one() -> None:
    code = """
import warnings
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pellucid.scratch.forward import forward
    from pellucid.workflow.settings import Settings
from pellucid.engines.textbook.forward import forward as same
from pellucid.settings.settings import Settings as settings
assert forward is same and Settings is settings
"""
    assert subprocess.run([sys.executable, "-W", "error", "-c", code], check=False).returncode == 0


def test_a_module_that_never_was_is_not_found() -> None:
    with pytest.raises(ModuleNotFoundError, match="scratched"):
        importlib.import_module("pellucid.scratched")
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("pellucid.scratch.no_such_module")


def test_the_kernel_is_still_compiled_under_its_old_name() -> None:
    code = Moved().get_code("pellucid.kernel.__main__")
    assert code is not None
    assert Path(code.co_filename).parts[-3:] == ("engines", "kernel", "__main__.py")
