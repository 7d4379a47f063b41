# ruff: noqa: E501  (scripts of one line)
"""What a function does tells its file: equal code and values give the same, in every process, and others another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from comparator.api.contents import Contents

#: Two scripts, whose `f` does different things.
DIFFERENT = {
    "nested_helper": (
        "def helper(x): return x\ndef f(p):\n  def g(x): return helper(x)\n  return g(p['a'])\n",
        "def helper(x): return x*2\ndef f(p):\n  def g(x): return helper(x)\n  return g(p['a'])\n",
    ),
    "lambda_helper": (
        "def helper(x): return x\ndef f(p):\n  return sum(map(lambda x: helper(x), [p['a']]))\n",
        "def helper(x): return x*2\ndef f(p):\n  return sum(map(lambda x: helper(x), [p['a']]))\n",
    ),
    "genexpr_helper": (
        "def helper(x): return x\ndef f(p):\n  return sum(helper(x) for x in [p['a']])\n",
        "def helper(x): return x*2\ndef f(p):\n  return sum(helper(x) for x in [p['a']])\n",
    ),
    "wraps_decorator": (
        "import functools\ndef d(g):\n  @functools.wraps(g)\n  def w(p): return g(p)*2\n  return w\n@d\ndef f(p): return p['a']\n",
        "import functools\ndef d(g):\n  @functools.wraps(g)\n  def w(p): return g(p)*3\n  return w\n@d\ndef f(p): return p['a']\n",
    ),
    "base_class": (
        "class B:\n  def go(self,p): return 1.\nclass C(B):\n  pass\ndef f(p): return C().go(p)\n",
        "class B:\n  def go(self,p): return 2.\nclass C(B):\n  pass\ndef f(p): return C().go(p)\n",
    ),
    "static_helper": (
        "def h(): return 1\nclass C:\n  @staticmethod\n  def go(): return h()\ndef f(p): return C.go()\n",
        "def h(): return 2\nclass C:\n  @staticmethod\n  def go(): return h()\ndef f(p): return C.go()\n",
    ),
    "class_attr": ("W=1\nclass C:\n  w=W\ndef f(p): return C.w\n", "W=2\nclass C:\n  w=W\ndef f(p): return C.w\n"),
    "property_helper": (
        "def h(): return 1\nclass C:\n  @property\n  def go(self): return h()\ndef f(p): return C().go\n",
        "def h(): return 2\nclass C:\n  @property\n  def go(self): return h()\ndef f(p): return C().go\n",
    ),
    "default_func": (
        "def h(x): return x\ndef f(p, act=h): return act(p['a'])\n",
        "def h(x): return 2*x\ndef f(p, act=h): return act(p['a'])\n",
    ),
    "default_array": (
        "import numpy as np\nX=np.arange(5000.)\ndef f(p, x=X): return x[2500]\n",
        "import numpy as np\nX=np.arange(5000.);X[2500]=7\ndef f(p, x=X): return x[2500]\n",
    ),
    "default_obj": (
        "class O:\n  v=1\no=O()\ndef f(p, x=o): return x.v\n",
        "class O:\n  v=1\no=O();o.v=3\ndef f(p, x=o): return x.v\n",
    ),
    "partial": (
        "import functools\ndef g(k,p): return k\nf=functools.partial(g,1)\n",
        "import functools\ndef g(k,p): return k\nf=functools.partial(g,2)\n",
    ),
    "partial_helper": (
        "import functools\ndef h(): return 1\ndef g(k,p): return h()\nf=functools.partial(g,1)\n",
        "import functools\ndef h(): return 2\ndef g(k,p): return h()\nf=functools.partial(g,1)\n",
    ),
    "callable": (
        "class C:\n  def __init__(s,k): s.k=k\n  def __call__(s,p): return s.k\nf=C(1)\n",
        "class C:\n  def __init__(s,k): s.k=k\n  def __call__(s,p): return s.k\nf=C(2)\n",
    ),
    "method": (
        "class C:\n  def __init__(s,k): s.k=k\n  def go(s,p): return s.k\nf=C(1).go\n",
        "class C:\n  def __init__(s,k): s.k=k\n  def go(s,p): return s.k\nf=C(2).go\n",
    ),
    "instance_global": (
        "class C:\n  def __init__(s,k): s.k=k\nc=C(1)\ndef f(p): return c.k\n",
        "class C:\n  def __init__(s,k): s.k=k\nc=C(2)\ndef f(p): return c.k\n",
    ),
    "set_global": (
        "S={'a','bb','ccc','dddd','e'}\ndef f(p): return len(S)\n",
        "S={'a','bb','ccc','dddd','f'}\ndef f(p): return len(S)\n",
    ),
    "dict_of_funcs": (
        "def h(): return 1\nD={'h':h}\ndef f(p): return D['h']()\n",
        "def h(): return 2\nD={'h':h}\ndef f(p): return D['h']()\n",
    ),
    "dict_of_funcs_helper": (
        "def k(): return 1\ndef h(): return k()\nD={'h':h}\ndef f(p): return D['h']()\n",
        "def k(): return 2\ndef h(): return k()\nD={'h':h}\ndef f(p): return D['h']()\n",
    ),
    "classmethod_call": (
        "class C:\n  @classmethod\n  def go(cls,p): return 1.\nf=C.go\n",
        "class C:\n  @classmethod\n  def go(cls,p): return 2.\nf=C.go\n",
    ),
    "class_as_fn": ("class f:\n  def __new__(cls,p): return 1.\n", "class f:\n  def __new__(cls,p): return 2.\n"),
    "closure": (
        "def mk(k):\n  def f(p): return k\n  return f\nf=mk(1)\n",
        "def mk(k):\n  def f(p): return k\n  return f\nf=mk(2)\n",
    ),
    "lru": (
        "import functools\n@functools.lru_cache\ndef h(): return 1\ndef f(p): return h()\n",
        "import functools\n@functools.lru_cache\ndef h(): return 2\ndef f(p): return h()\n",
    ),
    "lru_helper": (
        "import functools\ndef k(): return 1\n@functools.lru_cache\ndef h(): return k()\ndef f(p): return h()\n",
        "import functools\ndef k(): return 2\n@functools.lru_cache\ndef h(): return k()\ndef f(p): return h()\n",
    ),
    "global_str_name": (
        "MODE='a'\ndef f(p): return float(MODE=='a')\n",
        "MODE='b'\ndef f(p): return float(MODE=='a')\n",
    ),
    "dataclass": (
        "from dataclasses import dataclass\nK=1\n@dataclass\nclass C:\n  v:int=K\ndef f(p): return C().v\n",
        "from dataclasses import dataclass\nK=2\n@dataclass\nclass C:\n  v:int=K\ndef f(p): return C().v\n",
    ),
    "enum": (
        "from enum import Enum\nclass E(Enum):\n  A=1\ndef f(p): return E.A.value\n",
        "from enum import Enum\nclass E(Enum):\n  A=2\ndef f(p): return E.A.value\n",
    ),
}
#: Two scripts, whose `f` does the same.
ALIKE = {
    "partial_moved": (
        "import functools\ndef g(k,p): return k\nf=functools.partial(g,1)\n",
        "import functools\n\n\ndef g(k,p): return k\nf=functools.partial(g,1)\n",
    ),
    "unused": ("def u(): return 1\ndef f(p): return 1.\n", "def u(): return 2\ndef f(p): return 1.\n"),
    "attr_name": (
        "def shape(): return 1\nimport numpy as np\ndef f(p): return np.zeros(3).shape[0]\n",
        "def shape(): return 2\nimport numpy as np\ndef f(p): return np.zeros(3).shape[0]\n",
    ),
    "equal_consts": ("A=0.25\nB=0.25\ndef f(p): return A+B\n", "A=0.25\nB=float('0.25')\ndef f(p): return A+B\n"),
    "df": (
        "import pandas as pd\nD=pd.DataFrame({'a':[1,2]})\ndef f(p): return float(D['a'].sum())\n",
        "import pandas as pd\nD=pd.DataFrame({'a':[1,2]})\nD['a'];D.describe()\ndef f(p): return float(D['a'].sum())\n",
    ),
    "lines": ("def f(p): return 1.0\n", "# a word\n\n\ndef f(p): return 1.0  # another\n"),
}
#: Scripts that have to have a digest at all.
ALONE = {
    "unpicklable_unused_attr": "import threading\nshape=threading.Lock()\nimport numpy as np\ndef f(p): return np.zeros(3).shape[0]\n",
    "recursion": "def f(p,n=3): return 0. if n==0 else f(p,n-1)\n",
    "mutual": "def a(p,n=3): return f(p,n-1)\ndef f(p,n=3): return 0. if n<=0 else a(p,n-1)\n",
    "empty_cell": "def mk():\n  def f(p): return late\n  if False: late=1\n  return f\nf=mk()\n",
    "frozenset_const_exec": "exec(\"def f(p): return float('x' in {'aa','bb','cc','dd'})\")\n",
    "enum_member": "from enum import Enum\nclass E(Enum):\n  A=1\nM=E.A\ndef f(p): return M.value\n",
    "dataclass_inst": "from dataclasses import dataclass\n@dataclass\nclass C:\n  v:int=1\nc=C()\ndef f(p): return c.v\n",
}


def digest(script: str) -> str:
    """That of `f` as a script defines it."""
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(script, "script.py", "exec"), names)
    return Contents.of(names["f"]).digest


@pytest.mark.parametrize("name", DIFFERENT)
def test_what_does_something_else_is_another_model(name: str) -> None:
    one, other = DIFFERENT[name]
    assert digest(one) == digest(one) != digest(other)


@pytest.mark.parametrize("name", ALIKE)
def test_what_does_the_same_is_the_same_model(name: str) -> None:
    one, other = ALIKE[name]
    assert digest(one) == digest(other)


def test_two_functions_of_one_line_are_two() -> None:
    one, other = (lambda p: 1.0, lambda p: 2.0)
    assert Contents.of(one).digest != Contents.of(other).digest


@pytest.mark.long
def test_every_process_says_the_same() -> None:
    scripts = [*ALONE.values(), *(one for one, _ in (*DIFFERENT.values(), *ALIKE.values()))]
    program = "import json, sys\nfrom test_contents import digest\nprint(json.dumps([digest(each) for each in json.load(sys.stdin)]))"

    def in_another_process(hash_seed: str) -> list[str]:
        path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": path}
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, input=json.dumps(scripts), capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr
        found: list[str] = json.loads(done.stdout)
        return found

    assert in_another_process("1") == in_another_process("2") == [digest(each) for each in scripts]
