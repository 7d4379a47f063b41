"""Logs as the dashboard shows them: files inside the experiments' folder alone, and no more than their ends."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from comparator.errors import InputError

MOST = 1 << 20  # bytes
#: Which files are shown: logs of trainings, what an experiment's own processes wrote.
SHOWN = re.compile(
    r"runs/([\w-][\w.-]/)?[\w-][\w.-]*/model\.log|(?!runs/)[\w-][\w.-]*/(?:errors\.log|resumed\.log|steered\.log|launch-[0-9]+/output\.txt)"
)


def end_of_log(experiments: Path, name: str, most: int = MOST) -> str:
    """The end of the log that is called `name` relative to the folder of all experiments; its beginning is left out.

    Raises `InputError` for what is no log, or lies elsewhere: a link out of the folder leads nowhere.
    """
    if SHOWN.fullmatch(name) is None:
        raise InputError("no such log")
    folder = experiments.resolve()
    try:
        place = (folder / name).resolve(strict=True)
        if not place.is_relative_to(folder):
            raise InputError("no such log")
        # What lies there now may be another than what was looked at: no link is followed, no pipe waited for.
        descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, RuntimeError):
        raise InputError("no such log") from None
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise InputError("no such log")
        left_out = max(0, status.st_size - most)
        file.seek(left_out)
        content = file.read(most)
    if left_out:
        content = content.partition(b"\n")[2] or content
    # Without its NUL bytes UTF-16 is ASCII as far as it is read here.
    text = content.replace(b"\0", b"").decode("utf-8", "replace")
    return f"[{left_out:,} bytes before this are left out]\n{text}" if left_out else text
