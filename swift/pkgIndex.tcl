package ifneeded comparator 1.0 [ list source [ file join $dir comparator.tcl ] ]
