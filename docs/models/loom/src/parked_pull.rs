//! PullHold::park against Queue::append and PullHold::arrived, while another pull is taken out.

use loom::sync::atomic::{AtomicUsize, Ordering::*};
use loom::sync::{Arc, Mutex};
use loom::thread;

/// LOAD_COUNT: an arrival looks at the count by a load. STORE_COUNT: park() counts by a store. RELAXED_PARK, RELAXED_ARRIVAL: one of
/// the two read-modify-writes is relaxed. COUNT_FIRST: the arrival looks before the queue has grown.
pub const VARIANTS: &[(&str, bool)] = &[
    ("", true),
    ("LOAD_COUNT", false),
    ("STORE_COUNT", false),
    ("RELAXED_PARK", false),
    ("RELAXED_ARRIVAL", false),
    ("COUNT_FIRST", false),
];

/// Parked pulls that wait for the queue's first entry, by the number of the pull.
struct Hold {
    parked: Mutex<Vec<usize>>,
    count: AtomicUsize,
    end: AtomicUsize,
    weakened: &'static str,
}

impl Hold {
    fn park(&self, pull: usize) {
        let mut parked = self.parked.lock().unwrap();
        parked.push(pull);
        match self.weakened {
            "STORE_COUNT" => self.count.store(parked.len(), Release),
            "RELAXED_PARK" => drop(self.count.swap(parked.len(), Relaxed)),
            _ => drop(self.count.swap(parked.len(), AcqRel)),
        }
        if self.end.load(Acquire) > 0 {
            self.take(&mut parked, pull);
        }
    }
    fn take(&self, parked: &mut Vec<usize>, pull: usize) {
        parked.retain(|&other| other != pull);
        self.count.store(parked.len(), Relaxed);
    }
    fn expire(&self, pull: usize) {
        let mut parked = self.parked.lock().unwrap();
        self.take(&mut parked, pull);
    }
    fn arrive(&self) {
        if self.weakened != "COUNT_FIRST" {
            self.end.store(1, Release);
        }
        let count = match self.weakened {
            "LOAD_COUNT" => self.count.load(Acquire),
            "RELAXED_ARRIVAL" => self.count.fetch_add(0, Relaxed),
            _ => self.count.fetch_add(0, AcqRel),
        };
        if self.weakened == "COUNT_FIRST" {
            self.end.store(1, Release);
        }
        if count == 0 {
            return;
        }
        let mut parked = self.parked.lock().unwrap();
        for pull in parked.clone() {
            self.take(&mut parked, pull);
        }
    }
}

pub fn run(weakened: &'static str) {
    loom::model(move || {
        let hold = Arc::new(Hold {
            parked: Mutex::new(vec![]),
            count: AtomicUsize::new(0),
            end: AtomicUsize::new(0),
            weakened,
        });
        let dispatch = {
            let hold = hold.clone();
            thread::spawn(move || hold.arrive())
        };
        // Parks and takes out again in front of the pull that counts.
        let other = {
            let hold = hold.clone();
            thread::spawn(move || {
                hold.park(1);
                hold.expire(1);
            })
        };
        hold.park(2);
        dispatch.join().unwrap();
        other.join().unwrap();
        assert!(
            hold.parked.lock().unwrap().is_empty(),
            "a pull is parked although its entry is there"
        );
    });
}
