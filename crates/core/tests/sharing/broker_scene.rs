//! A broker, and who connects to it.

use crate::LONG;
use crate::common::Directory;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use pagecast::broker::{ConnectOptions, Limits};
use pagecast::{Broker, BrokerClient, BrokerOptions, Channel};

/// A broker in a directory of its own.
pub(crate) struct Scene {
    pub(crate) directory: Directory,
    pub(crate) broker: Broker,
}

impl Scene {
    pub(crate) fn new(limits: Limits) -> Scene {
        raise_descriptor_limit();
        let directory = Directory::new();
        let options = BrokerOptions { limits, ..BrokerOptions::default() };
        let broker = Broker::listen(&directory.path().join("broker"), &options).unwrap();
        Scene { directory, broker }
    }

    pub(crate) fn client(&self) -> BrokerClient {
        BrokerClient::connect(self.broker.path(), &ConnectOptions::default(), LONG).unwrap()
    }

    /// Somebody who does not keep to the form, and has been greeted.
    pub(crate) fn stranger(&self) -> Channel {
        let channel = Channel::connect(self.broker.path(), false, LONG).unwrap();
        assert!(channel.receive(LONG).unwrap().unwrap().bytes.starts_with(b"{\"broker\":1"));
        channel
    }
}

/// To all that there may be: the tests are threads of one process, and some send a broker more than the usual thousand between them.
fn raise_descriptor_limit() {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, most, most).unwrap();
}

pub(crate) fn names(client: &mut BrokerClient) -> Vec<String> {
    client.list(LONG).unwrap().into_iter().map(|entry| entry.name).collect()
}
