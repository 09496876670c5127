/* A thread asleep against new work: the flush thread (CommitLog::flush_step, LogTail::settle, Wakeup). The segments thread's request
 * is the same protocol.
 *
 * An appender publishes, and then asks (exchange) unless somebody has asked already. The flush thread takes its ticket, takes the
 * request (exchange), looks at published, syncs, and sleeps until a notification that is younger than its ticket. The longest sleep is
 * left out: it only bounds the damage of a lost wake-up, and here none may be lost.
 *
 * Checked: everything published is synced before the flush thread sleeps for good.
 * Expected failures:
 *   TICKET_LATE   the ticket is taken after the look for work
 *   REQUEST_LATE  the request is taken after the look at published
 *   ASK_FIRST     an appender asks before it publishes
 */
#define APPENDERS 2
#define APPENDS 2

byte published = 0;
byte durable = 0;
bool asked = false;
byte notified = 0;               /* Wakeup::count_, under its mutex: each operation is one step */

proctype appender() {
  byte round;
  bool was;
  for (round : 1 .. APPENDS) {
#ifndef ASK_FIRST
    atomic { published++ };
#endif
    atomic { was = asked; asked = true };
    if
    :: !was -> notified++
    :: else -> skip
    fi;
#ifdef ASK_FIRST
    atomic { published++ };
#endif
    skip
  }
}

proctype flush() {
  byte ticket, seen;
  do
  ::
#ifndef TICKET_LATE
     ticket = notified;
#endif
#ifdef REQUEST_LATE
     seen = published;
     asked = false;
#else
     asked = false;
     seen = published;
#endif
     durable = seen;             /* the sync */
#ifdef TICKET_LATE
     ticket = notified;
#endif
end_asleep:
     notified != ticket
  od
}

proctype judge() {
end_judge:
  timeout -> assert(durable == published)
}

init {
  byte i;
  atomic {
    for (i : 1 .. APPENDERS) { run appender() }
    run flush();
    run judge()
  }
}
