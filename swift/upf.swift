/*
   A sweep: all points are known from the start. The resident rank keeps the record.
*/

import leaf;
import string;

foreach request in split(start(), "\n") {
  exchange(evaluate(request));
}
