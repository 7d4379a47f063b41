"""What PBS takes in the directives of a job script.

PBS has no call that tries a script without handing it in, so its rules stand here: those of qsub(1B) and
pbs_resources(7B) of PBS Pro and OpenPBS. What only a server knows (queues, file systems) is asked of it.
"""

from __future__ import annotations

import getopt
import re
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from comparator.formats.text import shortened
from comparator.site.programs import try_command

#: Those of qsub(1B), as getopt(3) has them.
OPTIONS = "a:A:c:C:e:fhIj:J:k:l:m:M:N:o:p:P:q:r:R:S:u:v:VW:Xz"
#: Of a host, so that beside `select` they belong into its chunks.
OF_A_CHUNK = ("accelerator", "arch", "host", "mem", "mpiprocs", "ncpus", "ngpus", "ompthreads", "vmem", "vnode")
#: Every server has these.
KNOWN = (
    *OF_A_CHUNK,
    "cput",
    "file",
    "nice",
    "nodes",
    "pcput",
    "place",
    "pmem",
    "pvmem",
    "select",
    "software",
    "walltime",
)
NUMBERS = ("mpiprocs", "ncpus", "ngpus", "ompthreads")
SIZES = ("mem", "vmem")
ARRANGEMENTS, SHARING = ("free", "pack", "scatter", "vscatter"), ("excl", "shared", "exclhost")
RESOURCE = re.compile(r"([A-Za-z][\w-]*)=(.*)", re.DOTALL)
SIZE = re.compile(r"\d+([kmgtp]?[bw])?", re.IGNORECASE)
TIME = re.compile(r"(\d+:){0,2}\d+(\.\d+)?")
JOB_NAME = re.compile(r"[\w.+-]{1,230}", re.ASCII)
VALID_FILE_SYSTEMS = re.compile(r"valid_filesystems = (\S+)")


def options(line: str) -> list[tuple[str, str]] | None:
    """The options of a directive, as `("-l", "select=2")`; None where it has anything else."""
    try:
        found, others = getopt.getopt(shlex.split(line), OPTIONS)
    except (getopt.GetoptError, ValueError):
        return None
    return None if others else found


def resources(line: str) -> list[tuple[str, str]]:
    """What a directive `-l a=1,b=2` asks for; nothing where it is another."""
    asked = [part for option, value in options(line) or () if option == "-l" for part in value.split(",")]
    return [(name, value) for name, _, value in (part.partition("=") for part in asked)]


def faults(lines: Sequence[str]) -> list[str]:
    """Why `qsub` would not take a script with these directives, which are without their mark; none where it would."""
    return list(_faults(lines))


def _faults(lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        if options(line) is None:
            yield f"'{shortened(line)}': is no option of qsub"
    asked = [each for line in lines for each in resources(line)]
    names = list(dict.fromkeys(name for name, _ in asked))
    if "nodes" in names and ("select" in names or "place" in names):
        yield "it asks for its nodes twice, by nodes= and by select= or place=: PBS takes one of them"
    elif "place" in names and "select" not in names:
        yield "place= wants select= beside it"
    elif "select" in names:
        for name in names:
            if name in OF_A_CHUNK:
                yield f"{name}= beside select=: it belongs into a chunk, as select=2:{name}=..."
    for name, value in asked:
        yield from _of_a_resource(name, value)
    for option, value in (each for line in lines for each in options(line) or ()):
        if option == "-N" and not JOB_NAME.fullmatch(value):
            yield f"-N {shortened(value)}: a job's name has up to 230 letters, digits and . _ + -"


def _of_a_resource(name: str, value: str) -> Iterator[str]:
    if name == "select":
        for chunk in value.split("+"):
            yield from _of_a_chunk(chunk, value)
    elif name == "place":
        yield from _of_a_place(value)
    elif name == "walltime" and value and not TIME.fullmatch(value):
        yield f"walltime={shortened(value)}: must be a time as HH:MM:SS"


def _of_a_chunk(chunk: str, whole: str) -> Iterator[str]:
    first, *rest = chunk.split(":")
    parts = rest if first.isdigit() else [first, *rest]
    if first.isdigit() and int(first) < 1:
        yield f"select={shortened(whole)}: there must be one chunk or more"
    found = [RESOURCE.fullmatch(part) for part in parts]
    for part, match in zip(parts, found, strict=True):
        if match is None or not match[2] or re.search(r"\s", part):
            yield f"select={shortened(whole)}: '{shortened(part)}' must be a resource, as ncpus=4"
        elif match[1] in NUMBERS and not match[2].isdigit():
            yield f"select={shortened(whole)}: {match[1]}={shortened(match[2])}: must be a whole number"
        elif match[1] in SIZES and not SIZE.fullmatch(match[2]):
            yield f"select={shortened(whole)}: {match[1]}={shortened(match[2])}: must be a size, as 16gb"
    for name, count in Counter(match[1] for match in found if match).items():
        if count > 1:
            yield f"select={shortened(whole)}: {name} stands {count} times in a chunk"


def _of_a_place(value: str) -> Iterator[str]:
    parts = value.split(":")
    kinds = [
        "arrangement" if part in ARRANGEMENTS else "sharing" if part in SHARING else "grouping"
        for part in parts
        if part in (*ARRANGEMENTS, *SHARING) or re.fullmatch(r"group=[\w-]+", part)
    ]
    if len(kinds) != len(parts) or len({*kinds}) != len(kinds):
        yield (
            f"place={shortened(value)}: must be one of {', '.join(ARRANGEMENTS)}, then perhaps one of"
            f" {', '.join(SHARING)}, and group=RESOURCE, divided by :"
        )


def unknown_to_the_server(lines: Sequence[str], environment: Mapping[str, str]) -> Iterator[str]:
    """The queue, the resources and the file systems (ALCF's resource `filesystems`) that the server does not have."""
    for option, value in (each for line in lines for each in options(line) or ()):
        if option == "-q" and (said := _refused(["qstat", "-Q", value], environment)):
            yield f"-q {value}: {said}"
    for name, value in (each for line in lines for each in resources(line)):
        named = (
            [part.partition("=")[0] for part in re.split("[:+]", value) if "=" in part] if name == "select" else [name]
        )
        for each in dict.fromkeys(named):
            if each not in KNOWN and (said := _refused(["qmgr", "-c", f"list resource {each}"], environment)):
                yield f"{each}=: {said}"
        if name == "filesystems":
            found = VALID_FILE_SYSTEMS.search(try_command(["qstat", "-Bf"], environment).stdout)
            valid = re.split(r"[,:]", found[1]) if found else value.split(":")
            for each in value.split(":"):
                if each not in valid:
                    yield f"filesystems={value}: there is no '{each}'; there are: {', '.join(valid)}"


def _refused(command: list[str], environment: Mapping[str, str]) -> str | None:
    """What a command says of something that the server does not know; None where it knows it, or does not answer."""
    asked = try_command(command, environment)
    said = re.search(r"Unknown (queue|resource)", asked.stderr + asked.stdout)
    return said[0] if asked.returncode != 0 and said else None
