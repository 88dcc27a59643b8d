//! One buffer: a publisher in a tight loop lets those in who wait for the lock, and waits for nobody who is gone.

use crate::cast::{consumer, mortal_consumer, publish};
use crate::model::{at_every_step, model};
use crate::segment::Segment;
use crate::value::Plain;
use pagecast::publication::State;

/// Whoever asked, and then still saw a write under way, gets the value of that very write and not a later one's.
#[test]
fn a_reader_that_waits_is_let_in_before_the_next_write() {
    model(3, || {
        let segment = Segment::<Plain>::new(1, 1);
        let reader = consumer(&segment, |consumer| {
            consumer.ask_for_grace();
            let index = consumer.lock().unwrap();
            let in_the_first = consumer.slept_on() == Some(State::NEW.next(1 | State::WRITING));
            assert!(!in_the_first || consumer.value(index) == 2, "let in after a later write");
            consumer.unlock();
        });
        publish(&segment, |publisher| {
            publisher.grant_grace();
            publisher.write_times(2);
        });
        reader.join().unwrap();
    });
}

#[test]
fn two_readers_that_wait() {
    model(1, || {
        let segment = Segment::<Plain>::new(1, 2);
        let readers = [(); 2].map(|()| {
            consumer(&segment, |consumer| {
                consumer.ask_for_grace();
                consumer.read().unwrap();
            })
        });
        publish(&segment, |publisher| {
            publisher.grant_grace();
            publisher.write_times(2);
        });
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
}

/// Its time is over before it got the lock: whoever held back for it goes on.
#[test]
fn a_reader_that_gives_up() {
    model(4, || {
        let segment = Segment::<Plain>::new(1, 1);
        let reader = consumer(&segment, |consumer| {
            consumer.ask_for_grace();
            consumer.try_lock_and_give_up();
        });
        publish(&segment, |publisher| {
            publisher.grant_grace();
            publisher.write_times(2);
        });
        reader.join().unwrap();
    });
}

/// Grace is for those who wait for the lock: one who waits for news only would be waited for in vain.
#[test]
fn nobody_waits_for_a_reader_that_waits_for_news() {
    model(3, || {
        let segment = Segment::<Plain>::new(1, 1);
        let reader = consumer(&segment, |consumer| {
            let mut last = 1;
            while last < 3 {
                last = consumer.read_newer(last).unwrap();
            }
        });
        publish(&segment, |publisher| {
            publisher.grant_grace();
            publisher.write_times(2);
        });
        reader.join().unwrap();
    });
}

#[test]
fn a_reader_that_dies_while_it_waits() {
    at_every_step(2, |steps| {
        let segment = Segment::<Plain>::new(1, 1);
        let reader = mortal_consumer(&segment, steps, |consumer| {
            consumer.ask_for_grace();
            consumer.read().unwrap();
        });
        publish(&segment, |publisher| {
            publisher.grant_grace();
            publisher.write_times(2);
        });
        reader.join().unwrap()
    });
}
