/* The adaptive lock while its waiters change from spinning to sleeping and back (src/store/put/lock_words.hpp, abs_lock.cpp).
 *
 * One word: 0 free, 1 taken, 2 taken and awaited. `sleeping` is the kernel's queue: falling asleep compares the word once more,
 * in one step (futex). The holder may change the mode whenever it likes, which is more than the rules do. A waiter reads the mode
 * once a round and may act on an old one.
 *
 * Checked: never two inside; everybody gets in and all end (an assertion and "no invalid end state": a lost wake-up leaves a
 * thread asleep for ever); with FOREVER, somebody gets in again and again as long as every thread is given steps.
 * Expected failures, one line of the protocol taken away each:
 *   FORGET_OTHERS   a woken thread takes the word as "taken": whoever sleeps behind it is forgotten
 *   SLEEP_BLINDLY   falling asleep does not look at the word again
 *   PLAIN_RELEASE   a release frees the word without looking whether it was awaited
 */
#ifndef THREADS
#define THREADS 3
#endif
#ifndef ROUNDS
#define ROUNDS 2
#endif
#define FREE 0
#define TAKEN 1
#define AWAITED 2

byte word = FREE;
bool sleeping_mode = false;
bool asleep[THREADS];
byte inside = 0;

inline unlock() {
  atomic {                       /* word.exchange(kFree) */
    before = word;
    word = FREE;
  }
#ifndef PLAIN_RELEASE
  if
  :: before == AWAITED ->        /* FUTEX_WAKE of one: any of those that sleep */
     atomic {
       if
       :: asleep[0] -> asleep[0] = false
       :: asleep[1] -> asleep[1] = false
#if THREADS > 2
       :: asleep[2] -> asleep[2] = false
#endif
#if THREADS > 3
       :: asleep[3] -> asleep[3] = false
#endif
       :: else -> skip
       fi
     }
  :: else -> skip
  fi
#endif
}

proctype thread(byte me) {
  byte before, as, left = ROUNDS;
  bool mode;

again:
  as = TAKEN;
  if                             /* lock(): the first try */
  :: atomic { word == FREE -> word = as }; goto entered
  :: atomic { word != FREE -> skip }
  fi;

wait:
  mode = sleeping_mode;
  if
  :: mode ->
     atomic { before = word; word = AWAITED }
     if
     :: before == FREE -> goto entered
     :: else -> skip
     fi;
#ifdef SLEEP_BLINDLY
     asleep[me] = true;
     !asleep[me];
#else
     atomic {                    /* FUTEX_WAIT, if it is kAwaited */
       if
       :: word == AWAITED -> asleep[me] = true
       :: else -> skip
       fi
     }
     !asleep[me];
#endif
#ifndef FORGET_OTHERS
     as = AWAITED;
#endif
     goto wait
  :: else ->                     /* k spins are one try or two: a try may succeed or not */
     if
     :: atomic { word == FREE -> word = as }; goto entered
     :: atomic { word != FREE -> skip }; goto wait
     fi
  fi;

entered:
  inside++;
progress:
  assert(inside == 1);
  if
  :: sleeping_mode = true
  :: sleeping_mode = false
  :: skip
  fi;
  inside--;
  unlock();
#ifdef FOREVER
  goto again
#else
  left--;
  if
  :: left > 0 -> goto again
  :: else -> skip
  fi
#endif
}

init {
  byte i;
  atomic {
    for (i : 0 .. THREADS - 1) { run thread(i) }
  }
}
