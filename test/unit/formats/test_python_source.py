"""Python, and R read as Python, that no reader can follow is refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from comparator.drafting.functions import model_of_function
from comparator.errors import InputError
from comparator.formats.python_source import expression_of, tree_of
from comparator.model.own_files.settings_file import read_settings_file
from comparator.model.own_files.source import tree_of_source
from comparator.model.stage_flags import flags_of_python
from comparator.space import ParameterSpace

#: Deep enough to end Python's own reader, by an error that depends on its version and on what is nested.
DEEP = ["lambda: " * 3000 + "1", "-" * 3000 + "1", "1" + "+1" * 3000, "[" * 300]


@pytest.mark.parametrize("deep", DEEP)
def test_what_is_nested_too_deep_is_no_python(tmp_path: Path, deep: str) -> None:
    for read in (tree_of, expression_of):
        with pytest.raises(SyntaxError, match=r"\w"):
            read(deep)
    script, space = tmp_path / "deep.py", tmp_path / "space.R"
    script.write_text(f"x = {deep}\n")
    assert tree_of_source(script) is None
    with pytest.raises(InputError, match=r"deep\.py: no Python that can be read: \w"):
        read_settings_file(script)
    with pytest.raises(InputError, match=r"deep\.py: is no Python that can be read: \w"):
        flags_of_python(script, "train", None)
    with pytest.raises(InputError, match=r"deep\.py.*: not Python: \w"):
        model_of_function(f"{script}:run", tmp_path)
    space.write_text(f'p <- makeParamSet(makeNumericParam("x", lower = {deep}, upper = 2))\n')
    with pytest.raises(InputError, match=r"space\.R, line 1: no parameter set of mlrMBO that can be read: \w"):
        ParameterSpace.read(space)
