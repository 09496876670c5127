/* The dispatch role released against new publication (Store::dispatch in src/store/store.cpp), with the pause for memory and the
 * upkeep thread that ends it.
 *
 * PUBLISHERS io threads publish and then call dispatch(); one that returns true is posted again. A round enters one record
 * (the budget), or none and pauses if memory is full. Upkeep makes room, then takes the pause back and posts a dispatch.
 *
 * Checked: when everything has come to rest, every published record has been dispatched, and never by two at a time. The rounds
 * that upkeep makes by itself are left out, so nothing is saved by one of them.
 *
 * The role has two nets: the exchanges, and a last look at the watermarks after the role has been given back. In this model, where
 * all steps are sequentially consistent, either is enough; in the code only the exchanges order one thread's publication with the
 * other's look. So the first failures are checked without the last look:
 *   NO_LAST_LOOK               the exchanges alone: holds
 *   NO_LAST_LOOK STORE_FREE    the holder gives the role back with a store: a request to look again is overwritten
 *   NO_LAST_LOOK NO_REQUEST    a publisher that finds the role taken just leaves
 *   PAUSE_BLINDLY              the holder does not look once more after it has set the pause
 *   FLAG_FIRST                 upkeep takes the pause back before it has made room
 */
#define PUBLISHERS 2
#define RECORDS 2                /* each */
#define FREE 0
#define TAKEN 1
#define LOOK_AGAIN 2
#define MEMORY 1                 /* records that fit before upkeep has written them */

byte role = FREE;
byte published = 0;
byte dispatched = 0;
byte used = 0;
bool paused = false;
byte inside = 0;
byte posted = 0;                 /* dispatches that upkeep has posted and an io thread will run */

#define must_pause (used >= MEMORY)

inline dispatch_round() {
  inside++;
  assert(inside == 1);
  end = published;               /* visible, loaded once */
  if
  :: dispatched < end ->
     no_room = must_pause;
     if
     :: no_room ->
        paused = true;
#ifndef PAUSE_BLINDLY
        no_room = must_pause;
        if
        :: no_room -> skip
        :: else -> paused = false
        fi
#endif
     :: else -> skip
     fi;
     if
     :: no_room -> skip
     :: else -> atomic { used++; dispatched++ }
     fi
  :: else -> skip
  fi;
  inside--
}

inline dispatch() {              /* posted again as long as it returns true */
  do
  :: atomic { seen = role; if :: seen == FREE -> role = TAKEN :: else -> skip fi };
     if
     :: seen != FREE ->
#ifdef NO_REQUEST
        break;
#endif
        atomic { seen = role; role = LOOK_AGAIN };
        if
        :: seen != FREE -> break
        :: else -> skip
        fi
     :: else -> skip
     fi;
     dispatch_round();
#ifdef STORE_FREE
     asked = (role == LOOK_AGAIN);
     role = FREE;
#else
     atomic { asked = (role == LOOK_AGAIN); role = FREE };
#endif
#ifdef NO_LAST_LOOK
     more = asked || dispatched < end;    /* what the budget left over */
#else
     more = asked || dispatched < published;
#endif
     if
     :: more && !paused -> skip
     :: else -> break
     fi
  od
}

proctype publisher() {
  byte seen, end, left = RECORDS;
  bool no_room, asked, more;
end_idle:
  do
  :: left > 0 ->
     atomic { left--; published++ };
     dispatch();
     atomic { seen = 0; end = 0; no_room = false; asked = false; more = false }   /* fewer states that differ in nothing */
  :: atomic { posted > 0 -> posted-- };
     dispatch();
     atomic { seen = 0; end = 0; no_room = false; asked = false; more = false }
  od
}

proctype upkeep() {
  bool was;
end_upkeep:
  do
  :: used > 0 ->
#ifdef FLAG_FIRST
     atomic { was = paused; paused = false };
     used = 0;
#else
     used = 0;
     if
     :: must_pause -> was = false
     :: else -> atomic { was = paused; paused = false }
     fi;
#endif
     if
     :: was -> atomic { posted++; was = false }
     :: else -> skip
     fi
  od
}

/* At rest: nobody runs, nothing is posted, upkeep has nothing to do. */
proctype judge() {
end_judge:
  timeout -> assert(dispatched == published && inside == 0 && role == FREE)
}

init {
  atomic {
    byte i;
    for (i : 1 .. PUBLISHERS) { run publisher() }
    run upkeep();
    run judge()
  }
}
