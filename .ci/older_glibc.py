"""Let programs that were built with a newer glibc's headers run with an older glibc.

    python older_glibc.py VERSION FILE...

Such a program asks for `__isoc23_strtol` of GLIBC_2.38 where it used to ask for `strtol`. The two differ in reading
"0b101" only. The new name ends in the old one, so that a reference can be turned into one to the old name, and the
entry for the newer version, which nothing asks for then, into a second one for the base version. Files that are no
64-bit ELF programs, or ask for nothing newer than VERSION, stay as they are; exits with 1 where a reference is of
another kind.
"""

import struct
import sys
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

PREFIX = "__isoc23_"
BASE = "GLIBC_2.2.5"


def version_of(name: str) -> tuple[int, ...]:
    """GLIBC_2.38 as (2, 38); of other names ()."""
    head, _, tail = name.partition("_")
    return tuple(map(int, tail.split("."))) if head == "GLIBC" and tail[:1].isdigit() else ()


def relabel(path: Path, have: tuple[int, ...]) -> None:
    """Turn the references of one program, in its file."""
    with path.open("r+b") as file:
        program = ELFFile(file)
        needs, versions = (program.get_section_by_name(name) for name in (".gnu.version_r", ".gnu.version"))
        symbols = program.get_section_by_name(".dynsym")
        if program.elfclass != 64 or needs is None:
            return
        base, newer = None, {}
        place = needs["sh_offset"]
        for need, entries in needs.iter_versions():
            entry_place = place + need["vn_aux"]
            for entry in entries:
                if entry.name == BASE:
                    base = entry
                elif version_of(entry.name) > have:
                    newer[entry["vna_other"]] = entry_place
                entry_place += entry["vna_next"]
            place += need["vn_next"]
        if not newer:
            return
        for number, symbol in enumerate(symbols.iter_symbols()):
            index = versions.get_symbol(number)["ndx"]
            if index not in newer:
                continue
            if base is None or not symbol.name.startswith(PREFIX):
                sys.exit(f"{path}: {symbol.name} is of a newer glibc, and has no older name")
            file.seek(symbols["sh_offset"] + number * symbols["sh_entsize"])
            file.write(struct.pack("<I", symbol["st_name"] + len(PREFIX)))
            file.seek(versions["sh_offset"] + number * versions["sh_entsize"])
            file.write(struct.pack("<H", base["vna_other"]))
        for entry_place in newer.values():  # hash and name; flags and number between them stay
            file.seek(entry_place)
            file.write(struct.pack("<I", base["vna_hash"]))
            file.seek(entry_place + 8)
            file.write(struct.pack("<I", base["vna_name"]))


if __name__ == "__main__":
    glibc = tuple(map(int, sys.argv[1].split(".")))
    for name in sys.argv[2:]:
        try:
            relabel(Path(name), glibc)
        except ELFError:
            continue
