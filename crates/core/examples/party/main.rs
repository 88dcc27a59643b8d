//! A party of the conformance suite: it does what it is told, a command a line, and answers each with a line.
//!
//! `__test__/conformance/README.md` describes the language; the party in TypeScript beside it speaks the same one.

mod bytes;
mod command;
mod consumer;
mod publisher;
mod race;
mod value;

use command::{Answer, Command, FOREVER};
use consumer::Consuming;
use pagecast::Name;
use publisher::Publishing;
use std::path::PathBuf;
use value::Sample;

/// At most one publisher and one consumer, and where their names are.
#[derive(Default)]
struct Party {
    directory: PathBuf,
    publisher: Option<Publishing>,
    consumer: Option<Consuming>,
}

fn main() -> std::io::Result<()> {
    let mut party = Party::default();
    for line in std::io::stdin().lines() {
        let answer = party.obey(&Command::parse(&line?));
        println!("{}", answer.unwrap_or_else(|failure| told(failure.as_ref())));
    }
    Ok(())
}

/// An error of the library is answered as its code.
fn told(failure: &(dyn std::error::Error + 'static)) -> String {
    failure.downcast_ref::<pagecast::Error>().map_or_else(|| format!("failed: {failure}"), |error| error.code().as_str().to_owned())
}

impl Party {
    fn obey(&mut self, command: &Command<'_>) -> Answer {
        match command.verb {
            "in" => {
                self.directory = command.word(0)?.into();
                Ok("ok".into())
            }
            "create" => self.create(command),
            "open" => self.open(command),
            "close" => self.close(command),
            "rally" => self.rally(command),
            "reset" => {
                (self.consumer, self.publisher) = (None, None);
                Ok("ok".into())
            }
            _ => self.pass_on(command),
        }
    }

    fn name(&self, command: &Command<'_>) -> pagecast::Result<Name> {
        Name::new(command.option("name").unwrap_or("value"), Some(&self.directory))
    }

    fn create(&mut self, command: &Command<'_>) -> Answer {
        let publisher = Publishing::create(&self.name(command)?, command)?;
        let how = if publisher.raw().adopted() { "adopted" } else { "created" };
        self.publisher = Some(publisher);
        Ok(how.into())
    }

    fn open(&mut self, command: &Command<'_>) -> Answer {
        self.consumer = Some(Consuming::open(&self.name(command)?, command)?);
        Ok("opened".into())
    }

    /// The consumer, where there is one. A closed publisher of bytes stays, to be asked what it does then.
    fn close(&mut self, command: &Command<'_>) -> Answer {
        if self.consumer.take().is_none() {
            match self.publisher.take().ok_or("there is nothing to close")? {
                Publishing::Sample(publisher) => publisher.close(command.has("keep"))?,
                Publishing::Bytes(mut publisher) => {
                    publisher.close(command.has("keep"))?;
                    self.publisher = Some(Publishing::Bytes(publisher));
                }
            }
        }
        Ok("ok".into())
    }

    /// What asks the consumer, where there is one; else the publisher.
    fn pass_on(&mut self, command: &Command<'_>) -> Answer {
        if let Some(consumer) = &mut self.consumer {
            return consumer.obey(command);
        }
        let publisher = self.publisher.as_mut().ok_or("there is nobody to do that")?;
        publisher.obey(command)
    }

    /// Values go to and fro: each side waits for the other's before it writes the next.
    fn rally(&mut self, command: &Command<'_>) -> Answer {
        let (rounds, serves) = (command.number(0)?, command.has("serves"));
        let (Some(Publishing::Sample(publisher)), Some(Consuming::Typed(consumer))) = (&mut self.publisher, &mut self.consumer) else {
            return Err("a rally is of samples, with a publisher and a consumer".into());
        };
        for round in 1..=rounds {
            if serves {
                publisher.write(&Sample::new(round, 0))?;
            }
            let returned = consumer.next(FOREVER)?;
            if returned != Some(format!("{round} 0")) {
                return Err(format!("{returned:?} came in round {round}").into());
            }
            if !serves {
                publisher.write(&Sample::new(round, 0))?;
            }
        }
        Ok(format!("{rounds} rounds"))
    }
}
