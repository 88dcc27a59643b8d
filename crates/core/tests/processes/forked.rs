//! A forked child has what its parent has, and is attached to none of it.

use crate::common::watchdog::bounded;
use crate::common::{Directory, bytes, code, pin, publish_bytes};
use crate::roles::SIZE;
use pagecast::testing::fork_and_check;
use pagecast::{Code, RawConsumer, RawPublisher};
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn a_forked_child_changes_nothing_of_its_parents() {
    bounded(|watch| {
        watch.stage("a child uses what it inherits");
        for count in [1, 2] {
            let directory = Directory::new();
            let name = directory.name("value");
            let mut publisher = Some(publish_bytes(&name, &[1; SIZE], count));
            let mut consumer = Some(RawConsumer::open(&name, false).unwrap());
            let state = publisher.as_ref().unwrap().state();
            let is_fine = fork_and_check(|| {
                let (mut publisher, mut consumer) = (publisher.take().unwrap(), consumer.take().unwrap());
                assert_eq!(code(publisher.write(&[2; SIZE], None)), Code::Disposed);
                assert_eq!(code(publisher.recover_dead()), Code::Disposed);
                assert_eq!(code(publisher.close(false)), Code::Disposed);
                assert_eq!(code(consumer.try_lock(false)), Code::Disposed);
                assert_eq!(code(consumer.ask_for_grace()), Code::Disposed);
                drop((publisher, consumer));
                RawConsumer::open(&name, false).unwrap().slot() == Some(1) // what it opens for itself is its own
            });
            assert!(is_fine.unwrap());
            let (mut publisher, mut consumer) = (publisher.unwrap(), consumer.unwrap());
            assert_eq!((publisher.state(), directory.files()), (state, vec!["value".to_owned()]));
            assert!(consumer.publisher_alive().unwrap());
            publisher.write(&[2; SIZE], None).unwrap();
            assert_eq!(pin(&mut consumer).observation.version, 2);
        }
    });
}

#[test]
fn a_forked_child_ends_neither_a_write_nor_a_read_of_its_parents() {
    bounded(|watch| {
        watch.stage("a child ends what its parent has begun");
        let directory = Directory::new();
        let name = directory.name("value");
        let mut publisher = publish_bytes(&name, &[1; SIZE], 2);
        let mut consumer = RawConsumer::open(&name, false).unwrap();
        pin(&mut consumer);
        publisher.begin(None, true).unwrap();
        let (state, holders) = (publisher.state(), publisher.holders());
        let is_fine = fork_and_check(|| {
            assert_eq!(code(publisher.put(0, &[9; SIZE])), Code::Disposed);
            assert_eq!(code(publisher.commit(SIZE)), Code::Disposed);
            assert_eq!(code(publisher.abort()), Code::Disposed);
            consumer.unlock();
            true
        });
        assert!(is_fine.unwrap());
        assert_eq!((publisher.state(), publisher.holders()), (state, holders));
        publisher.commit(SIZE).unwrap();
        consumer.unlock();
        pin(&mut consumer);
        let mut value = [0; SIZE];
        consumer.get(0, &mut value).unwrap();
        assert_eq!(value, [1; SIZE]);
    });
}

#[test]
fn a_child_that_is_forked_while_another_thread_maps_can_unmap_and_map() {
    bounded(|watch| {
        watch.stage("children drop what they inherit, and open for themselves");
        let directory = Directory::new();
        let name = directory.name("value");
        let _publisher = RawPublisher::create(&name, None, &bytes(SIZE as u64, 2)).unwrap();
        let mut observer = Some(RawConsumer::open(&name, true).unwrap());
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    RawConsumer::open(&name, true).unwrap();
                }
            });
            for _ in 0..200 {
                let is_fine = fork_and_check(|| {
                    drop(observer.take());
                    RawConsumer::open(&name, true).is_ok()
                });
                assert!(is_fine.unwrap());
            }
            is_over.store(true, Ordering::Relaxed);
        });
    });
}
