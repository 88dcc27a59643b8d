use super::*;
use crate::region::MapOptions;

fn region() -> Region {
    Region::map(&MapOptions { byte_length: Some(4096), ..MapOptions::default() }).unwrap()
}

fn write_word(region: &Region, word: u32) {
    region.write_at(64, &word.to_ne_bytes()).unwrap();
}

/// Between the look at the word and the announcement, another process may write there who is nobody that could hold the mutex.
#[test]
fn what_cannot_hold_the_mutex_is_not_recovered_from_and_no_byte_is_let_go() {
    let region = region();
    let own = Participant::open(&region, 64).unwrap();
    let other = Participant::open(&region, 64).unwrap();
    assert_eq!((own.slot(), other.slot()), (0, 1));
    let numbers = [own.slot() + 1, MAX_SLOTS + 1, Owner::DIED - 1];
    for word in numbers.into_iter().flat_map(|number| [number, number | Owner::WAITERS, number | Owner::DIED]) {
        write_word(&region, word);
        assert_eq!(own.recover(Owner(word)).unwrap_err().code(), Code::Corrupt, "{word:#x}");
        assert_eq!(own.owner(), Owner(word), "the word stays as it is");
        assert!(other.is_alive(Owner(own.slot() + 1)), "{word:#x}: its byte is still held");
    }
    assert_eq!(own.recover(Owner(Owner::DIED)).unwrap(), None, "nobody holds it");
}

/// The same call with a holder that is gone, and with one that lives.
#[test]
fn who_is_gone_is_recovered_from_and_who_lives_is_not() {
    let region = region();
    let own = Participant::open(&region, 64).unwrap();
    let other = Participant::open(&region, 64).unwrap();
    let holder = Owner(other.slot() + 1);
    write_word(&region, holder.0);
    assert_eq!(own.recover(holder).unwrap(), None);
    other.leave();
    assert_eq!(own.recover(holder).unwrap(), Some(Locked { recovered: true }));
    assert_eq!(own.owner().number(), own.slot() + 1);
}
