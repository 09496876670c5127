/* The put lock changes while threads append (src/store/put/tail_owner.hpp, put_switch.cpp, locked_strategy.cpp, reserve.cpp).
 *
 * Three strategies, each with its own lock: two copy under it and publish at once, the third (RESERVE) only places under it, copies
 * outside, and is published in order by whoever completes the prefix (that protocol is reserve.pml's; here it is one step). `owner` says
 * which of them has the tail. An append is one record; its ticket is its place; the queue (one, for all) gives its offsets in the
 * placement section.
 *
 * Checked: never two place at once; published never goes back and never covers an append that is not copied; the queue's offsets are in
 * log order; no append is lost and nobody waits for ever (all end, and then all is published); an appender goes to another lock at most
 * as often as it has changed.
 * Expected failures, one line of the protocol taken away each:
 *   NO_SECOND_LOOK   an appender does not look at the owner again under the lock: the published rule
 *   NO_LOCK          the owner is changed without the lock of the one that has the tail
 *   NO_DRAIN         RESERVE gives the tail away while copies are under way
 *   LEAVE_LOCKED     an appender that finds another owner goes there without letting go
 */
#ifndef THREADS
#define THREADS 2
#endif
#ifndef APPENDS
#define APPENDS 2                /* each */
#endif
#ifndef CHANGES
#define CHANGES 3
#endif
#define ALL (THREADS * APPENDS)
#define STRATEGIES 3
#define RESERVE 2

byte owner = 0;
bool lock[STRATEGIES];
byte inside = 0;
byte drawn = 0;
byte published = 0;
byte under_way = 0;              /* RESERVE: placed and not yet published */
byte next_offset = 0;
byte changes = 0;
bool copied[ALL];

inline publish_done() {          /* the prefix that is copied; whoever completes it does it */
  d_step {
    do
    :: published < drawn && copied[published] -> published++
    :: else -> break
    od;
    under_way = drawn - published
  }
}

proctype appender() {
  byte mine, ticket, i, retries;
  byte left = APPENDS;

again:
  mine = owner;
  atomic { !lock[mine] -> lock[mine] = true };
#ifndef NO_SECOND_LOOK
  if
  :: owner != mine ->
#ifndef LEAVE_LOCKED
     lock[mine] = false;
#endif
     retries++;
     assert(retries <= changes);
     goto again
  :: else -> skip
  fi;
#endif
  inside++;
  assert(inside == 1);
  ticket = drawn;
  assert(next_offset == ticket);       /* queue order is log order */
  next_offset++;
  drawn = ticket + 1;
  if
  :: mine == RESERVE ->
     under_way++;
     inside--;
     lock[mine] = false;
     copied[ticket] = true;            /* whenever it likes */
     publish_done()
  :: else ->
     copied[ticket] = true;
     d_step {
       assert(drawn >= published);
       published = drawn;
       i = 0;
       do
       :: i < published -> assert(copied[i]); i++
       :: else -> break
       od;
       i = 0
     }
     inside--;
     lock[mine] = false
  fi;
  left--;
  if
  :: left > 0 -> goto again
  :: else -> skip
  fi
}

proctype changer() {
  byte next, now;
  byte left = CHANGES;
  do
  ::
     if
     :: left == 0 -> break
     :: else -> left--
     fi;
     if
     :: next = 0
     :: next = 1
     :: next = 2
     fi;
     now = owner;                      /* nobody else changes it */
     if
     :: next != now ->
#ifndef NO_LOCK
        atomic { !lock[now] -> lock[now] = true };
#endif
#ifndef NO_DRAIN
        !(now == RESERVE && under_way > 0);
#endif
        d_step { owner = next; changes++ };
#ifndef NO_LOCK
        lock[now] = false
#endif
     :: else -> skip
     fi
  od
}

proctype judge() {
end_judge:
  timeout -> assert(drawn == ALL && published == ALL)
}

init {
  byte i;
  atomic {
    for (i : 1 .. THREADS) { run appender() }
    run changer();
    run judge()
  }
}
