"""The words of a command line: those that may be left out, and those that are keys of an experiment file."""

from __future__ import annotations

import contextlib
import difflib
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from comparator.errors import InputError
from comparator.formats.names import home_written_out
from comparator.formats.text import shortened

#: Options whose value may be left out, which is empty then.
WITHOUT_VALUE = ("--resume", "--notify")
SITE = "--site"
#: What scripts of `test/` say of their first word.
FIRST_WORD = "a script in test/ has the site as its first word"
_EXTRA = re.compile(r"Got unexpected extra arguments?(?:\(s\))? \((.*)\)")


def with_all_values(words: Sequence[str]) -> list[str]:
    """The words with an empty value behind an option of `WITHOUT_VALUE` that an option, a file or nothing follows."""
    complete = []
    for place, word in enumerate(words):
        complete.append(word)
        following = words[place + 1] if place + 1 < len(words) else "-"
        if word in WITHOUT_VALUE and (following.startswith("-") or Path(following).is_file()):
            complete.append("")
    return complete


def refuse_missing(words: Sequence[str], command: Any) -> None:
    """Raise `InputError` for an option that takes a value and is followed by another option of the `command`.

    It would be its value: an experiment called `--dry-run`, which begins.
    """
    named = iter(words)
    while (known := getattr(command, "commands", None)) is not None:
        command = known.get(next(named, ""))
    options = [each for each in getattr(command, "params", ()) if each.param_type_name == "option"]
    names = {name for each in options for name in (*each.opts, *each.secondary_opts)}
    takes = {name for each in options if not each.is_flag for name in each.opts} - {*WITHOUT_VALUE}
    for before, word in pairwise(words):
        if before in takes and word.partition("=")[0] in names:
            raise InputError(f"{before}: its value is missing; {shortened(word)} is an option")


def with_homes_written_out(words: Sequence[str]) -> list[str]:
    """The words with `~` written out where a path begins with it, as a shell does of words that are not quoted.

    The text of a note may begin so.
    """
    is_text = words[:1] == ["note"]
    return [
        word if is_text and before != "--experiments" else _written_out(word) for before, word in pairwise(["", *words])
    ]


def _written_out(word: str) -> str:
    option, is_joined, value = word.partition("=")
    if option.startswith("--") and is_joined:
        return f"{option}={home_written_out(value)}" if value.startswith("~") else word
    return str(home_written_out(word)) if word.startswith("~") else word


def refuse_empty(words: Sequence[str]) -> None:
    """Raise `InputError` for an empty word, as a shell's variable leaves it that is not set: it would say nothing.

    An option of `WITHOUT_VALUE` may have one, and the text of a note, which is taken away so.
    """
    for before, word in pairwise(["", *words]):
        option, is_joined, value = word.partition("=")
        if word.startswith("--") and is_joined and not value and option not in WITHOUT_VALUE:
            raise InputError(f"{option}: its value is empty; give one, or leave the option out")
        if word == "" and before.startswith("-") and before not in WITHOUT_VALUE:
            raise InputError(f"an empty word stands behind {shortened(before)}; give one, or leave it out")
        if word == "" and not before.startswith("-") and words[0] != "note":
            raise InputError("an argument is empty; give one, or leave it out")


def refuse_two_sites(words: Sequence[str]) -> None:
    """Raise `InputError` where the site is given twice, of which the first would not count."""
    given = [following for word, following in pairwise(words) if word == SITE]
    given += [word.partition("=")[2] for word in words if word.startswith(f"{SITE}=")]
    if len(set(given)) > 1:
        sites = " and ".join(f"'{shortened(each)}'" for each in dict.fromkeys(given))
        raise InputError(f"{SITE}: two sites are given, {sites}; {FIRST_WORD}")


def wrong_usage(error: Exception) -> str:
    """What is wrong about the command that was typed, of an exception of typer's."""
    from pydantic import ValidationError

    from comparator.formats.refusal import allowed
    from comparator.formats.text import shown

    if isinstance(error.__cause__, ValidationError):  # of a number; some versions of typer check it so
        option, finding = error.param.opts[0], error.__cause__  # type: ignore[attr-defined]
        return f"{option} {shown(finding.errors()[0]['input'])}: {allowed(finding)}"
    said = " ".join(error.format_message().split()).removesuffix(".")  # type: ignore[attr-defined]
    return f"{said}{_place_instead(said)}{_key_instead(getattr(error, 'option_name', None))}"


def _place_instead(said: str) -> str:
    """Where a word too many is the name of a site, or a file: where that belongs."""
    extra = _EXTRA.fullmatch(said)
    if extra is None:
        return ""
    from comparator.formats.kinds import other_kind
    from comparator.site.folders import project_root
    from comparator.site.profile import site_files

    words = extra[1].split()
    site = next((word for word in words if word in site_files(project_root())), None)
    if site is not None:
        return f"; '{site}' is a site: {SITE} {site}; {FIRST_WORD}"
    with contextlib.suppress(OSError):  # a word that is too long for a file's name
        return next((other_kind(path, "") for path in map(Path, words) if path.is_file()), "")
    return ""


def _key_instead(option: str | None) -> str:
    """Where an option that there is not is a key of an experiment file, or nearly one: how that is set."""
    if option is None:
        return ""
    from comparator.experiment.settings import known_keys

    by_name = {key.rpartition(".")[2]: key for key in reversed(known_keys())}
    names = difflib.get_close_matches(option.lstrip("-").replace("-", "_"), list(by_name), n=1, cutoff=0.8)
    if not names:
        return ""
    return f"; {names[0]} is a key of the experiment file: --set {by_name[names[0]]}=..."
