"""A model that says on the pipe of its server what it should not, and forks."""

import contextlib
import json
import os
import stat
import sys
import threading
from pathlib import Path


def pipes():
    """The descriptors of pipes that this process can write to, without the standard ones."""
    for descriptor in range(3, 64):
        with contextlib.suppress(OSError):
            if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                yield descriptor


def say(text):
    for descriptor in pipes():
        with contextlib.suppress(OSError):
            os.write(descriptor, text)


def protocol_of_server():
    frame = sys._getframe()
    while "protocol" not in frame.f_locals:
        frame = frame.f_back
    return frame.f_locals["protocol"]


FORGED = {"status": "ok", "metrics": {"val_loss": 123.0}, "history": {}, "value": None, "reason": None, "read": None}


def run(params):
    behave, loss = params.get("behave", "well"), float(params.get("loss", 1.0))
    if behave == "garbage":
        say(b"\xff\x00garbage\n")
    if behave == "half a line":
        say(b"half a li")
    if behave == "not a dictionary":
        say(b"[1, 2]\n")
    if behave == "forged":
        say(json.dumps({**FORGED, "request": "1", "process": os.getpid()}).encode() + b"\n")
    if behave == "half a line, then dead":
        say(b'{"request": "')
        os._exit(3)
    if behave == "much":
        piece = b"x" * (1 << 20)
        with contextlib.suppress(OSError):
            while True:
                say(piece)
    if behave == "twice":
        protocol = protocol_of_server()

        def send_twice(message):
            line = json.dumps({**message, "process": os.getpid()}).encode() + b"\n"
            os.write(protocol._replies, line + line)

        protocol.send = send_twice
    if behave == "a line later":

        def say_later():
            while not Path(params["when"]).exists():
                pass
            say(b'{"status": "ok"}\n')

        threading.Thread(target=say_later, daemon=True).start()
    if behave.startswith("fork") and os.fork() == 0:
        if behave == "fork and exit":
            sys.exit(0)
        if behave == "fork and fail":
            raise RuntimeError("of the child")
        if behave == "fork and say":
            say(b"from the child\n")
            os._exit(0)
        if behave == "fork and read":
            with contextlib.suppress(OSError):
                while os.read(3, 1 << 16):
                    pass
            os._exit(0)
        return {"val_loss": 77.0}  # "fork and return"
    if behave.startswith("fork"):
        os.wait()
    return {"val_loss": loss}
