"""Points of a space as people type them: NAME=VALUE, once for each hyperparameter that varies."""

from __future__ import annotations

from collections.abc import Sequence

from comparator.errors import InputError, nearest
from comparator.formats.spelling import check_once, spelling
from comparator.formats.text import shortened
from comparator.space import Constant, ParameterSpace, Point


def typed_point(space: ParameterSpace, asked: Sequence[str]) -> Point:
    """Return the point that texts NAME=VALUE say, whose constants may be left out; raises `InputError`."""
    texts: dict[str, str] = {}
    for text in asked:
        name, separator, value = text.partition("=")
        if not separator or not name.strip():
            raise InputError(f"--at {shortened(text)}: not NAME=VALUE, such as noise=20")
        own = spelling(name.strip(), space.names)
        if own not in space.names:
            raise InputError(f"--at {shortened(text)}: the space has no '{shortened(own)}'{nearest(own, space.names)}")
        check_once([*texts, own], "--at")
        texts[own] = value
    missing = [each.name for each in space.parameters if each.name not in texts and not isinstance(each, Constant)]
    if missing:
        are = "is" if len(missing) == 1 else "are"
        named = " and ".join([", ".join(missing[:-1]), missing[-1]] if len(missing) > 1 else missing)
        raise InputError(f"--at: {named} {are} missing; give each as --at NAME=VALUE")
    return space.parse(texts, "--at")
