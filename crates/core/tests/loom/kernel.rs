//! What the kernel does for the protocol: a process may sleep on a word, and holds bytes for as long as it lives.

use loom::sync::{Condvar, Mutex};
use pagecast::primitive::{Ordering, Word};
use pagecast::wait::Woken;
use std::cell::Cell;

/// The bytes of the roster.
#[derive(Clone, Copy, Debug)]
pub enum Byte {
    Publisher,
    Slot(u32),
}

/// How many sleeps of a process may expire after each death.
const EXPIRATIONS: u32 = 3;

/// Sleepers on one word.
pub struct Futex {
    history: Mutex<History>,
    changed: Condvar,
}

struct History {
    /// Who sleeps, in the order in which they came.
    sleepers: Vec<u32>,
    /// How many have come.
    arrivals: u32,
    /// After a death bounded sleeps end. Before the first, only a wake-up ends them, and a lost one is a deadlock.
    deaths: u32,
}

impl Futex {
    fn new() -> Futex {
        Futex { history: Mutex::new(History { sleepers: Vec::new(), arrivals: 0, deaths: 0 }), changed: Condvar::new() }
    }

    /// `expired` counts the sleeps of one process that ended with their bound: so many for each death, so that executions end.
    pub fn wait(&self, word: &Word, expected: u32, expired: &Cell<u32>) -> Woken {
        let mut history = self.history.lock().unwrap();
        if word.load(Ordering::Relaxed) != expected {
            return Woken::Changed;
        }
        history.arrivals += 1;
        let own = history.arrivals;
        history.sleepers.push(own);
        loop {
            if !history.sleepers.contains(&own) {
                return Woken::Woken;
            }
            if expired.get() < history.deaths * EXPIRATIONS {
                expired.set(expired.get() + 1);
                history.sleepers.retain(|sleeper| *sleeper != own);
                return Woken::TimedOut;
            }
            history = self.changed.wait(history).unwrap();
        }
    }

    pub fn wake_all(&self) {
        self.history.lock().unwrap().sleepers.clear();
        self.changed.notify_all();
    }

    /// Whoever has slept longest.
    pub fn wake_one(&self) {
        let mut history = self.history.lock().unwrap();
        if !history.sleepers.is_empty() {
            history.sleepers.remove(0);
        }
        self.changed.notify_all();
    }

    fn expire(&self) {
        self.history.lock().unwrap().deaths += 1;
        self.changed.notify_all();
    }
}

/// Who holds a byte. 0: nobody.
type Holder = Mutex<u32>;

/// The part of the kernel that one segment's processes share.
pub struct Kernel {
    pub state: Futex,
    pub writer_waits: Futex,
    publisher: Holder,
    slots: Vec<Holder>,
}

impl Kernel {
    pub fn new(slots: u32) -> Kernel {
        let slots = (0..slots).map(|_| Mutex::new(0)).collect();
        Kernel { state: Futex::new(), writer_waits: Futex::new(), publisher: Mutex::new(0), slots }
    }

    fn holder(&self, byte: Byte) -> &Holder {
        match byte {
            Byte::Publisher => &self.publisher,
            Byte::Slot(number) => &self.slots[number as usize],
        }
    }

    pub fn try_hold(&self, byte: Byte, process: u32) -> bool {
        let mut holder = self.holder(byte).lock().unwrap();
        let free = *holder == 0;
        if free {
            *holder = process;
        }
        free
    }

    pub fn release(&self, byte: Byte) {
        *self.holder(byte).lock().unwrap() = 0;
    }

    pub fn is_held(&self, byte: Byte) -> bool {
        *self.holder(byte).lock().unwrap() != 0
    }

    /// The process was killed: it holds no byte any more, and some time later every bounded sleep is over.
    pub fn bury(&self, process: u32) {
        for holder in self.slots.iter().chain([&self.publisher]) {
            let mut holder = holder.lock().unwrap();
            if *holder == process {
                *holder = 0;
            }
        }
        self.state.expire();
        self.writer_waits.expire();
    }
}
