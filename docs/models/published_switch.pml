/* The published way to change locks: two of them, and a word that says which. A thread reads the word and then takes that lock;
 * whoever switches waits until the old lock is free and writes the word. Between the reading and the taking lies the gap: one
 * thread has read "old" and not yet taken it, the switch sees it free, another thread takes the new one.
 *
 * Expected failure: two inside. With ONE_WORD the two names stand for one lock, which is what ours does: no failure.
 */
#define OLD 0
#define NEW 1

byte which = OLD;
bool taken[2];
byte inside = 0;

proctype thread() {
  byte mine, round;
  for (round : 1 .. 2) {
    mine = which;                /* the flag is read... */
#ifdef ONE_WORD
    mine = 0;
#endif
    atomic { !taken[mine] -> taken[mine] = true }   /* ...and the lock taken, later */
    inside++;
    assert(inside == 1);
    inside--;
    taken[mine] = false
  }
}

proctype switcher() {
  atomic { !taken[which] -> skip }
  which = 1 - which
}

init {
  atomic { run thread(); run thread(); run switcher() }
}
