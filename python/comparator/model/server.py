"""Serve a CANDLE-compliant Python module over standard input and output: the model's imports are paid once.

    python server.py '{"token": "...", "module": "NAME_OR_FILE", "folders": [...], "covered": [...]}'

`folders` are put on the module path; `covered` is what `watching.Watch` takes. Then one JSON object a line, both
ways:

    <- {"token": "...", "ready": true, "process": 123, "hyperparameters": {...} or null, "many": false, "read": {...}}
    <- {"token": "...", "ready": false, "process": 123, "reason": "..."}     the import failed; the server ends
    -> {"request": "...", "hyperparameters": {...}, "metric": "val_loss", "folder": "...", "log": "..."}
    <- {"request": "...", "process": 123, "status": "ok", "metrics": {...}, "history": {...}, "value": null,
        "reason": null, "read": {...}}

`many` of the first line says whether the module has `run_many(params_list)`. Such a one may be asked for several runs
at once, whose metrics it gives as a list, in their order, with an exception in the place of one that failed:

    -> {"request": "...", "many": [{"hyperparameters": {...}, "metric": "val_loss"}, ...], "folder": "...",
        "log": "..."}
    <- {"request": "...", "process": 123, "many": [{"status": "ok", "metrics": {...}, ...}, ...], "raised": null,
        "declined": null, "read": {...}}

Where `run_many()` itself raised, `raised` says what, and `many` is empty: whose fault it was cannot be told. Where it
raised NotImplementedError, `declined` says it in the place of `raised`: here it takes one by one. What it returns that
is no such list is the same failure of each run.

`hyperparameters` of the first line is null where the module has no `initialize_parameters()`. A reply has the request's
own word and the number of the process that answers: one of another process, or to another request, is none. `read` is
what the process has read since it last said so, as `watching/` tells, which lies beside this file; where it does
not, in images, which see nothing that they are not lent, and in a Python before 3.8, it is null.

`run()` may return a dict, an object with such a dict as `.history` (Keras), or one number (`value`). Of a dict numbers
are metrics, and of lists of numbers (one an epoch) the last one is. The metric asked for has to be one of them; what
else is no number is left out, with a word in the log. NaN and infinities travel as null. Whatever the model prints goes
to the log of its run: the protocol has descriptors of its own, which processes that the model forks do not share.

This file is standard library only and keeps to Python 3.6, so that it can be bound into any image.
"""

import importlib
import importlib.util
import json
import math
import os
import sys
import traceback


class _Protocol:
    """The two ends of the pipe, off descriptors 0 and 1: from here on the model's prints go to standard error."""

    def __init__(self):
        self.process = os.getpid()
        self._requests = os.fdopen(os.dup(0), "r", encoding="utf-8")
        self._replies = os.dup(1)
        self._to_nowhere(0, os.O_RDONLY)
        os.dup2(2, 1)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._leave)

    def requests(self):
        """The requests; in a process that the model has forked there are none."""
        for line in iter(self._requests.readline, ""):
            yield json.loads(line)
            self.end_if_forked()

    def send(self, message):
        self.end_if_forked()
        rest = json.dumps(dict(message, process=self.process)).encode() + b"\n"
        while rest:
            rest = rest[os.write(self._replies, rest) :]

    def end_if_forked(self, status=0):
        """End a process that the model has forked and that came out of its run."""
        if os.getpid() != self.process:
            for stream in (sys.stdout, sys.stderr):
                _flush(stream)
            os._exit(status)

    def _leave(self):
        """Take the pipe from a process that the model has forked."""
        self._to_nowhere(self._requests.fileno(), os.O_RDONLY)
        self._to_nowhere(self._replies, os.O_WRONLY)

    @staticmethod
    def _to_nowhere(descriptor, how):
        nowhere = os.open(os.devnull, how)
        os.dup2(nowhere, descriptor, inheritable=False)
        os.close(nowhere)


def _watch(model, covered):
    """Something whose `news()` says what was read since it was asked last."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "watching", "__init__.py")
    if not os.path.exists(path) or not hasattr(sys, "addaudithook"):
        return _Unseen()
    folder = os.path.dirname(os.path.abspath(model)) if model.endswith(".py") else None
    return _module_of(path, "comparator_watching").Watch(folder, covered)


class _Unseen:
    def news(self):
        return None


def _module_of(path, name):
    """The module that a file is, under a name of its own."""
    specification = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module


def _load(name, folders):
    # The folder of this file, where Python has put it: what lies beside it is none of the model's modules.
    if sys.path and os.path.abspath(sys.path[0] or ".") == os.path.dirname(os.path.abspath(__file__)):
        del sys.path[0]
    sys.path[:0] = [os.path.abspath(folder) for folder in folders]
    if name.endswith(".py"):
        sys.path.insert(0, os.path.dirname(os.path.abspath(name)))
        return _module_of(name, os.path.splitext(os.path.basename(name))[0])
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


def _outcome(returned, metric, function="run()"):
    returned = getattr(returned, "history", returned)
    outcome = {"status": "ok", "metrics": {}, "history": {}, "value": None, "reason": None}
    if not isinstance(returned, dict):
        try:
            outcome["value"] = _number(returned)
        except Exception:
            wanted = "expected a number, a dict or a history"
            raise TypeError("%s returned %.60r: %s" % (function, returned, wanted))
        return outcome
    left_out = []
    for name, value in returned.items():
        try:
            if _is_sequence(value):
                numbers = [None if each is None else _number(each) for each in value]
                outcome["metrics"][str(name)] = numbers[-1] if numbers else None
                outcome["history"][str(name)] = numbers
            else:
                outcome["metrics"][str(name)] = _number(value)
        except Exception:
            if str(name) == metric:
                wanted = "expected a number or a list of numbers"
                raise TypeError("%s returned %r = %.60r: %s" % (function, name, value, wanted))
            left_out.append("%s = %.60r" % (name, value))
    if left_out:
        print("comparator: left out of the metrics, because they are no numbers: %s" % "; ".join(left_out))
    return outcome


def _failed(error):
    return {"status": "failed", "metrics": {}, "history": {}, "value": None, "reason": _one_line(error)}


def _given(defaults, request):
    hyperparameters = dict(defaults or {})
    hyperparameters.update(request["hyperparameters"])
    return hyperparameters


def _run(module, defaults, request, protocol):
    """What a reply says of one run."""
    with _Place(request):
        try:
            return _outcome(module.run(_given(defaults, request)), request["metric"])
        except (Exception, SystemExit) as error:
            _show(error, protocol)
            return _failed(error)


def _run_many(module, defaults, request, protocol):
    """What a reply says of several runs that are carried out by one call."""
    runs = request["many"]
    with _Place(request):
        try:
            returned = module.run_many([_given(defaults, run) for run in runs])
        except NotImplementedError as error:
            protocol.end_if_forked(1)
            print("comparator: run_many() takes none together here: %s" % error)
            return {"many": [], "raised": None, "declined": str(error)}
        except (Exception, SystemExit) as error:
            _show(error, protocol)
            return {"many": [], "raised": _one_line(error), "declined": None}
        return {"many": _outcomes(returned, runs), "raised": None, "declined": None}


def _outcomes(returned, runs):
    """The outcome of each run, of what `run_many()` returned."""
    if not isinstance(returned, list) or len(returned) != len(runs):
        what = "a list of %d" % len(returned) if isinstance(returned, list) else "%.60r" % (returned,)
        fault = TypeError("run_many() returned %s: expected a list of %d, one for each run" % (what, len(runs)))
        print("comparator: %s" % fault)
        return [_failed(fault) for _ in runs]
    outcomes = []
    for number, run in enumerate(runs):
        one = returned[number]
        error = one if isinstance(one, BaseException) else None
        if error is None:
            try:
                outcomes.append(_outcome(one, run["metric"], "run_many(), in its list,"))
                continue
            except Exception as raised:
                error = raised
        print("comparator: of the runs that were given together, number %d failed:" % (number + 1))
        traceback.print_exception(type(error), error, error.__traceback__)
        outcomes.append(_failed(error))
    return outcomes


def _show(error, protocol):
    """Put what a model raised into its log; a process that it has forked ends with it."""
    if isinstance(error, SystemExit):
        protocol.end_if_forked(error.code if isinstance(error.code, int) else int(error.code is not None))
    traceback.print_exc()
    protocol.end_if_forked(1)


class _Place:
    """The folder and the log that a request names, as long as a model works in them."""

    def __init__(self, request):
        self._folder, self._log = request["folder"], request["log"]

    def __enter__(self):
        os.chdir(self._folder)
        log = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(log)

    def __exit__(self, *_):
        for stream in (sys.stdout, sys.stderr):
            _flush(stream)


def _flush(stream):
    try:
        stream.flush()
    except Exception:  # a model may have put anything in its place
        pass


def main():
    asked = json.loads(sys.argv[1])
    token = asked["token"]
    protocol = _Protocol()
    watch = _watch(asked["module"], asked["covered"])
    try:
        module = _load(asked["module"], asked["folders"])
        if not callable(getattr(module, "run", None)):
            raise AttributeError("module %r has no function run(params)" % asked["module"])
        many = callable(getattr(module, "run_many", None))
        # initialize_parameters() of CANDLE's library reads the command line: it must see none of ours.
        del sys.argv[1:]
        defaults = _defaults(module)
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        protocol.send({"token": token, "ready": False, "reason": _one_line(error)})
        return 1
    ready = {"token": token, "ready": True, "hyperparameters": defaults, "many": many, "read": watch.news()}
    protocol.send(ready)
    for request in protocol.requests():
        outcome = (_run_many if "many" in request else _run)(module, defaults, request, protocol)
        protocol.send(dict(outcome, request=request["request"], read=watch.news()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
