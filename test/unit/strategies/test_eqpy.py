"""EQ/Py as algorithms and workflows written for the original use it, and several conversations at once."""

from __future__ import annotations

import sys
import threading
import types
from collections.abc import Callable, Iterator

import pytest

import eqpy


@pytest.fixture
def module() -> Iterator[Callable[[Callable[[], None]], str]]:
    """Makes an importable module of a `run` function."""
    name = "algorithm_of_a_test"

    def make(run: Callable[[], None]) -> str:
        made = types.ModuleType(name)
        made.run = run  # type: ignore[attr-defined]
        sys.modules[name] = made
        return name

    yield make
    sys.modules.pop(name, None)


def test_the_original_calls(module: Callable[[Callable[[], None]], str]) -> None:
    def run() -> None:
        eqpy.OUT_put("Params")
        parameters = eqpy.IN_get()
        eqpy.OUT_put(f"got {parameters}")
        eqpy.output_q.put("DONE")

    eqpy.init(module(run))
    assert eqpy.output_q_get() == "Params"
    eqpy.input_q.put("3")
    assert eqpy.output_q_get() == "got 3"
    assert eqpy.output_q_get() == "DONE"
    assert eqpy.output_q_get() == eqpy.EQPY_ABORT
    assert eqpy.output_q_get() == "Exited normally"
    assert eqpy.output_q_get() == "Exited normally"


def test_an_exception_travels_out_whole_and_the_next_start_is_clean(
    module: Callable[[Callable[[], None]], str],
) -> None:
    def broken() -> None:
        eqpy.OUT_put("first")
        raise ZeroDivisionError("a reason\nof two lines")

    eqpy.init(module(broken))
    assert eqpy.output_q_get() == "first"
    assert eqpy.output_q_get() == eqpy.EQPY_ABORT
    assert "in broken" in eqpy.output_q_get()
    assert "ZeroDivisionError: a reason\nof two lines" in eqpy.output_q_get()

    eqpy.init(module(lambda: eqpy.OUT_put(eqpy.IN_get())))
    eqpy.input_q_put("second")
    assert eqpy.output_q_get() == "second"


def test_an_algorithm_may_run_in_a_thread_of_the_callers_own() -> None:
    """The oldest Swift side starts the thread itself and reads the queue itself."""
    thread = threading.Thread(target=lambda: eqpy.OUT_put(eqpy.IN_get() + "!"))
    while not eqpy.output_q.empty():
        eqpy.output_q.get()
    thread.start()
    eqpy.input_q.put("x")
    assert eqpy.output_q.get() == "x!"
    thread.join()


def test_conversations_do_not_mix() -> None:
    def echo() -> None:
        while True:
            eqpy.OUT_put(eqpy.IN_get())

    conversations = [eqpy.Conversation() for _ in range(20)]
    for conversation in conversations:
        conversation.start(echo)
    for step in range(5):
        for number, conversation in enumerate(conversations):
            conversation.put(f"{number} {step}")
    for step in range(5):
        for number, conversation in enumerate(conversations):
            assert conversation.get() == f"{number} {step}"
    for conversation in conversations:
        conversation.stop()
        assert conversation.thread is not None and not conversation.thread.is_alive()
        assert conversation.get() == eqpy.EQPY_ABORT
        assert conversation.get() == "Exited normally"


def test_stopping_ends_an_algorithm_that_only_puts_or_catches_everything() -> None:
    started = threading.Event()

    def talkative() -> None:
        while True:
            eqpy.OUT_put("x")
            started.set()

    def stubborn() -> None:
        for _ in range(3):
            try:
                eqpy.IN_get()
            except BaseException:
                continue

    for run in (talkative, stubborn):
        conversation = eqpy.Conversation()
        conversation.start(run)
        if run is talkative:
            started.wait()
        conversation.stop()
        assert conversation.thread is not None and not conversation.thread.is_alive()


def test_other_names_are_absent() -> None:
    with pytest.raises(AttributeError):
        _ = eqpy.nothing


def test_a_conversation_tells_once_the_algorithm_waits_for_an_answer_that_is_not_under_way() -> None:
    def run() -> None:
        eqpy.OUT_put(eqpy.IN_get())
        eqpy.IN_get()
        eqpy.OUT_put("last")
        eqpy.IN_get()

    conversation = eqpy.Conversation(tells_waiting=True)
    conversation.start(run)
    assert conversation.get() is eqpy.WAITING
    conversation.put("first")
    conversation.put("given before it is asked for")
    assert [conversation.get(), conversation.get()] == ["first", "last"]
    assert conversation.get() is eqpy.WAITING
    conversation.close_input()
    assert [conversation.get(), conversation.get()] == [eqpy.EQPY_ABORT, "Exited normally"]
