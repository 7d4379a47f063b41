"""What surrounds a command (streams, locale, variables, limits) does it no harm, and what it prints is fit to read."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from desk import COMPARATOR, QUICK, Desk
from hypothesis import given
from hypothesis import strategies as st

from comparator.cli.app import out
from comparator.errors import InputError
from comparator.experiment.terminal import Terminal
from comparator.formats.names import home_written_out
from comparator.formats.text import LONGEST_MESSAGE, message, one_line, plain_character, shortened, shown, unfit_number
from comparator.model.description import description_beside_model, read_toml
from comparator.results.record_file import read_records
from comparator.site import surroundings
from comparator.site.profile import visible_devices
from comparator.strategies.unroll import combine, design_points, read_axis

SEARCH = "search quick.toml --id x --no-report --set search.evaluations=3 --set confirm.points=0"


def in_shell(desk: Desk, line: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """A line of bash in which `comparator` is the command."""
    command = f'comparator() {{ {COMPARATOR[0]} -c "{COMPARATOR[2]}" "$@"; }}; {line}'
    given = {**desk.environment, **environment}
    return subprocess.run(["bash", "-c", command], cwd=desk.folder, env=given, capture_output=True, timeout=100)


# Streams


@pytest.mark.long
@pytest.mark.parametrize("closed", ["<&- >&- 2>&-", ">&-"])
def test_a_search_with_closed_streams_goes_on_to_its_end_and_its_record_holds_records_alone(
    desk: Desk, closed: str
) -> None:
    done = in_shell(desk, f"comparator {SEARCH} {closed}")
    assert done.returncode == 0, done.stderr
    assert len(read_records(desk.experiments / "x" / "evaluations.jsonl")) == 3
    assert json.loads((desk.experiments / "x" / "experiment.json").read_text())["id"] == "x"


@pytest.mark.long
def test_a_search_whose_reader_goes_ends_well(desk: Desk) -> None:
    done = in_shell(desk, f"set -o pipefail; comparator {SEARCH} | head -n 1")
    assert (done.returncode, done.stdout.count(b"\n"), done.stderr) == (0, 1, b"")
    assert len(desk.records("x")) == 3


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_file_that_does_not_take_what_is_printed_is_no_success(tmp_path: Path) -> None:
    lost = surroundings._Lasting(os.open("/dev/full", os.O_WRONLY))
    assert lost.write(b"words") == 5 and lost.lost is None  # a device: nobody keeps what is written to it
    place = tmp_path / "file"
    kept = surroundings._Lasting(os.open(place, os.O_WRONLY | os.O_CREAT))
    os.dup2(os.open("/dev/full", os.O_WRONLY), kept.fileno())
    assert kept.write(b"words") == 5 and kept.lost is not None
    assert kept.write(b"more") == 4, "later words go nowhere"


# Characters


@pytest.mark.long
@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_what_a_terminal_has_no_characters_for_is_replaced(desk: Desk, encoding: str) -> None:
    desk.write(
        "quick.toml", (desk.folder / "quick.toml").read_text().replace("left against", "l\\u00e9ft \\u6f22 against")
    )
    done = in_shell(desk, f"comparator {SEARCH}", PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done.stderr
    first = "l\xe9ft" if encoding == "latin-1" else "left"
    assert f"experiment x: {first} \\u6f22 against right".encode(encoding) in done.stdout


@pytest.mark.long
def test_files_are_utf_8_whatever_the_locale_is(desk: Desk) -> None:
    desk.write("u.py", QUICK.read_text() + '\nprint("\\u6f22")\n')
    done = in_shell(desk, "comparator model check u.py", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert b"Unicode" not in done.stdout + done.stderr


def test_characters_in_ascii() -> None:
    assert [plain_character(each) for each in "é·…½漢\udcff\u2819"] == [
        "e",
        "-",
        "...",
        "\\xbd",
        "\\u6f22",
        "\\xff",
        "*",
    ]


@given(st.text())
def test_a_line_is_one_line_of_characters_that_can_be_printed(text: str) -> None:
    assert one_line(text).isprintable()
    assert text.isprintable() <= (one_line(text) == text)


EVIL = "a\x1b[31mred\r\n\x00\x07\u202eevil[bold]:smile:\udcff"
SEEN = "a\\x1b[31mred  \\x00\\x07\\u202eevil[bold]:smile:\\xff"


def test_control_characters_reach_no_terminal() -> None:
    from rich.table import Table
    from rich.text import Text

    for kind in (None, True):
        file = io.StringIO()
        terminal = Terminal(file=file, width=200, force_terminal=kind, color_system=None)
        table = Table(box=None)
        table.add_column("c")
        table.add_row(EVIL)
        terminal.print(EVIL, soft_wrap=True)
        terminal.print(table)
        terminal.print(Text(EVIL.replace("\r\n", "")))
        said = file.getvalue()
        assert said.count(SEEN) == 2
        assert all(line.isprintable() for line in said.split("\n"))


def test_a_terminal_without_width_shows_its_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "0")
    file = io.StringIO()
    Terminal(file=file).print("words")
    assert file.getvalue() == "words\n"


@pytest.mark.long
def test_names_and_reasons_of_an_experiment_are_plain_in_every_command(desk: Desk) -> None:
    desk.write("evil.py", f"def run(params):\n    raise ValueError({EVIL!r} + 'x' * 100_000)\n")
    desk.write("quick.txt", f"[G]\nmodel_name = 'cmp'\ncmp_model_name = '{desk.folder / 'evil.py'}'\n")
    title = json.dumps(EVIL.replace("\udcff", "")).replace("\\u0000", "")
    desk.write("quick.toml", (desk.folder / "quick.toml").read_text().replace('"left against right"', title))
    lines = f"comparator {SEARCH}; comparator list; comparator watch x; comparator verify x --sample 0"
    done = in_shell(desk, lines)
    said = (done.stdout + done.stderr).decode()
    assert "\\x1b[31mred" in said
    assert all(line.isprintable() for line in said.split("\n"))
    assert max(map(len, said.split("\n"))) < 2 * LONGEST_MESSAGE
    record = desk.records("x")[0]
    assert len(record["reason"]) <= LONGEST_MESSAGE and len(record["runs"][0]["reason"]) <= LONGEST_MESSAGE
    assert "x" * 100_000 in (desk.experiments / record["runs"][0]["log"]).read_text()


# Lengths


@given(st.text(), st.integers(10, 500))
def test_what_is_shortened_keeps_beginning_and_end(text: str, most: int) -> None:
    short = shortened(text, most)
    assert len(short) <= most
    assert short == text or (text.startswith(short.split("...")[0]) and "..." in short)


def test_values_and_messages_have_a_largest_length() -> None:
    assert shown("x" * 5000) == shortened(repr("x" * 5000)) and len(shown("x" * 5000)) == 80
    assert shown(10**5000) == "a number of thousands of digits"
    assert len(message("x\n" * 5000)) == LONGEST_MESSAGE


@pytest.mark.parametrize(
    "words",
    [
        ["search", "quick.toml", "--set", "x" * 10_000],
        ["search", "quick.toml", "--set", f"search.{'x' * 10_000}=1"],
        ["search", "quick.toml", "--id", "x" * 10_000],
        ["search", "quick.toml", "--site", "x" * 10_000],
        ["unroll", "--grid", "x" * 10_000],
        ["watch", "x" * 10_000],
        ["x" * 10_000],
    ],
)
def test_an_error_is_one_line_however_long_what_was_given_is(
    desk: Desk, words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from comparator.cli import main

    monkeypatch.chdir(desk.folder)
    monkeypatch.setattr(sys, "argv", ["comparator", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr().err
    assert ended.value.code == 2 and said.count("\n") == 1 and len(said) < LONGEST_MESSAGE + 20


# Numbers


@pytest.mark.parametrize("word", ["1e999", "-1e999", "NaN", "-Infinity", "9" * 400, "9" * 5000])
def test_a_number_that_cannot_be_computed_with_is_refused_with_its_key(desk: Desk, word: str) -> None:
    from comparator.formats.hyperparameters import parse_override, read_hyperparameters
    from comparator.formats.upf import read_upf
    from comparator.space import ParameterSpace

    toml = {"NaN": "nan", "-Infinity": "-inf"}.get(word, word)
    path = desk.write("given", f'{{"id": "a", "b": [1, {{"c": {word}}}]}}\n')
    with pytest.raises(InputError, match="line 1: 'c' = "):
        read_upf(path)
    desk.write("given", f'[{{"name": "a", "type": "float", "lower": 0, "upper": {word}}}]')
    with pytest.raises(InputError, match="given: 'upper' = "):
        ParameterSpace.read(path)
    desk.write("given", f"[set]\nb = [1, {toml}]\n")
    with pytest.raises(InputError, match=r"given: ('set.b' = |not TOML)"):
        read_toml(path)
    desk.write("given", f"[G]\nb = 1\na = {word}\n")
    with pytest.raises(InputError, match="line 3: 'a' = "):
        read_hyperparameters(path)
    with pytest.raises(InputError, match="'a' = "):
        parse_override(f"a={word}")
    assert parse_override(f"a='{word}'") == ("a", word) or word.isdigit()


def test_numbers_that_can_be_computed_with() -> None:
    assert unfit_number([1, 2.5, True, None, "inf", {"a": [10**308]}]) is None
    assert unfit_number({"a": [float("nan")]}) == "nan"


# Unrolling


def test_more_points_than_anybody_trains_are_refused_before_any_is_made() -> None:
    from comparator.space import ParameterSpace

    thousand = read_axis("a=0:1:1000")
    with pytest.raises(InputError, match=r"unroll: 1e.09 points are too many; 1,000,000 are allowed"):
        combine([thousand, read_axis("b=0:1:1000000")], [])
    with pytest.raises(InputError, match=r"1e.11 points are too many"):
        read_axis("a=0:1:100000000000")
    space = ParameterSpace.from_entries([{"name": "a", "type": "float", "lower": 0, "upper": 1}], "here")
    for design in ("cartesian", "random", "latin", "sobol"):
        with pytest.raises(InputError, match=r"1e.12 points are too many"):
            design_points(space, design, 10**12, 1)
    with pytest.raises(InputError, match=r"grid: 1e.09 points are too many"):
        space.grid({"a": 10**9})


@pytest.mark.parametrize("axis", ["a=0:1:-3", "a=0:1:2.5", "a=x:1:3", "a=0:1:", "a=-1e308:1e308:3", "a=0:inf:3"])
def test_axes_that_are_none(axis: str) -> None:
    with pytest.raises(InputError):
        read_axis(axis)


def test_a_parameter_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from comparator.formats.text import write_text_whole

    path = tmp_path / "upf.txt"
    path.write_text("before")
    with pytest.raises(InputError, match="cannot be written in UTF-8"):
        write_text_whole(path, "after\ud800")
    assert path.read_text() == "before" and list(tmp_path.iterdir()) == [path]
    write_text_whole(path, "after")
    assert path.read_text() == "after"


# Descriptions, devices, variables


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("", True),
        ('seed = "s"', True),
        ("[hyperparameters.a]\ntype = 'int'", True),
        ('hyperparameters = "quick.txt"\nspace = "s.json"\n[search]\nevaluations = 3', False),
        ('model = "cmp"', False),
        ("[tool.black]\nline-length = 100", False),
    ],
)
def test_a_toml_file_of_a_models_name_is_its_description_where_it_has_a_key_of_one(
    tmp_path: Path, text: str, is_one: bool
) -> None:
    path = tmp_path / "mymodel.toml"
    path.write_text(text)
    assert (description_beside_model(path) is not None) == is_one


def test_a_description_with_a_misspelt_key_is_not_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "mymodel.toml"
    path.write_text('pakages = ["torch"]')
    with pytest.raises(InputError, match=r"unknown key 'pakages' .did you mean 'packages'"):
        description_beside_model(path)


@pytest.mark.parametrize(
    ("given", "visible"),
    [
        ("", []),
        ("-1", []),
        ("NoDevFiles", []),
        ("0,0", ["0"]),
        ("0,-1,2", ["0"]),
        (" 3 , 1 ", ["3", "1"]),
        ("1,,2", ["1"]),
        ("GPU-8932f937,MIG-GPU-8932f937/1/0", ["GPU-8932f937", "MIG-GPU-8932f937/1/0"]),
        ("0.0,0.1", ["0.0", "0.1"]),
    ],
)
def test_devices_that_a_variable_allows(given: str, visible: list[str]) -> None:
    assert visible_devices(given) == visible


@pytest.mark.long
def test_python_path_comes_behind_this_pythons_own_packages(desk: Desk) -> None:
    other = desk.folder / "other" / "numpy"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text('raise ImportError("of another Python")')
    path = os.pathsep.join([str(other.parent), *os.environ.get("PYTHONPATH", "").split(os.pathsep)])
    done = in_shell(desk, f"comparator {SEARCH}", PYTHONPATH=path)
    assert done.returncode == 0, done.stderr
    desk.write("np.py", "import numpy\ndef run(params):\n    return 1.0\n")
    desk.write("quick.txt", f"[G]\nmodel_name = 'cmp'\ncmp_model_name = '{desk.folder / 'np.py'}'\n")
    refused = in_shell(desk, f"comparator {SEARCH} --id y", PYTHONPATH=path)
    assert refused.returncode == 2
    assert b"of another Python (PYTHONPATH is set: is it another Python's?)" in refused.stderr


def test_a_home_that_nobody_has_is_a_name_as_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    assert home_written_out("~nobody-of-this-name/x") == Path("~nobody-of-this-name/x")


def test_a_umask_that_takes_files_from_their_owner_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    earlier = os.umask(0o777)
    try:
        monkeypatch.setattr(Path, "write_bytes", refuse)  # of root's files none is out of its reach
        with pytest.raises(InputError, match="umask is 0777"):
            surroundings.check_umask()
    finally:
        os.umask(earlier)


@pytest.mark.long
@pytest.mark.parametrize("limit", ["ulimit -n 14", "ulimit -f 1"])
def test_a_limit_of_the_machine_stops_a_search_and_is_no_failed_training(desk: Desk, limit: str) -> None:
    done = in_shell(desk, f"{limit}; comparator {SEARCH}")
    assert done.returncode == 1 and done.stderr.count(b"\n") == 1
    record = desk.experiments / "x" / "evaluations.jsonl"
    assert not record.exists() or all(each["status"] == "ok" for each in read_records(record))


def test_the_terminal_of_all_commands_shows_text_as_it_is() -> None:
    assert isinstance(out, Terminal)


@pytest.mark.long
def test_a_report_that_cannot_be_written_hides_nothing_of_what_was_found(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    limited = ["bash", "-c", 'ulimit -f 64; exec "$@"', "bash", sys.executable, "-m", "comparator.cli"]
    words = ["search", "quick.toml", "--id", "large"]
    done = subprocess.run(
        [*limited, *words], env=desk.environment, capture_output=True, text=True, cwd=desk.folder, check=False
    )
    assert done.returncode == 1 and "largest relative difference of val_loss" in done.stdout, done
    assert "report: not made; make it by:" in done.stdout
    assert "comparator: the report cannot be written: " in done.stderr and "File too large" in done.stderr


@pytest.mark.long
def test_a_signal_after_the_end_of_a_command_changes_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    late = (
        "import os, signal, comparator.cli.command as cli\nfrom comparator.cli import main\n"
        "run = cli._run_command\n"
        "def and_a_signal():\n"
        "    code = run()\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    return code\n"
        "cli._run_command = and_a_signal\n"
        "main()\n"
    )
    words = ["search", "quick.toml", "--id", "late", "--no-report", "--set", "search.evaluations=2"]
    done = subprocess.run(
        [sys.executable, "-c", late, *words], env=desk.environment, capture_output=True, text=True, cwd=desk.folder
    )
    assert (done.returncode, done.stderr) == (0, "")
