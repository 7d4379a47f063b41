/*
   A search without a barrier: whenever a result comes in, the resident rank says what to evaluate next. That is
   nothing, one point, or a whole generation, as the algorithm pleases.
*/

import leaf;
import string;

launch(string requests) {
  if (requests != "") {
    foreach request in split(requests, "\n") {
      launch(exchange(evaluate(request)));
    }
  }
}

launch(start());
