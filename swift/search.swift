/*
   A search without a barrier, or a sweep: whenever results come in, the resident rank says what to evaluate next. That
   is nothing, one point, or a whole generation, as the algorithm pleases; of a sweep all points are given at the start.

   comparator.tcl has the tasks of both parts; python/comparator/ranks.py what they do.
*/

pragma worktypedef resident_work;

() begin() "comparator" "1.0" [ "comparator::begin" ];

begin();
