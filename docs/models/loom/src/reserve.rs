//! Publication: an append that is done marks its slot and publishes the prefix of marked slots, waiting for nobody.
//!
//! `done` and `next` are sequentially consistent in the code, and their protocol stores one and loads the other. Loom knows sequentially
//! consistent fences but no such operations. So the property that needs them, everything is published at rest, is explored with
//! a fence between store and load, which allows the same for that; and the property that nothing is published too early without
//! any, which allows more than the code does.

use loom::cell::UnsafeCell;
use loom::sync::atomic::{fence, AtomicUsize, Ordering::*};
use loom::sync::{Arc, Mutex};
use loom::thread;

/// NO_FENCES: safety alone, as said above; all others also ask that everything is published at rest. RELAXED_*: one order is weakened,
/// without fences, which would hide it; the copy is handed on by done and by end, so either alone may be. ALL_WITHOUT_FENCES: why done
/// and next are sequentially consistent.
pub const VARIANTS: &[(&str, bool)] = &[
    ("", true),
    ("NO_FENCES", true),
    ("ALL_WITHOUT_FENCES", false),
    ("NO_FENCES RELAXED_DONE RELAXED_END", false),
    ("NO_FENCES RELAXED_PUBLISH", false),
];

/// How often a thread may be preempted in one execution: without a bound this one takes too long.
pub const PREEMPTIONS_MAX: &str = "3";
const APPENDS: usize = 2;

struct Tail {
    placement_lock: Mutex<usize>,
    records: [UnsafeCell<usize>; APPENDS],
    done: [AtomicUsize; APPENDS],
    end: [AtomicUsize; APPENDS],
    next: AtomicUsize,
    published: AtomicUsize,
    weakened: &'static str,
}

impl Tail {
    fn has(&self, word: &str) -> bool {
        self.weakened.contains(word)
    }
    fn fenced(&self) {
        if !self.has("FENCES") {
            fence(SeqCst);
        }
    }
    fn load(&self, from: &AtomicUsize) -> usize {
        self.fenced();
        from.load(Acquire)
    }

    fn append(&self) {
        let ticket = {
            let mut drawn = self.placement_lock.lock().unwrap();
            *drawn += 1;
            *drawn - 1
        };
        self.records[ticket].with_mut(|record| unsafe { *record = 1 });
        self.end[ticket].store(ticket + 1, if self.has("RELAXED_END") { Relaxed } else { Release });
        self.done[ticket].store(ticket + 1, if self.has("RELAXED_DONE") { Relaxed } else { Release });
        self.fenced();
        self.advance();
    }
    fn advance(&self) {
        loop {
            let ticket = self.load(&self.next);
            if ticket == APPENDS || self.load(&self.done[ticket]) != ticket + 1 {
                return;
            }
            let end = self.end[ticket].load(Acquire);
            if self.load(&self.next) != ticket {
                continue;
            }
            self.publish_at_least(end);
            let _ = self.next.compare_exchange(ticket, ticket + 1, AcqRel, Acquire);
        }
    }
    fn publish_at_least(&self, to: usize) {
        let order = if self.has("RELAXED_PUBLISH") { Relaxed } else { AcqRel };
        let mut seen = self.published.load(Relaxed);
        while seen < to {
            match self.published.compare_exchange_weak(seen, to, order, Relaxed) {
                Ok(_) => return,
                Err(now) => seen = now,
            }
        }
    }
    fn read(&self) {
        for record in &self.records[..self.published.load(Acquire)] {
            record.with(|record| assert_eq!(unsafe { *record }, 1, "a hole is published"));
        }
    }
}

pub fn run(weakened: &'static str) {
    loom::model(move || {
        let tail = Arc::new(Tail {
            placement_lock: Mutex::new(0),
            records: [UnsafeCell::new(0), UnsafeCell::new(0)],
            done: [AtomicUsize::new(0), AtomicUsize::new(0)],
            end: [AtomicUsize::new(0), AtomicUsize::new(0)],
            next: AtomicUsize::new(0),
            published: AtomicUsize::new(0),
            weakened,
        });
        let appenders: Vec<_> = (0..APPENDS)
            .map(|_| {
                let tail = tail.clone();
                thread::spawn(move || tail.append())
            })
            .collect();
        let reader = {
            let tail = tail.clone();
            thread::spawn(move || tail.read())
        };
        for thread in appenders.into_iter().chain([reader]) {
            thread.join().unwrap();
        }
        if !tail.has("NO_FENCES") {
            assert_eq!(tail.published.load(Relaxed), APPENDS, "something is not published at rest");
        }
    });
}
