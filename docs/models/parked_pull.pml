/* A pull parked against a new entry (src/broker/pull/pull_hold.cpp, Queue::append).
 *
 * park(): under the lock, enter the pull, count it, then look at the queue's end. Dispatch: move the end, then look at the count,
 * and only if somebody is counted take the lock and wake those that the entry concerns. Steps are sequentially consistent here: the
 * code orders "count, then end" on one side and "end, then count" on the other; see README.md.
 *
 * Checked: at rest, no pull is parked at an offset that has an entry.
 * Expected failures:
 *   LOOK_FIRST   park() looks at the end before it counts the pull
 *   COUNT_FIRST  dispatch looks at the count before it has moved the end
 */
#define PULLS 2
#define ENTRIES 2

byte end = 0;
byte count = 0;
bool lock = false;
bool parked[PULLS];
byte offset[PULLS];

proctype pull(byte me) {
  byte seen;
  do
  :: offset[me] < ENTRIES ->
     atomic { !lock -> lock = true };
#ifdef LOOK_FIRST
     seen = end;
     parked[me] = true;
     count++;
#else
     parked[me] = true;
     count++;
     seen = end;
#endif
     if
     :: seen > offset[me] -> parked[me] = false; count--
     :: else -> skip
     fi;
     lock = false;
     !parked[me];                /* answered */
     if
     :: end > offset[me] -> offset[me]++
     :: else -> skip
     fi
  :: else -> break
  od
}

proctype dispatch() {
  byte i, entry, seen;
  for (entry : 0 .. ENTRIES - 1) {
#ifdef COUNT_FIRST
    seen = count;
    end = entry + 1;
#else
    end = entry + 1;
    seen = count;
#endif
    if
    :: seen > 0 ->
       atomic { !lock -> lock = true };
       for (i : 0 .. PULLS - 1) {
         if
         :: parked[i] -> parked[i] = false; count--
         :: else -> skip
         fi
       }
       lock = false
    :: else -> skip
    fi
  }
}

init {
  byte i;
  atomic {
    for (i : 0 .. PULLS - 1) { run pull(i) }
    run dispatch()
  }
}
