//! Explores the executions that the C11 memory model allows of the protocols in which two threads meet without waiting, and
//! checks as well that each fails where one order or one operation is weakened: docs/models/README.md says what it found.
//!
//!     cargo run --release               all; ends in "loom: N passed, M failed"
//!     cargo run --release parked_pull   only this protocol's
//!
//! Loom takes a sequentially consistent load or store for acquire or release, which is weaker. All protocols but `reserve` use
//! read-modify-writes of one atomic and hold nevertheless; what `reserve` does about it stands there.

mod dispatch_pause;
mod dispatch_role;
mod parked_pull;
mod reserve;
mod sleeping_step;

use std::process::{Command, Stdio};

/// A protocol, what is weakened in it (nothing: ""), and whether it must hold.
struct Row {
    protocol: &'static str,
    weakened: &'static str,
    must_hold: bool,
    run: fn(&'static str),
}

const HOLDS: bool = true;
const FAILS: bool = false;

fn rows() -> Vec<Row> {
    let table: &[(&str, fn(&'static str), &[(&str, bool)])] = &[
        ("dispatch_role", dispatch_role::run, dispatch_role::VARIANTS),
        ("dispatch_pause", dispatch_pause::run, dispatch_pause::VARIANTS),
        ("parked_pull", parked_pull::run, parked_pull::VARIANTS),
        ("sleeping_step", sleeping_step::run, sleeping_step::VARIANTS),
        ("reserve", reserve::run, reserve::VARIANTS),
    ];
    let mut rows = Vec::new();
    for &(protocol, run, variants) in table {
        for &(weakened, must_hold) in variants {
            rows.push(Row {
                protocol,
                weakened,
                must_hold,
                run,
            });
        }
    }
    rows
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    // One exploration: loom ends it with a panic, hence a process of its own for each.
    if arguments.len() == 4 && arguments[1] == "--explore" {
        let row = rows()
            .into_iter()
            .find(|row| row.protocol == arguments[2] && row.weakened == arguments[3])
            .expect("a row");
        return (row.run)(row.weakened);
    }
    let (mut passed, mut failed) = (0, 0);
    for row in rows() {
        if arguments.len() > 1 && arguments[1] != row.protocol {
            continue;
        }
        let mut explore = Command::new(std::env::current_exe().expect("this program"));
        explore.args(["--explore", row.protocol, row.weakened]).stdout(Stdio::null());
        if row.protocol == "reserve" {
            explore.env("LOOM_MAX_PREEMPTIONS", reserve::PREEMPTIONS_MAX);
        }
        let explored = explore.output().expect("this program starts");
        let errors = String::from_utf8_lossy(&explored.stderr);
        // A panic is a failure found by loom or by an assertion; any other end is none.
        let outcome = match explored.status.code() {
            Some(0) => Some(HOLDS),
            Some(101) => Some(FAILS),
            _ => None,
        };
        let word = |holds| if holds { "holds" } else { "fails" };
        if outcome == Some(row.must_hold) {
            passed += 1;
            let why = errors
                .lines()
                .skip_while(|line| !line.contains("panicked at"))
                .nth(1)
                .unwrap_or("");
            println!(
                "   {} {}: {}, as it must {}",
                row.protocol,
                row.weakened,
                word(row.must_hold),
                why
            );
        } else {
            failed += 1;
            println!(
                "   {} {}: must be: {}\n{}",
                row.protocol,
                row.weakened,
                word(row.must_hold),
                errors
            );
        }
    }
    println!("loom: {passed} passed, {failed} failed");
    std::process::exit(if failed == 0 && passed > 0 { 0 } else { 1 });
}
