//! Store::dispatch_round against Upkeep::step: dispatch pauses when memory is full, and upkeep, which makes room, resumes it. Without
//! the notification that makes upkeep run once more: the flag alone must do.

use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use loom::sync::{Arc, Mutex};
use loom::thread;

/// STORE_SET: the flag is set by a store, not by an exchange. FLAG_FIRST: upkeep looks at the flag before it makes room.
pub const VARIANTS: &[(&str, bool)] = &[("", true), ("STORE_SET", false), ("FLAG_FIRST", false)];

const FULL: usize = 1;

struct Memory {
    lock: Mutex<()>,
    used: AtomicUsize,
    paused: AtomicBool,
    wanted: AtomicBool,
    weakened: &'static str,
}

impl Memory {
    fn is_full(&self) -> bool {
        self.used.load(Relaxed) >= FULL
    }
    fn set(&self, used: usize) {
        let _held = self.lock.lock().unwrap();
        self.used.store(used, Relaxed);
    }

    /// False: dispatch has paused.
    fn enter_record(&self) -> bool {
        if self.is_full() {
            if self.weakened == "STORE_SET" {
                self.paused.store(true, Release);
            } else {
                self.paused.swap(true, AcqRel);
            }
            if self.is_full() {
                return false;
            }
            self.paused.swap(false, AcqRel);
        }
        self.set(FULL);
        true
    }

    fn upkeep_step(&self) {
        if self.weakened == "FLAG_FIRST" && self.paused.swap(false, AcqRel) {
            self.wanted.store(true, Relaxed);
        }
        self.set(0);
        if self.weakened != "FLAG_FIRST" && !self.is_full() && self.paused.swap(false, AcqRel) {
            self.wanted.store(true, Relaxed);
        }
    }
}

pub fn run(weakened: &'static str) {
    loom::model(move || {
        let memory = Arc::new(Memory {
            lock: Mutex::new(()),
            used: AtomicUsize::new(FULL),
            paused: AtomicBool::new(false),
            wanted: AtomicBool::new(false),
            weakened,
        });
        let upkeep = {
            let memory = memory.clone();
            thread::spawn(move || {
                memory.upkeep_step();
                memory.upkeep_step();
            })
        };
        let is_paused = !(memory.enter_record() && memory.enter_record());
        upkeep.join().unwrap();
        assert!(
            !is_paused || memory.is_full() || memory.wanted.load(Relaxed),
            "there is room, dispatch has paused, and nobody resumes it"
        );
    });
}
