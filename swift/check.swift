/*
   Has every rank but the servers say what it finds where it is: python/comparator/checks/site_ranks.py.
   `comparator site check NAME --job` runs it and compares what they say.
*/

import io;
import location;
import python;

foreach rank in [0:turbine_workers() - 1] {
  string found = @location=locationFromRank(rank)
    python_persist("from comparator.checks import site_ranks", "site_ranks.tell()");
  printf("rank says: %s", found);
}
