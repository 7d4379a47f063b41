/*
   EQ/Py: an algorithm that blocks, in a thread of the resident rank's Python, and the calls by which a workflow
   talks to it. The algorithm is a module with run(); python/eqpy.py has its side of the two queues.

   The names are those of EMEWS, so that its workflows import this file unchanged. Texts travel as hexadecimal
   digits: any character may stand in them.
*/

import location;

pragma worktypedef resident_work;

// Start the algorithm: import the package `name` and call its run() in a thread.
@dispatch=resident_work
(void v) EQPy_start(string name) "turbine" "0.1.0"
  [ "turbine::python 1 1 [ format {import eqpy; eqpy.init(bytes.fromhex('%s').decode())} [ binary encode hex [ encoding convertto utf-8 <<name>> ] ] ] {''}" ];

// Wait for the algorithm's next text.
@dispatch=resident_work
(string text) EQPy_next() "turbine" "0.1.0"
  [ "set <<text>> [ turbine::python 1 1 {import eqpy} {eqpy.output_q_get()} ]" ];

// Answer the algorithm.
@dispatch=resident_work
(void v) EQPy_answer(string text) "turbine" "0.1.0"
  [ "turbine::python 1 1 [ format {import eqpy; eqpy.input_q_put(bytes.fromhex('%s').decode())} [ binary encode hex [ encoding convertto utf-8 <<text>> ] ] ] {''}" ];

(void v) EQPy_init_package(location resident, string package) {
  @location=resident EQPy_start(package) => v = propagate();
}

// "EQPY_ABORT" once the algorithm has ended, and from then on its traceback or "Exited normally".
(string text) EQPy_get(location resident) {
  text = @location=resident EQPy_next();
}

(void v) EQPy_put(location resident, string text) {
  @location=resident EQPy_answer(text) => v = propagate();
}

// Nothing to do: the algorithm ends by itself, and its thread with the rank.
(void v) EQPy_stop(location resident) { v = propagate(); }
