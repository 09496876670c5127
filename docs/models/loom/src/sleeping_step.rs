//! CommitLog::flush_step and StepThread against LogTail::settle; the request of the segments thread and the broker's wake-up of its io
//! threads are the same.

use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use loom::sync::Arc;
use loom::thread;

/// STORE_TAKE: the flush thread takes the request by a store. RELAXED_ASK, RELAXED_TAKE: one of the exchanges is relaxed. ASK_FIRST: an
/// appender asks before it publishes. REQUEST_LATE: the flush thread takes the request after its look at published.
pub const VARIANTS: &[(&str, bool)] = &[
    ("", true),
    ("STORE_TAKE", false),
    ("RELAXED_ASK", false),
    ("RELAXED_TAKE", false),
    ("ASK_FIRST", false),
    ("REQUEST_LATE", false),
];

const APPENDERS: usize = 2;
const STEPS: usize = 2;

/// Wakeup's count is guarded by a mutex, all operations on it read and write here.
struct Log {
    published: AtomicUsize,
    asked: AtomicBool,
    notified: AtomicUsize,
    weakened: &'static str,
}

impl Log {
    /// Stored with release under the append lock, which orders the appenders like an acquire.
    fn publish(&self) {
        self.published.fetch_add(1, AcqRel);
    }
    fn ask(&self) {
        if !self
            .asked
            .swap(true, if self.weakened == "RELAXED_ASK" { Relaxed } else { AcqRel })
        {
            self.notified.fetch_add(1, AcqRel);
        }
    }
    fn append(&self) {
        if self.weakened == "ASK_FIRST" {
            self.ask();
        }
        self.publish();
        if self.weakened != "ASK_FIRST" {
            self.ask();
        }
    }
    fn take_request(&self) {
        match self.weakened {
            "STORE_TAKE" => self.asked.store(false, Release),
            "RELAXED_TAKE" => drop(self.asked.swap(false, Relaxed)),
            _ => drop(self.asked.swap(false, AcqRel)),
        }
    }
    /// The ticket with which it would sleep, and what it has synced.
    fn step(&self) -> (usize, usize) {
        let ticket = self.notified.fetch_add(0, AcqRel);
        if self.weakened == "REQUEST_LATE" {
            let durable = self.published.load(Acquire);
            self.take_request();
            return (ticket, durable);
        }
        self.take_request();
        (ticket, self.published.load(Acquire))
    }
}

pub fn run(weakened: &'static str) {
    loom::model(move || {
        let log = Arc::new(Log {
            published: AtomicUsize::new(0),
            asked: AtomicBool::new(false),
            notified: AtomicUsize::new(0),
            weakened,
        });
        let appenders: Vec<_> = (0..APPENDERS)
            .map(|_| {
                let log = log.clone();
                thread::spawn(move || log.append())
            })
            .collect();
        let (mut ticket, mut durable) = (0, 0);
        for _ in 0..STEPS {
            (ticket, durable) = log.step();
        }
        for appender in appenders {
            appender.join().unwrap();
        }
        // Awake, it would run once more; asleep, it stays so.
        let is_asleep = log.notified.load(Relaxed) == ticket;
        assert!(
            !is_asleep || durable == APPENDERS,
            "the flush thread sleeps, and something published is not synced"
        );
    });
}
