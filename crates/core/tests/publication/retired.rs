//! What consumers of a segment get when another one takes its name.

use crate::common::{Directory, bytes};
use pagecast::publication::Blocked;
use pagecast::{CreateOptions, IfDead, RawConsumer, RawPublisher};

#[test]
fn a_value_torn_by_a_dead_publisher_is_not_handed_out_when_its_segment_is_replaced() {
    let directory = Directory::new();
    let name = directory.name("torn");
    let options = CreateOptions { init: Some(&[1; 16]), ..bytes(16, 1) };
    let mut first = RawPublisher::create(&name, None, &options).unwrap();
    let mut pinning = RawConsumer::open(&name, false).unwrap();
    let observing = RawConsumer::open(&name, true).unwrap();
    first.begin(None, false).unwrap();
    first.put(0, &[2; 8]).unwrap(); // half
    first.abandon(); // as a killed process would
    let _second = RawPublisher::create(&name, None, &CreateOptions { if_dead: IfDead::Replace, ..options }).unwrap();
    let mut target = [0; 16];
    assert_eq!(pinning.try_lock(true).unwrap().unwrap_err(), Blocked::Replaced);
    assert_eq!(observing.copy(&mut target, true).unwrap(), Err(Blocked::Replaced));
}
