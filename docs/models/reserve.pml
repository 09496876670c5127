/* `reserve`: places drawn under a lock, copies in any order, publication by whoever completes the prefix (src/store/put/reserve.cpp,
 * publication.hpp).
 *
 * A ticket stands for its append: the end of append t is t + 1. The ring has SLOTS slots, so that they are used again. The queue
 * (one, for all) gives its offsets in the placement section. Copying may stop for as long as it likes.
 *
 * Checked: published never goes back and never covers an append that is not copied (no hole is visible); the queue's offsets are in
 * log order; who leaves has seen published everything that was done when he was, though others may be stopped anywhere; at rest
 * everything is published, and the publication has passed every ticket.
 * Expected failures, one line taken away each:
 *   PLAIN_PUBLISH     published is stored, not raised: it goes back
 *   NEXT_FIRST        next is moved before published is: an append that is done may stay unpublished while its helper is stopped
 *   NO_SECOND_LOOK    `end` is used without looking whether next has moved: it may be that of a later ticket in the same slot
 *   MARK_FIRST        the slot is marked done before the copy
 *   OFFSET_OUTSIDE    the queue's offset is taken after the placement section
 */
#ifndef THREADS
#define THREADS 3
#endif
#ifndef APPENDS
#define APPENDS 2                /* each */
#endif
#define ALL (THREADS * APPENDS)
#ifndef SLOTS
#define SLOTS 2
#endif

bool lock = false;
byte drawn = 0;
byte next = 0;
byte published = 0;
byte done[SLOTS];
byte end[SLOTS];
bool copied[ALL];
byte last_ticket = 0;            /* of the last offset that the queue gave, plus 1 */
bool marked[ALL];

inline take_offset() {
  atomic {
    assert(last_ticket == ticket);  /* a later offset belongs to a later place */
    last_ticket = ticket + 1
  }
}

inline publish(to) {
#ifdef PLAIN_PUBLISH
  atomic { assert(to >= published); published = to };
#else
  atomic { if :: to > published -> published = to :: else -> skip fi };
#endif
  d_step {
    i = 0;
    do
    :: i < published -> assert(copied[i]); i++
    :: else -> break
    od;
    i = 0
  }
}

inline mark_done() {              /* and remember the prefix that was done at that moment, for the assertion */
  d_step {
    done[ticket % SLOTS] = ticket + 1;
    marked[ticket] = true;
    prefix = 0;
    do
    :: prefix < ALL && marked[prefix] -> prefix++
    :: else -> break
    od
  }
}

inline advance() {
  do
  :: seen = next;
     mark = done[seen % SLOTS];
     if
     :: mark == seen + 1 ->
        position = end[seen % SLOTS];
#ifndef NO_SECOND_LOOK
        if
        :: next != seen -> skip
        :: else ->
#else
        if
        :: true ->
#endif
#ifdef NEXT_FIRST
           atomic { if :: next == seen -> next++ :: else -> skip fi };
           publish(position);
#else
           publish(position);
           atomic { if :: next == seen -> next++ :: else -> skip fi };
#endif
           skip
        fi
     :: mark > seen + 1 -> skip
     :: else -> break
     fi
  od
}

proctype appender() {
  byte ticket, seen, mark, position, i, prefix, left = APPENDS;
  do
  :: left > 0 ->
     left--;
     atomic { !lock && drawn - next < SLOTS -> lock = true };
     ticket = drawn;
#ifndef OFFSET_OUTSIDE
     take_offset();
#endif
     drawn++;
     lock = false;
#ifdef OFFSET_OUTSIDE
     take_offset();
#endif
#ifdef MARK_FIRST
     end[ticket % SLOTS] = ticket + 1;
     mark_done();
     copied[ticket] = true;
#else
     copied[ticket] = true;
     end[ticket % SLOTS] = ticket + 1;
     mark_done();
#endif
     advance();
     atomic {
       assert(published >= prefix);
       seen = 0; mark = 0; position = 0; ticket = 0; prefix = 0
     }
  :: else -> break
  od
}

proctype judge() {
end_judge:
  timeout -> assert(published == ALL && next == ALL)
}

init {
  byte i;
  atomic {
    for (i : 1 .. THREADS) { run appender() }
    run judge()
  }
}
