//! A process that does what a test tells it, and stops in the middle of that where the test wants to kill it.
//!
//! ```text
//! actor DIRECTORY
//! ```
//!
//! A command is a line `STEP VERB [ARGUMENT...]`. It is answered with one line of JSON: `{"event":"done",…}`, or
//! `{"event":"failed","code":…}`. STEP is `-`, or the number of the step before which to stop for ever, after `{"event":"stopped","step":…}`;
//! for a number past the last one the answer has the names of all `steps`. `__test__/children/actor.ts` is the same in TypeScript.
//!
//! A value is one byte repeated, and never 0.
#![expect(clippy::expect_used, clippy::panic, reason = "a mistake in what a test says ends the actor, and the test")]

use pagecast::publication::{Blocked, Shape, State};
use pagecast::region::{MapOptions, Region, Source};
use pagecast::roster::{Byte, LockFile};
use pagecast::segment::Segment;
use pagecast::sync::RawMutex;
use pagecast::{Code, CreateOptions, Name, RawConsumer, RawPublisher, testing};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

type Answer = Result<Value, pagecast::Error>;

/// As good as for ever: whoever tests has a watchdog.
const PATIENCE: Duration = Duration::from_secs(3600);

fn main() {
    let directory = PathBuf::from(std::env::args().nth(1).expect("usage: actor DIRECTORY"));
    let mut actor = Actor { directory, name: None, publisher: None, consumers: Vec::new(), mutexes: Vec::new(), obstruction: None };
    say(&json!({ "event": "ready" }));
    for line in std::io::stdin().lines() {
        let line = line.expect("a line");
        let words: Vec<&str> = line.split(' ').collect();
        let steps = words[0].parse().ok().map(observe);
        let answer = actor.obey(words[1], &words[2..]);
        testing::observe_steps(None);
        let mut answer = answer.unwrap_or_else(|error| json!({ "event": "failed", "code": error.code().as_str() }));
        let facts = answer.as_object_mut().expect("facts");
        facts.entry("event").or_insert(json!("done"));
        if let Some(steps) = steps {
            facts.insert("steps".into(), json!(*steps.borrow()));
        }
        say(&answer);
    }
}

fn say(line: &Value) {
    println!("{line}");
}

/// Stops for ever before the step of that number.
fn observe(last: usize) -> Rc<RefCell<Vec<String>>> {
    let steps = Rc::new(RefCell::new(Vec::new()));
    let seen = steps.clone();
    testing::observe_steps(Some(Box::new(move |name| {
        if seen.borrow().len() == last {
            say(&json!({ "event": "stopped", "step": name }));
            loop {
                std::thread::park();
            }
        }
        seen.borrow_mut().push(name.to_owned());
    })));
    steps
}

struct Actor {
    directory: PathBuf,
    name: Option<Name>,
    publisher: Option<RawPublisher>,
    consumers: Vec<Option<RawConsumer>>,
    mutexes: Vec<Option<RawMutex>>,
    obstruction: Option<LockFile>,
}

impl Actor {
    fn obey(&mut self, verb: &str, arguments: &[&str]) -> Answer {
        let number = |at: usize| arguments[at].parse::<u32>().expect("a number");
        match verb {
            "on" => {
                self.name = Some(Name::new(arguments[0], Some(&self.directory))?);
                self.consumers.clear();
                self.mutexes.clear();
                Ok(json!({}))
            }
            "create" => self.create(number(0), number(1), number(2)),
            "close" => self.publisher().close(false).map(|()| json!({})),
            "write" => self.publisher().write(&value(number(0)), Some(PATIENCE)).map(|()| json!({})),
            "change" => self.begin(number(0)).and_then(|()| self.finish(number(0))),
            "begin" => self.begin(number(0)).map(|()| json!({})),
            "finish" => self.finish(number(0)),
            "abort" => self.begin(number(0)).and_then(|()| self.publisher().abort()).map(|()| json!({})),
            "obstruct" => self.obstruct(),
            "fork" => Ok(json!({ "child": testing::fork()? })),
            "open" => {
                self.consumers.push(Some(RawConsumer::open(self.name(), false)?));
                Ok(json!({ "consumer": self.consumers.len() - 1 }))
            }
            "await" => self.follow(number(0) as u8),
            "participate" => self.participate(),
            "acquire" | "release" | "leave" => self.take_part(verb, number(0) as usize),
            _ => self.consume(verb, number(0) as usize),
        }
    }

    fn consume(&mut self, verb: &str, at: usize) -> Answer {
        let consumer = self.consumers[at].as_mut().expect("a consumer that is not detached");
        match verb {
            "lock" => consumer.lock(PATIENCE).map(|_| json!({})),
            "unlock" => {
                consumer.unlock();
                Ok(json!({}))
            }
            "held" => {
                let mut bytes = [0; BYTES];
                consumer.get(0, &mut bytes)?;
                Ok(json!({ "value": whole(&bytes)? }))
            }
            "read" => {
                let pinned = consumer.lock(PATIENCE)?;
                let mut bytes = vec![0; pinned.observation.byte_length];
                let got = consumer.get(0, &mut bytes);
                consumer.unlock();
                got?;
                Ok(json!({ "value": whole(&bytes)?, "version": pinned.observation.version }))
            }
            "copy" => {
                let mut bytes = [0; BYTES];
                let observation = consumer.copy(&mut bytes, false)?.map_err(|blocked| blocked.error("copy", 0))?;
                Ok(json!({ "value": whole(&bytes[..observation.byte_length])? }))
            }
            "facts" => Ok(json!({ "epoch": consumer.epoch(), "alive": consumer.publisher_alive()? })),
            "detach" => {
                self.consumers[at] = None;
                Ok(json!({}))
            }
            verb => panic!("unknown verb {verb}"),
        }
    }

    /// Has a part in the mutex at the beginning of the file of that name.
    fn participate(&mut self) -> Answer {
        let region = Region::map(&MapOptions::new(Source::Shared(self.name().clone())))?;
        self.mutexes.push(Some(RawMutex::open(&region, 0)?));
        Ok(json!({ "participant": self.mutexes.len() - 1 }))
    }

    fn take_part(&mut self, verb: &str, at: usize) -> Answer {
        let mutex = self.mutexes[at].as_mut().expect("a participant that has not left");
        match verb {
            "acquire" => mutex.lock(PATIENCE).map(|locked| json!({ "recovered": locked.recovered })),
            "release" => mutex.unlock().map(|()| json!({})),
            _ => {
                self.mutexes[at] = None;
                Ok(json!({}))
            }
        }
    }

    /// As a stranger who may only read: nobody can become the publisher of what has the name now.
    fn obstruct(&mut self) -> Answer {
        let locks = LockFile::reopen(Segment::open(self.name(), true)?.file(), true)?;
        let shared = locks.try_share(Byte::Publisher)?;
        self.obstruction = Some(locks);
        Ok(json!({ "shared": shared }))
    }

    fn name(&self) -> &Name {
        self.name.as_ref().expect("a name")
    }

    fn publisher(&mut self) -> &mut RawPublisher {
        self.publisher.as_mut().expect("a publisher")
    }

    fn create(&mut self, buffers: u32, max_consumers: u32, capacity: u32) -> Answer {
        let shape = Shape { capacity: u64::from(capacity), buffers: Some(buffers), max_consumers: Some(max_consumers) };
        let publisher = RawPublisher::create(self.name(), None, &CreateOptions { shape, ..CreateOptions::default() })?;
        let adopted = publisher.adopted();
        self.publisher = Some(publisher);
        Ok(json!({ "adopted": adopted }))
    }

    /// Is half way through a value.
    fn begin(&mut self, number: u32) -> Result<(), pagecast::Error> {
        self.publisher().begin(Some(PATIENCE), true)?;
        self.publisher().put(0, &value(number)[..BYTES / 2])
    }

    fn finish(&mut self, number: u32) -> Answer {
        self.publisher().put(0, &value(number))?;
        self.publisher().commit(BYTES).map(|()| json!({}))
    }

    /// Sleeps, in a thread, until that value has come or the publication has ended.
    fn follow(&self, wanted: u8) -> Answer {
        let mut consumer = RawConsumer::open(self.name(), false)?;
        std::thread::spawn(move || say(&follow(&mut consumer, wanted).unwrap_or_else(|error| failed(&error))));
        Ok(json!({}))
    }
}

fn failed(error: &pagecast::Error) -> Value {
    json!({ "event": "woken", "code": error.code().as_str() })
}

fn follow(consumer: &mut RawConsumer, wanted: u8) -> Answer {
    let watcher = consumer.watcher();
    loop {
        let seen = consumer.state(); // before the look
        if consumer.lock_within(Duration::ZERO, true)?.is_ok() {
            let mut bytes = [0; BYTES];
            let got = consumer.get(0, &mut bytes);
            consumer.unlock();
            got?;
            if whole(&bytes)? == wanted {
                return Ok(json!({ "event": "woken", "value": wanted }));
            }
        }
        if seen.has(State::ENDED) {
            let blocked = if seen.has(State::REPLACED) { Blocked::Replaced } else { Blocked::Closed };
            return Err(blocked.error("await", 0));
        }
        watcher.sleep(seen, PATIENCE, u32::MAX)?;
    }
}

/// Bytes of a value.
const BYTES: usize = 64;

fn value(number: u32) -> [u8; BYTES] {
    [number as u8; BYTES]
}

fn whole(bytes: &[u8]) -> Result<u8, pagecast::Error> {
    match bytes {
        [first, rest @ ..] if *first != 0 && rest.iter().all(|byte| byte == first) => Ok(*first),
        _ => Err(pagecast::Error::new(Code::Corrupt, "a torn value")),
    }
}
