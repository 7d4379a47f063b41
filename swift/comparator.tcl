# The parts that a rank may play, and the tasks by which they hand work to each other. All texts are JSON without the
# character ', which the Python side (python/comparator/ranks.py) writes as \u0027, so that r'...' holds them whole.
#
#   resident rank   start, then exchange: hosts the search and writes the record
#   worker          evaluate: one evaluation, or several that take no time to speak of; its Python, and the model
#                   servers that it keeps warm, live as long as the rank
#
# An evaluation is two tasks: its request, for any worker, and its result, for the resident rank. Variables of Swift/T
# in between would be some thirty messages to its server more.

package provide comparator 1.0

namespace eval comparator {

    # So many results the resident rank takes at once: whoever brought the first waits for the answer to all.
    variable most_at_once 256
    # Of longer texts ADLB's call that does not wait, iget, would write beyond its buffer of 100 kB.
    variable longest 50000
    # Pieces of results that are longer, by worker.
    variable pieces [ dict create ]

    proc begin { } { tell_resident comparator::start }

    # The resident rank

    proc start { } { hand_out [ python {ranks.start()} ] }

    # Record a result, and those that have queued up behind it; hand out the tasks that follow.
    proc exchange { worker is_whole text } {
        variable most_at_once
        set results [ taken {} $worker $is_whole $text ]
        while { [ llength $results ] < $most_at_once } {
            set task [ adlb::iget [ turbine::adlb_work_type resident_work ] sender ]
            if { $task in { ADLB_NOTHING ADLB_SHUTDOWN } } { break }
            set results [ taken $results {*}[ lrange $task 1 end ] ]
        }
        if { [ llength $results ] > 0 } {
            hand_out [ python "ranks.exchange(\[[ join $results , ]\])" ]
        }
    }

    # The results with one more, where its text is whole with this piece.
    proc taken { results worker is_whole text } {
        variable pieces
        dict append pieces $worker $text
        if { ! $is_whole } { return $results }
        lappend results "r'[ dict get $pieces $worker ]'"
        dict unset pieces $worker
        return $results
    }

    proc hand_out { tasks } {
        foreach task [ split $tasks "\n" ] { adlb::spawn 0 [ list comparator::evaluate $task ] }
    }

    # A worker

    proc evaluate { task } {
        variable longest
        set result [ evaluated $task ]
        set worker [ adlb::comm_rank ]
        while { [ string length $result ] > $longest } {
            tell_resident [ list comparator::exchange $worker 0 [ string range $result 0 $longest-1 ] ]
            set result [ string range $result $longest end ]
        }
        tell_resident [ list comparator::exchange $worker 1 $result ]
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
