//! The consuming side of a party.

use crate::bytes::BytesConsumer;
use crate::command::{Answer, Command, FOREVER};
use crate::value::{Missing, Part, Sample, Stranger, Told};
use pagecast::publication::{DEFAULT_TIMEOUT, State};
use pagecast::{Consumer, Name, RawConsumer};
use std::time::Duration;

pub enum Consuming {
    Bytes(BytesConsumer),
    Typed(Box<dyn Typed>),
}

/// A consumer of some record.
pub trait Typed {
    fn raw(&self) -> &RawConsumer;
    fn read(&mut self, timeout: Duration) -> pagecast::Result<String>;
    fn change(&mut self) -> pagecast::Result<Option<String>>;
    fn changed(&self) -> pagecast::Result<bool>;
    fn total(&self) -> pagecast::Result<u64>;
    fn staleness(&self) -> pagecast::Result<Option<Duration>>;
    fn next(&mut self, timeout: Duration) -> pagecast::Result<Option<String>>;
}

impl<T: Told> Typed for Consumer<T> {
    fn raw(&self) -> &RawConsumer {
        Consumer::raw(self)
    }

    fn read(&mut self, timeout: Duration) -> pagecast::Result<String> {
        self.set_timeout(timeout);
        Consumer::read(self).map(|value| value.told())
    }

    fn change(&mut self) -> pagecast::Result<Option<String>> {
        Ok(self.read_change()?.map(|value| value.told()))
    }

    fn changed(&self) -> pagecast::Result<bool> {
        self.has_changed()
    }

    fn total(&self) -> pagecast::Result<u64> {
        self.total_writes()
    }

    fn staleness(&self) -> pagecast::Result<Option<Duration>> {
        Consumer::staleness(self)
    }

    fn next(&mut self, timeout: Duration) -> pagecast::Result<Option<String>> {
        Ok(self.wait_for_change(timeout)?.map(|value| value.told()))
    }
}

impl Consuming {
    pub fn open(name: &Name, command: &Command<'_>) -> Answer<Consuming> {
        let raw = RawConsumer::open(name, command.has("readOnly"))?;
        Ok(match command.word(0)? {
            "bytes" => Consuming::Bytes(BytesConsumer::new(raw)),
            "sample" => Consuming::Typed(Box::new(Consumer::<Sample>::over(raw)?)),
            "part" => Consuming::Typed(Box::new(Consumer::<Part>::over(raw)?)),
            "stranger" => Consuming::Typed(Box::new(Consumer::<Stranger>::over(raw)?)),
            "missing" => Consuming::Typed(Box::new(Consumer::<Missing>::over(raw)?)),
            kind => return Err(format!("open {kind}").into()),
        })
    }

    fn raw(&self) -> &RawConsumer {
        match self {
            Consuming::Bytes(consumer) => consumer.raw(),
            Consuming::Typed(consumer) => consumer.raw(),
        }
    }

    pub fn obey(&mut self, command: &Command<'_>) -> Answer {
        Ok(match command.verb {
            "epoch" => self.raw().epoch().to_string(),
            "alive" => self.raw().publisher_alive()?.to_string(),
            "ended" => self.raw().state().has(State::ENDED).to_string(),
            "schema" => self.raw().schema()?.unwrap_or_else(|| "none".into()),
            _ => match self {
                Consuming::Bytes(consumer) => consumer.obey(command)?,
                Consuming::Typed(consumer) => typed(consumer.as_mut(), command)?,
            },
        })
    }
}

fn typed(consumer: &mut dyn Typed, command: &Command<'_>) -> Answer {
    Ok(match command.verb {
        "read" => consumer.read(command.timeout()?.unwrap_or(DEFAULT_TIMEOUT))?,
        "change" => consumer.change()?.unwrap_or_else(|| "none".into()),
        "changed" => consumer.changed()?.to_string(),
        "total" => consumer.total()?.to_string(),
        "next" => consumer.next(FOREVER)?.unwrap_or_else(|| "none".into()),
        "staleness" => consumer.staleness()?.map_or_else(|| "none".into(), |staleness| format!("{} ms", staleness.as_secs_f64() * 1e3)),
        _ => command.unknown()?,
    })
}
