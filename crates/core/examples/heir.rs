//! A child that has shared memory without a name: a region as descriptor 3, a channel as descriptor 4, and what a broker knows.
//!
//! ```sh
//! heir BROKER NAME 3< region 4< channel
//! ```
//!
//! It adds one to the first byte of what it has as descriptor 3, of each region that the channel brings, and of what the broker has by that name. To
//! whoever is at the other end it sends, each time, how many these are by then; at last a region of its own, of that many bytes.

use pagecast::broker::{BrokerClient, ConnectOptions};
use pagecast::channel::{Channel, duplicate};
use pagecast::region::{MapOptions, Region, Source};
use std::error::Error;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

/// Longest that anything is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [broker, name] = arguments.as_slice() else { return Err("usage: heir BROKER NAME".into()) };
    let channel = Channel::from_descriptor(duplicate(4)?)?;

    add_one(duplicate(3)?)?;
    let mut client = BrokerClient::connect(Path::new(broker), &ConnectOptions { wait: true, ..Default::default() }, PATIENCE)?;
    add_one(client.get(name, true, PATIENCE)?)?;
    let mut count = 2;
    while let Some(message) = channel.receive(PATIENCE)? {
        if message.bytes == b"enough" {
            let own = Region::map(&MapOptions { byte_length: Some(count), ..MapOptions::new(Source::Memory("heir".into())) })?;
            channel.send(b"my own", &[own.descriptor()?], PATIENCE)?;
            client.share("of the heir", own.descriptor()?, true, PATIENCE)?;
            break;
        }
        for descriptor in message.descriptors {
            add_one(descriptor)?;
            count += 1;
        }
        channel.send(count.to_string().as_bytes(), &[], PATIENCE)?;
    }
    Ok(())
}

fn add_one(descriptor: OwnedFd) -> pagecast::Result<()> {
    let region = Region::map(&MapOptions::new(Source::Descriptor(descriptor)))?;
    let mut byte = [0];
    region.read_at(0, &mut byte)?;
    region.write_at(0, &[byte[0].wrapping_add(1)])
}
