//! The publishing side of a party.

use crate::command::{Answer, Command};
use crate::race;
use crate::value::Sample;
use pagecast::publication::{DEFAULT_TIMEOUT, Shape};
use pagecast::{CreateOptions, IfDead, Name, Publisher, RawPublisher};
use std::time::Duration;

pub enum Publishing {
    Bytes(RawPublisher),
    Sample(Publisher<Sample>),
}

impl Publishing {
    pub fn create(name: &Name, command: &Command<'_>) -> Answer<Publishing> {
        let capacity = command.number_option("bytes")?;
        let (buffers, max_consumers) = (command.number_option("buffers")?, command.number_option("consumers")?);
        let shape = Shape { capacity: capacity.unwrap_or_default(), buffers, max_consumers };
        let timeout = command.timeout()?.unwrap_or(DEFAULT_TIMEOUT);
        let options = CreateOptions { shape, if_dead: if_dead(command)?, timeout, ..CreateOptions::default() };
        let first = command.number_option("init")?;
        Ok(match capacity {
            None => {
                let first = first.map(|number| Sample::new(number, 0));
                Publishing::Sample(Publisher::create_with(name, first.as_ref(), &options)?)
            }
            Some(capacity) => {
                let first = first.map(|number| vec![number as u8; capacity as usize]);
                Publishing::Bytes(RawPublisher::create(name, None, &CreateOptions { init: first.as_deref(), ..options })?)
            }
        })
    }

    pub fn raw(&self) -> &RawPublisher {
        match self {
            Publishing::Bytes(publisher) => publisher,
            Publishing::Sample(publisher) => publisher.raw(),
        }
    }

    pub fn obey(&mut self, command: &Command<'_>) -> Answer {
        if command.verb == "total" {
            return Ok(self.raw().total_writes().to_string());
        }
        let timeout = command.timeout()?.or((self.raw().layout().buffer_count == 1).then_some(DEFAULT_TIMEOUT));
        match self {
            Publishing::Bytes(publisher) => bytes(publisher, timeout, command)?,
            Publishing::Sample(publisher) => {
                publisher.set_timeout(timeout);
                sample(publisher, command)?;
            }
        }
        Ok(match command.verb {
            "begin" | "put" | "abort" => "ok".into(),
            "race" => race::publish(self, command)?,
            _ => format!("version {}", self.raw().total_writes()),
        })
    }
}

fn if_dead(command: &Command<'_>) -> Answer<IfDead> {
    Ok(match command.option("ifDead") {
        None | Some("adopt") => IfDead::Adopt,
        Some("replace") => IfDead::Replace,
        Some("fail") => IfDead::Fail,
        Some(choice) => return Err(format!("ifDead={choice}").into()),
    })
}

fn bytes(publisher: &mut RawPublisher, timeout: Option<Duration>, command: &Command<'_>) -> Answer<()> {
    let capacity = publisher.layout().capacity as usize;
    let length = command.number_option("length")?.unwrap_or(capacity);
    match command.verb {
        "write" => publisher.write(&vec![command.number(0)? as u8; length], timeout)?,
        "begin" => drop(publisher.begin(timeout, !command.has("anew"))?),
        "put" => publisher.put(0, &vec![command.number(0)? as u8; length])?,
        "commit" => publisher.commit(length)?,
        "abort" => publisher.abort()?,
        "race" => {}
        _ => drop(command.unknown()?),
    }
    Ok(())
}

fn sample(publisher: &mut Publisher<Sample>, command: &Command<'_>) -> Answer<()> {
    match command.verb {
        "write" => publisher.write(&Sample::new(command.number(0)?, command.number_option("extra")?.unwrap_or_default()))?,
        "update" => {
            let extra = command.number(0)?;
            publisher.update(|value| value.extra = extra)?;
        }
        "edit" => {
            let mut lock = publisher.write_lock()?;
            *lock = Sample::new(command.number(0)?, lock.extra);
            if command.has("abort") { lock.abort()? } else { lock.publish()? }
        }
        _ => drop(command.unknown()?),
    }
    Ok(())
}
