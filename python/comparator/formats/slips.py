"""Slips of the hand: names that nobody has, and that are nearly one that somebody has."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from comparator.errors import nearest_names
from comparator.formats.spelling import COMMON, spelling

#: From how alike on (1: in every letter) an unknown name is taken for a slip.
ALIKE = 0.85
#: Of shorter names one letter in the place of another tells nothing, `l1` and `l2`, `lr` and `wr`, nor does, of a
#: still shorter one, a further letter that is none of its own: `lr` and `clr`.
SHORTEST_WITH_A_WRONG_LETTER, SHORTEST_WITH_A_FURTHER_LETTER = 4, 3
#: What tells names of one kind apart: numbers, and single letters, as in `lr_d` and `lr_g`.
_APART = re.compile(r"[0-9]+|(?<![a-z])[a-z](?![a-z])")


def slip_of(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` nearly is, whatever the case; None where it is one of them, or like none.

    It is where most letters are alike, or where one letter too many, too few, or two that were exchanged are all that
    sets them apart, of a longer name also one wrong letter: `lrr` is `lr`, `noize` is `noise`. Those that a number or a
    single letter by itself sets apart, `dropout1` and `dropout`, are two.
    """
    names = list(known)
    if spelling(name, names) in names:
        return None
    kind = _kind(name)
    names = [each for each in names if _kind(each) != kind]
    alike = nearest_names(name, names, alike=ALIKE)
    return next(iter([*alike, *(each for each in names if _is_one_slip(name.casefold(), each.casefold()))]), None)


def misspelt(name: str, known: Collection[str]) -> str | None:
    """The hyperparameter of a model that `name`, which it does not have, nearly is; None where it is like none."""
    if name in COMMON or name.startswith("ckpt_"):
        return None
    return slip_of(name, known)


def misspelt_for_all(name: str, given: Sequence[Collection[str]], known: Sequence[Collection[str]]) -> str | None:
    """The hyperparameter that `name` nearly is for each model that is given it; None where one of them has none such.

    `given` are the names that each model is given, `known` those that it has. Of several models the first one's counts.
    """
    meant = [misspelt(name, own) for own, names in zip(known, given, strict=True) if name in names]
    return meant[0] if meant and all(meant) else None


def _kind(name: str) -> str:
    return _APART.sub("", name.casefold()).strip("_-.")


def _is_one_slip(one: str, other: str) -> bool:
    """Whether a single slip makes one name the other, and not another number in it."""
    shorter, longer = sorted((one, other), key=len)
    start = next((at for at, pair in enumerate(zip(shorter, longer, strict=False)) if len({*pair}) > 1), len(shorter))
    rest, further = shorter[start:], longer[start:]
    if len(shorter) < len(longer):
        is_one_more = rest == further[1:] and not further[0].isdigit()
        return (
            is_one_more
            and len(shorter) > 1
            and (len(shorter) >= SHORTEST_WITH_A_FURTHER_LETTER or further[0] in shorter)
        )
    if rest[:2] == further[1::-1] and rest[2:] == further[2:]:
        return not rest[:2].isdigit()
    is_number = rest[:1].isdigit() or further[:1].isdigit()
    return rest[1:] == further[1:] and not is_number and len(longer) >= SHORTEST_WITH_A_WRONG_LETTER
