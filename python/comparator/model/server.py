"""Serve a CANDLE-compliant Python module over standard input and output: the model's imports are paid once.

    python server.py MODULE_OR_FILE [FOLDER_ON_THE_MODULE_PATH ...]

One JSON object a line, both ways:

    <- {"ready": true, "hyperparameters": {...} or null}     after the import; null: no initialize_parameters()
    <- {"ready": false, "reason": "..."}                     the import failed; the server ends
    -> {"hyperparameters": {...}, "folder": "...", "log": "..."}
    <- {"status": "ok", "metrics": {...}, "history": {...}, "value": null, "reason": null}
    <- {"status": "failed", "metrics": {}, "history": {}, "value": null, "reason": "..."}

`run()` may return a dict of numbers or of lists (one number an epoch: the last one counts), an object with
such a dict as `.history` (Keras), or one number (`value`). NaN and infinities travel as null. Whatever the
model prints goes to the log of its run: the protocol has descriptors of its own.

This file is standard library only and keeps to Python 3.6, so that it can be bound into any image.
"""

import importlib
import importlib.util
import json
import math
import os
import sys
import traceback


def _claim_protocol():
    """Move the protocol off descriptors 0 and 1; from here on the model's prints go to standard error."""
    requests = os.fdopen(os.dup(0), "r", encoding="utf-8")
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    return requests, replies


def _send(replies, message):
    replies.write(json.dumps(message) + "\n")
    replies.flush()


def _load(name, folders):
    sys.path[:0] = [os.path.abspath(folder) for folder in folders]
    if name.endswith(".py"):
        sys.path.insert(0, os.path.dirname(os.path.abspath(name)))
        stem = os.path.splitext(os.path.basename(name))[0]
        specification = importlib.util.spec_from_file_location(stem, name)
        module = importlib.util.module_from_spec(specification)
        sys.modules[stem] = module
        specification.loader.exec_module(module)
        return module
    return importlib.import_module(name)


def _one_line(error):
    text = str(error).strip().splitlines()
    name = type(error).__name__
    return "%s: %s" % (name, text[0]) if text else name


def _defaults(module):
    """What initialize_parameters() gives, as far as it is JSON: CANDLE puts types among the values."""
    initialize = getattr(module, "initialize_parameters", None)
    if initialize is None:
        return None
    kept = {}
    for key, value in dict(initialize()).items():
        try:
            json.dumps(value)
        except (TypeError, ValueError):
            continue
        kept[key] = value
    return kept


def _number(value):
    """A finite float, or None for NaN and infinities; raises for what is no number."""
    if isinstance(value, (str, bytes)):
        raise TypeError("%r is no number" % (value,))
    number = float(value)
    return number if math.isfinite(number) else None


def _is_sequence(value):
    return isinstance(value, (list, tuple)) or getattr(value, "ndim", 0) == 1


def _outcome(returned):
    returned = getattr(returned, "history", returned)
    outcome = {"status": "ok", "metrics": {}, "history": {}, "value": None, "reason": None}
    if not isinstance(returned, dict):
        try:
            outcome["value"] = _number(returned)
        except (TypeError, ValueError):
            raise TypeError("run() returned %.60r: expected a number, a dict or a history" % (returned,))
        return outcome
    for name, value in returned.items():
        try:
            if _is_sequence(value):
                numbers = [_number(each) for each in value]
                outcome["history"][str(name)] = numbers
                outcome["metrics"][str(name)] = numbers[-1] if numbers else None
            else:
                outcome["metrics"][str(name)] = _number(value)
        except (TypeError, ValueError):
            raise TypeError("run() returned %r = %.60r: expected a number or a list of numbers" % (name, value))
    return outcome


def _run(module, defaults, request):
    os.chdir(request["folder"])
    log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    try:
        hyperparameters = dict(defaults or {})
        hyperparameters.update(request["hyperparameters"])
        return _outcome(module.run(hyperparameters))
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        return {"status": "failed", "metrics": {}, "history": {}, "value": None, "reason": _one_line(error)}
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError):
                pass


def main():
    requests, replies = _claim_protocol()
    try:
        module = _load(sys.argv[1], sys.argv[2:])
        if not callable(getattr(module, "run", None)):
            raise AttributeError("module %r has no function run(params)" % sys.argv[1])
        # initialize_parameters() of CANDLE's library reads the command line: it must see none of ours.
        del sys.argv[1:]
        defaults = _defaults(module)
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        _send(replies, {"ready": False, "reason": _one_line(error)})
        return 1
    _send(replies, {"ready": True, "hyperparameters": defaults})
    for line in iter(requests.readline, ""):
        _send(replies, _run(module, defaults, json.loads(line)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
