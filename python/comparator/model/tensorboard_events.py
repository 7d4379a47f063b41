"""The scalars in a file of TensorBoard's events, read without TensorBoard: models have it, the Comparator does not.

A file is of records: the length in eight bytes, a checksum in four, so many bytes, a checksum in four. Each of them is
an `Event`, a message of a protocol buffer, whose fields have these numbers in all versions:

| message | fields that are read |
|---|---|
| Event | 5: a Summary |
| Summary | 1: Values |
| Value | 1: the tag; 2: a number, as PyTorch writes it; 8: a TensorProto of one number, as TensorFlow 2 does |
| TensorProto | 1: the type, 1 for floats, 2 for doubles; 4: numbers as they lie in memory, or 5: floats, 6: doubles |

Checksums are not looked at.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

#: How the names of such files begin.
EVENTS = "events.out.tfevents"
#: Bytes of a record before and behind its event.
HEAD, FOOT = 12, 4
SUMMARY, VALUES = 5, 1
TAG, NUMBER, TENSOR = 1, 2, 8
TYPE, CONTENT = 1, 4
#: By the type of a tensor's numbers: how one lies in memory, and the field that has them.
FLOATS = {b"\x01": ("<f", 5), b"\x02": ("<d", 6)}
#: How a field lies in a message: as a number of so many bytes as it takes, as eight bytes, as so many, as four.
VARINT, EIGHT, BYTES, FOUR = 0, 1, 2, 5


def scalars_in(path: Path) -> dict[str, float]:
    """The last number of each tag; what is damaged, or half written yet, is left out. Raises `OSError`."""
    found: dict[str, float] = {}
    for event in _events(path.read_bytes()):
        with suppress(IndexError, struct.error):
            for summary in _fields(event)[SUMMARY]:
                for value in map(_fields, _fields(summary)[VALUES]):
                    number = _number(value)
                    if number is not None and value[TAG]:
                        found[value[TAG][-1].decode("utf-8", "replace")] = number
    return found


def _events(content: bytes) -> Iterator[bytes]:
    place = 0
    while place + HEAD <= len(content):
        (length,) = struct.unpack_from("<Q", content, place)
        end = place + HEAD + length
        if end + FOOT > len(content):
            return
        yield content[place + HEAD : end]
        place = end + FOOT


def _number(value: Mapping[int, Sequence[bytes]]) -> float | None:
    """The number of a Value by its fields; None for a text, a picture or several numbers."""
    for content in value[NUMBER]:
        return float(struct.unpack("<f", content)[0])
    for tensor in map(_fields, value[TENSOR]):
        form, own = FLOATS.get(b"".join(tensor[TYPE]), ("", CONTENT))
        numbers = b"".join(tensor[own] or tensor[CONTENT])
        if form and len(numbers) == struct.calcsize(form):
            return float(struct.unpack(form, numbers)[0])
    return None


def _fields(message: bytes) -> defaultdict[int, list[bytes]]:
    """The contents of a message's fields by their numbers; raises `IndexError` where it ends within a number."""
    found: defaultdict[int, list[bytes]] = defaultdict(list)
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        kind = key & 7
        if kind == VARINT:
            end = _varint(message, place)[1]
        elif kind == BYTES:
            length, place = _varint(message, place)
            end = place + length
        elif kind in (EIGHT, FOUR):
            end = place + (8 if kind == EIGHT else 4)
        else:  # no kind that is written today
            break
        found[key >> 3].append(message[place:end])
        place = end
    return found


def _varint(message: bytes, place: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and the place behind it."""
    number, shift = 0, 0
    while True:
        byte = message[place]
        number |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return number, place
