# The parts that a rank may play, and the tasks by which they hand work to each other. All texts are JSON without the
# character ', which the Python side (python/comparator/ranks.py) writes as \u0027, so that r'...' holds them whole.
#
#   resident rank   host: hosts the search and writes the record
#   worker          evaluate: one evaluation, or several that take no time to speak of; its Python, and the model
#                   servers that it keeps warm, live as long as the rank
#                   work: the same again and again, asleep in between, where ranks share cores
#
# An evaluation is two tasks: its request, for any worker, and its result, for the resident rank. Variables of Swift/T
# in between would be some thirty messages to its server more.

package provide comparator 1.0

namespace eval comparator {

    # So many results the resident rank takes at once: whoever brought the first waits for the answer to all.
    variable most_at_once 256
    # Longer texts come in pieces: iget, ADLB's call that does not wait, would write beyond its buffer of 100 kB. Longer
    # tasks than this the Python side puts into files.
    variable longest 50000
    # What ADLB calls work for any worker.
    variable any_worker 0
    # On the resident rank whether workers sleep, and have to be called.
    variable calls 0
    # On a worker whether it is to leave `work`.
    variable leaves 0
    # On a worker how many texts it has sent; on the resident rank what there is of texts in pieces, by worker and text.
    variable sent 0
    variable pieces [ dict create ]

    proc begin { } { tell_resident comparator::host }

    # The resident rank

    # Host the search to its end: take all results that have queued up, and hand out what follows. Where there are none
    # the rank sleeps in Python, whose threads think and write meanwhile; a wait of MPI's would hold both them and a core.
    proc host { } {
        variable calls
        set calls [ python {ranks.shares_cores()} ]
        if { $calls } { tell_workers comparator::work }
        hand_out [ python {ranks.start()} ]
        while { [ python {ranks.goes_on()} ] } {
            set results [ queued ]
            if { [ llength $results ] > 0 } { hand_out [ python "ranks.exchange(\[r'[ join $results ',r' ]'\])" ] }
        }
        if { $calls } {
            tell_workers comparator::leave
            python {ranks.workers_told()}
        }
    }

    # The results that are there, as many as are taken at once.
    proc queued { } {
        variable most_at_once
        set results {}
        while { [ llength $results ] < $most_at_once } {
            set task [ adlb::iget [ turbine::adlb_work_type resident_work ] sender ]
            if { $task in { ADLB_NOTHING ADLB_SHUTDOWN } } { break }
            lappend results {*}[ whole {*}[ lrange $task 1 end ] ]
        }
        return $results
    }

    # A list of the text that is whole with this piece, or of none; pieces come in any order.
    proc whole { name number count piece } {
        variable pieces
        dict set pieces $name $number $piece
        if { [ dict size [ dict get $pieces $name ] ] < $count } { return {} }
        set text ""
        for { set each 0 } { $each < $count } { incr each } { append text [ dict get $pieces $name $each ] }
        dict unset pieces $name
        return [ list $text ]
    }

    proc hand_out { tasks } {
        variable any_worker
        variable calls
        foreach task [ split $tasks "\n" ] { adlb::spawn $any_worker [ list comparator::evaluate $task ] }
        if { $calls && $tasks ne "" } { python {ranks.tasks_sent()} }
    }

    proc tell_workers { task } {
        global env
        variable any_worker
        for { set rank 0 } { $rank < [ adlb::workers ] } { incr rank } {
            if { $rank != $env(RESIDENT_WORK_RANKS) } { adlb::put $rank $any_worker $task 0 1 HARD RANK }
        }
    }

    # A worker

    # Take tasks until told to leave. Turbine's own wait for a task would hold a core that other ranks need.
    proc work { } {
        variable any_worker
        variable leaves
        while { ! $leaves } {
            set task [ adlb::iget $any_worker sender ]
            if { $task eq "ADLB_SHUTDOWN" } { break }
            if { $task eq "ADLB_NOTHING" } {
                python {ranks.sleep()}
            } else {
                python {ranks.task_came()}
                eval $task
                python {ranks.results_sent()}
            }
        }
    }

    proc leave { } {
        variable leaves
        set leaves 1
    }

    proc evaluate { task } {
        variable longest
        variable sent
        set results [ evaluated $task ]
        set name "[ adlb::comm_rank ] [ incr sent ]"
        set count [ expr { 1 + [ string length $results ] / $longest } ]
        for { set number 0 } { $number < $count } { incr number } {
            set piece [ string range $results [ expr { $number * $longest } ] [ expr { ($number + 1) * $longest - 1 } ] ]
            tell_resident [ list comparator::whole $name $number $count $piece ]
        }
    }

    # As a command of its own on systems where a rank's own Python cannot start processes.
    proc evaluated { task } {
        global env
        if { $env(COMPARATOR_LEAF) eq "app" } {
            return [ string trim [ exec -ignorestderr $env(COMPARATOR_PYTHON) -m comparator.ranks $task ] ]
        }
        return [ python "ranks.evaluate(r'$task')" ]
    }

    # Both

    proc tell_resident { task } {
        global env
        set type [ turbine::adlb_work_type resident_work ]
        adlb::put $env(RESIDENT_WORK_RANKS) $type $task 0 1 HARD RANK
    }

    proc python { call } { return [ turbine::python 1 1 {from comparator import ranks} $call ] }
}
