//! Store::dispatch: whoever publishes takes the role of the dispatcher, or asks its holder to look again.

use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicUsize, Ordering::*};
use loom::sync::{Arc, Mutex};
use loom::thread;

/// LATE_RELEASE: the role is given up by an exchange that acquires nothing, so that what was published before may be missed.
/// STORE_FREE: by a store. NO_REQUEST: who finds it taken does not ask. PUBLISH_RELAXED: published without release.
pub const VARIANTS: &[(&str, bool)] = &[
    ("", true),
    ("LATE_RELEASE", false),
    ("STORE_FREE", false),
    ("NO_REQUEST", false),
    ("PUBLISH_RELAXED", false),
];

const FREE: usize = 0;
const TAKEN: usize = 1;
const LOOK_AGAIN: usize = 2;
const RECORDS: usize = 2;
// Two threads may hand the role to and fro for as long as the scheduler likes: after so many calls a thread counts as not at rest.
const CALLS_MAX: usize = 3;

struct Store {
    append_lock: Mutex<usize>,
    records: [UnsafeCell<usize>; RECORDS],
    published: AtomicUsize,
    dispatched: AtomicUsize,
    role: AtomicUsize,
    weakened: &'static str,
}

impl Store {
    fn append(&self) {
        let mut tail = self.append_lock.lock().unwrap();
        self.records[*tail].with_mut(|record| unsafe { *record = 1 });
        *tail += 1;
        self.published.store(
            *tail,
            if self.weakened == "PUBLISH_RELAXED" {
                Relaxed
            } else {
                Release
            },
        );
    }

    /// True: there is more to do.
    fn dispatch(&self) -> bool {
        if self.role.compare_exchange(FREE, TAKEN, AcqRel, Acquire).is_err() {
            if self.weakened == "NO_REQUEST" || self.role.swap(LOOK_AGAIN, AcqRel) != FREE {
                return false;
            }
        }
        let (from, to) = (self.dispatched.load(Acquire), self.published.load(Acquire));
        for record in &self.records[from..to] {
            record.with(|record| assert_eq!(unsafe { *record }, 1));
        }
        self.dispatched.store(to, Release);
        let was_asked = match self.weakened {
            "STORE_FREE" => {
                self.role.store(FREE, Release);
                false
            }
            "LATE_RELEASE" => self.role.swap(FREE, Relaxed) == LOOK_AGAIN && false,
            _ => self.role.swap(FREE, AcqRel) == LOOK_AGAIN,
        };
        was_asked || self.dispatched.load(Acquire) < self.published.load(Acquire)
    }
}

pub fn run(weakened: &'static str) {
    loom::model(move || {
        let store = Arc::new(Store {
            append_lock: Mutex::new(0),
            records: [UnsafeCell::new(0), UnsafeCell::new(0)],
            published: AtomicUsize::new(0),
            dispatched: AtomicUsize::new(0),
            role: AtomicUsize::new(FREE),
            weakened,
        });
        let io_threads: Vec<_> = (0..RECORDS)
            .map(|_| {
                let store = store.clone();
                thread::spawn(move || {
                    store.append();
                    (0..CALLS_MAX).any(|_| !store.dispatch())
                })
            })
            .collect();
        for io_thread in io_threads {
            io_thread.join().unwrap();
        }
        assert_eq!(
            store.dispatched.load(Relaxed),
            RECORDS,
            "something published is not dispatched at rest"
        );
    });
}
