//! Publications without a name, which are joined by what a channel or a broker brings.

use crate::common::watchdog::bounded;
use crate::common::{Directory, code};
use crate::{LONG, memory};
use pagecast::broker::ConnectOptions;
use pagecast::{Broker, BrokerClient, BrokerOptions, Channel, Code, Consumer, Location, Publisher};
use std::os::fd::OwnedFd;

pagecast::record! {
    /// What is published here.
    pub struct Count {
        /// Changes with every value.
        pub number: i32,
    }
}

/// In memory without a name.
fn publish(number: i32) -> Publisher<Count> {
    Publisher::create_with(Location::Memory("count".into()), Some(&Count { number }), &pagecast::CreateOptions::default()).unwrap()
}

fn join(fd: OwnedFd) -> pagecast::Result<Consumer<Count>> {
    Consumer::open_at(Location::descriptor(fd), false)
}

#[test]
fn what_a_channel_and_a_broker_bring_leads_to_the_same_publication() {
    bounded(|_| {
        let directory = Directory::new();
        let broker = Broker::listen(&directory.path().join("broker"), &BrokerOptions::default()).unwrap();
        let connect = || BrokerClient::connect(broker.path(), &ConnectOptions::default(), LONG).unwrap();
        let (here, there) = Channel::pair().unwrap();
        let there = Channel::from_descriptor(there).unwrap();
        let mut publisher = publish(1);
        here.send(b"count", &[publisher.descriptor()], LONG).unwrap();
        let mut sharing = connect();
        sharing.share("count", publisher.descriptor(), false, LONG).unwrap();

        let [received] = there.receive(LONG).unwrap().unwrap().descriptors.try_into().unwrap();
        let found = connect().get("count", true, LONG).unwrap();
        let mut consumers = [received, found].map(|fd| join(fd).unwrap());
        for consumer in &mut consumers {
            assert_eq!(consumer.read().unwrap().number, 1);
        }
        publisher.write(&Count { number: 2 }).unwrap();
        for consumer in &mut consumers {
            let change = consumer.read_change().unwrap().map(|change| change.number);
            assert_eq!((change, consumer.raw().publisher_alive().unwrap()), (Some(2), true));
        }

        // what brought it is not what keeps it
        drop((here, there, sharing, broker));
        publisher.write(&Count { number: 3 }).unwrap();
        let from_consumer = consumers[0].descriptor().try_clone_to_owned().unwrap();
        assert_eq!(join(from_consumer).unwrap().read().unwrap().number, 3);
        publisher.close(false).unwrap();
        for consumer in &mut consumers {
            assert_eq!(consumer.read_change().unwrap().map(|change| change.number), Some(3), "the last one");
            assert_eq!(code(consumer.read()), Code::Closed);
        }
    });
}

#[test]
fn memory_that_a_channel_brings_and_is_no_publication_is_refused() {
    bounded(|_| {
        let (here, there) = Channel::pair().unwrap();
        let there = Channel::from_descriptor(there).unwrap();
        let region = memory(65_536, 1);
        here.send(b"", &[region.descriptor().unwrap()], LONG).unwrap();
        let [received] = there.receive(LONG).unwrap().unwrap().descriptors.try_into().unwrap();
        assert_eq!(code(join(received)), Code::NotASegment);
    });
}
