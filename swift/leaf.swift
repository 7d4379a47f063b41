/*
   The two parts that a rank may play, and the calls between them. All texts are JSON without the character ',
   which the Python side writes as \u0027, so that r'...' holds them whole.

   The resident rank hosts the search and writes the record; python/comparator/ranks.py has both sides.
*/

import files;
import location;
import python;
import string;
import sys;

pragma worktypedef resident_work;

@dispatch=resident_work
(string answer) resident(string call) "turbine" "0.1.0"
  [ "set <<answer>> [ turbine::python 1 1 {from comparator import ranks} <<call>> ]" ];

(location rank) resident_rank() {
  rank = locationFromRank(string2int(getenv("RESIDENT_WORK_RANKS")));
}

// The first requests, one on each line.
(string requests) start() {
  requests = @location=resident_rank() resident("ranks.start()");
}

// Record a result; the answer is the requests that follow from it, one on each line, or nothing.
(string requests) exchange(string result) {
  requests = @location=resident_rank() resident("ranks.exchange(r'%s')" % result);
}

// One evaluation, on any worker. Its Python, and the model servers that it keeps warm, live as long as the rank.
(string result) evaluate(string request) {
  if (getenv("COMPARATOR_LEAF") == "app") {
    result = trim(read(evaluate_by_app(getenv("COMPARATOR_PYTHON"), request)));
  } else {
    result = python_persist("from comparator import ranks", "ranks.evaluate(r'%s')" % request);
  }
}

// The same as a command, for systems where a rank's own Python cannot start processes.
app (file result) evaluate_by_app(string interpreter, string request) {
  interpreter "-m" "comparator.ranks" request @stdout=result
}
