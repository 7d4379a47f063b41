"""The text of a log: where it has what is sought, and which of its lines are ours.

Logs are read in UTF-8 or UTF-16, also one behind the other, as streams: the longest line takes no more memory than
the shortest. Lines of ours in them, which begin with `comparator:`, are no words of the model.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import IO

OURS = "comparator:"
BLOCK = 1 << 20  # bytes of a log that are read at once
PIECE = 1000  # characters, from what is looked for on, that are looked at
CUT = "\N{HORIZONTAL ELLIPSIS}"
#: Colours, movements of the cursor, titles and links of terminals (ECMA-48, and xterm's); also as JSON and shells
#: write the escape character.
TERMINAL_CODE = re.compile(
    r"(?:\x1b|\\u001b|\\x1b|\\033|\\e)(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|\([0-9A-Z])", re.IGNORECASE
)
BLANKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
#: Around a word, also in the text of a JSON log.
QUOTE = r"""(?:\\*["'])?"""
FINITE = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?"


def our_line(words: str) -> bytes:
    """A line of ours for a log; one line, whatever the words hold."""
    one_line = words.replace("\r", "\\r").replace("\n", "\\n")
    return f"{OURS} {one_line}\n".encode(errors="backslashreplace")


def plain(text: str) -> str:
    """Text without a terminal's codes and control characters, white space as single blanks."""
    return BLANKS.sub(" ", TERMINAL_CODE.sub("", text))


def pieces(log: IO[bytes], sought: re.Pattern[str], rare: str, block: int) -> Iterator[str]:
    """Where a log has what is `sought`: the text from there to the end of its line, `PIECE` characters at most.

    A place is looked at only when so many characters are read behind it, so that no block's end cuts anything.
    `rare` is a part of all that is sought: blocks without it are passed by at once.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text, is_ours = "\n", False
    while True:
        read = log.read(block)
        # Without its NUL bytes UTF-16 is ASCII as far as it is read here.
        text += decoder.decode(read.replace(b"\0", b""), final=not read).replace("\r", "\n")
        certain = max(0, len(text) - PIECE) if read else len(text)
        since = 0
        for found in sought.finditer(text) if rare in text else ():
            if found.start() >= certain:
                break
            is_ours = _line_is_ours(text, since, found.start(), is_ours)
            since = found.start()
            if not is_ours:
                piece, line_end, _ = text[since : since + PIECE].partition("\n")
                yield piece if line_end or since + PIECE >= len(text) else piece + CUT
        if not read:
            return
        is_ours = _line_is_ours(text, since, certain, is_ours)
        text = text[certain:]


def _line_is_ours(text: str, since: int, place: int, before: bool) -> bool:
    """Whether `place` lies in a line of ours, where `before` says so of `since`, an earlier place."""
    line_end = text.rfind("\n", since, place)
    return before if line_end < 0 else text.startswith(OURS, line_end + 1)
