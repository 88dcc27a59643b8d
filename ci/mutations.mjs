// What ci/mutate.mjs breaks besides the orderings, and why some mutants live.

/** Exact pieces of the source; each must be there once. */
export const structural = [
  {
    file: 'reader.rs',
    name: 'pin: no wake on the way back',
    find: 'self.unpin();\n            seen = now;',
    replace: 'self.slot.pin.store(0, Ordering::SeqCst);\n            seen = now;',
  },
  {
    file: 'reader.rs',
    name: 'pin: no confirming load',
    find: 'let now = State(state.load(Ordering::SeqCst));',
    replace: 'let now = seen;',
  },
  { file: 'reader.rs', name: 'pin: WRITING is not looked at', find: 'if !now.has(State::WRITING) && now.0', replace: 'if now.0' },
  { file: 'reader.rs', name: 'pin: the index is not compared', find: ' && now.0 & State::INDEX == seen.0 & State::INDEX {', replace: ' {' },
  {
    file: 'reader.rs',
    name: 'unpin: no wake',
    find: 'self.slot.pin.store(0, Ordering::SeqCst); // before the load in `wake_writer`\n        wake_writer(&self.words, &self.park);',
    replace: 'self.slot.pin.store(0, Ordering::SeqCst);',
  },
  {
    file: 'reader.rs',
    name: 'attach: the mark is not raised',
    find: 'self.words.control.high_water.fetch_max(number + 1, Ordering::SeqCst);',
    replace: 'let _ = number;',
  },
  {
    file: 'reader.rs',
    name: 'attach: a dead one’s pin is left',
    find: 'crate::roster::reset(self.slot);\n        self.unpin();',
    replace: '',
  },
  {
    file: 'reader.rs',
    name: 'end_grace: no wake',
    find: 'self.slot.lock_wait.store(0, Ordering::SeqCst); // before the load in `wake_writer`\n        wake_writer(&self.words, &self.park);',
    replace: 'self.slot.lock_wait.store(0, Ordering::SeqCst);',
  },
  { file: 'reader.rs', name: 'sleep: the flag is not raised', find: 'control.sleepers.store(1, Ordering::SeqCst);', replace: '' },
  { file: 'reader.rs', name: 'sleep: no second look', find: 'if control.state.load(Ordering::SeqCst) != seen.0 {', replace: 'if false {' },
  {
    file: 'reader.rs',
    name: 'sleep: on whatever the state is by then',
    find: 'if control.state.load(Ordering::SeqCst) != seen.0 {\n        return Woken::Changed;\n    }',
    replace: 'let seen = State(control.state.load(Ordering::SeqCst));',
  },
  { file: 'reader.rs', name: 'wake_writer: the word stays', find: 'waits.fetch_add(2, Ordering::Relaxed);', replace: '' },
  { file: 'reader.rs', name: 'wake_writer: no wake', find: 'park.wake_all(waits);', replace: 'let _ = park;' },
  {
    file: 'reader.rs',
    name: 'read_unpinned: no second look at the state',
    find: ' || state.load(Ordering::Relaxed) != seen.0 {',
    replace: ' {',
  },
  { file: 'reader.rs', name: 'read_unpinned: copies while it is written', find: 'if before & 1 != 0 || ', replace: 'if ' },
  {
    file: 'reader.rs',
    name: 'read_unpinned: no second look at the sequence',
    find: 'buffer.sequence.load(Ordering::Relaxed) == before',
    replace: 'true',
  },
  { file: 'writer.rs', name: 'choose: takes the current one', find: 'Some(*index) != current && ', replace: '' },
  { file: 'writer.rs', name: 'choose: takes pinned ones', find: ' && pinned & (1 << index) == 0', replace: '' },
  {
    file: 'writer.rs',
    name: 'wait_for: says nothing',
    find: 'let expected = waits.fetch_or(1, Ordering::SeqCst) | 1;',
    replace: 'let expected = waits.load(Ordering::SeqCst);',
  },
  { file: 'writer.rs', name: 'wait_for: no look after it said so', find: 'let mut found = look();', replace: 'let mut found = None;' },
  { file: 'writer.rs', name: 'shut_out_readers: does not', find: 'state.0 | State::WRITING, Ordering', replace: 'state.0, Ordering' },
  {
    file: 'writer.rs',
    name: 'begin: no mark',
    find: 'buffer.sequence.store(sequence | 1, Ordering::Relaxed);',
    replace: 'let _ = sequence;',
  },
  {
    file: 'writer.rs',
    name: 'publish: the flag goes down after the store',
    find: /* both statements, in the other order */ `if asked {
            control.sleepers.store(0, Ordering::Relaxed);
        }
        control.state.store(self.state().next(flags_and_index).0, Ordering::SeqCst);`,
    replace: `control.state.store(self.state().next(flags_and_index).0, Ordering::SeqCst);
        let asked = asked || control.sleepers.load(Ordering::SeqCst) != 0;
        if asked {
            control.sleepers.store(0, Ordering::Relaxed);
        }`,
  },
  {
    file: 'writer.rs',
    name: 'publish: no look at the flag after the store',
    find: ' || control.sleepers.load(Ordering::SeqCst) != 0',
    replace: '',
  },
  { file: 'writer.rs', name: 'publish: forgets that it lowered the flag', find: 'if asked || wake_always', replace: 'if wake_always' },
  { file: 'writer.rs', name: 'publish: wakes only who says so', find: 'if asked || wake_always ||', replace: 'if asked ||' },
  {
    file: 'writer.rs',
    name: 'publish: the same generation',
    find: 'self.state().next(flags_and_index).0,',
    replace: 'self.state().0 & !(State::GENERATION - 1) | flags_and_index,',
  },
  { file: 'writer.rs', name: 'recover_free: without the byte', find: 'bytes.try_hold_slot(number)? {', replace: 'true {' },
  {
    file: 'writer.rs',
    name: 'recover_free: lets go of the byte too early',
    find: 'self.recover(slot);\n                bytes.release_slot(number)?;',
    replace: 'bytes.release_slot(number)?;\n                self.recover(slot);',
  },
  { file: 'writer.rs', name: 'recover_free: keeps the byte', find: 'bytes.release_slot(number)?;', replace: '' },
  { file: 'writer.rs', name: 'recover: the pin stays', find: 'slot.pin.store(0, Ordering::SeqCst);', replace: '' },
  { file: 'writer.rs', name: 'succeed: recovers nobody', find: 'self.recover_free(bytes, |_| true)?;', replace: 'let _ = bytes;' },
  { file: 'writer.rs', name: 'take_over: believes a torn value', find: ' && !torn(index) =>', replace: ' && (!torn(index) || true) =>' },
  {
    file: 'writer.rs',
    name: 'give_up: calls it whole',
    find: 'if whole {\n            self.end(',
    replace: 'if true {\n            self.end(',
  },
  {
    file: 'writer.rs',
    name: 'retire: believes a torn value',
    find: 'self.publish(self.whole_or_empty() | State::REPLACED, true);',
    replace: 'self.publish((self.state().meaning() & !State::WRITING) | State::REPLACED, true);',
  },
  {
    file: 'writer.rs',
    name: 'take_over: wakes only who says so',
    find: 'self.publish(meaning, true);',
    replace: 'self.publish(meaning, false);',
  },
  { file: 'writer.rs', name: 'take_over: begins to count anew', find: '.max().unwrap_or(0);', replace: '.max().map_or(0, |_| 0);' },
  {
    file: 'mutex.rs',
    name: 'attach: what a dead one held stays',
    find: 'pub fn attach(&self) {\n        self.abandon();',
    replace: 'pub fn attach(&self) {',
  },
  {
    file: 'mutex.rs',
    name: 'try_lock: others sleep on',
    find: 'self.number | if woken { Owner::WAITERS } else { 0 };',
    replace: 'self.number | if woken { 0 } else { 0 };',
  },
  { file: 'mutex.rs', name: 'try_lock: says nothing of a death', find: 'recovered: seen.has(Owner::DIED)', replace: 'recovered: false' },
  { file: 'mutex.rs', name: 'announce: does not', find: 'Owner(seen.0 | Owner::WAITERS)', replace: 'seen' },
  {
    file: 'mutex.rs',
    name: 'announce: whatever the word is by then',
    find: 'exchange().is_ok()',
    replace: '{\n            owner.store(announced.0, Ordering::Relaxed);\n            true\n        }',
  },
  { file: 'mutex.rs', name: 'unlock: as one that died', find: 'self.leave(0)', replace: 'self.leave(Owner::DIED)' },
  { file: 'mutex.rs', name: 'abandon: as a release', find: 'self.leave(Owner::DIED)', replace: 'self.leave(0)' },
  { file: 'mutex.rs', name: 'leave: no wake', find: 'self.park.wake_one(&self.words.owner);', replace: '' },
  { file: 'mutex.rs', name: 'recover: without the byte', find: 'if !bytes.try_hold_slot(slot)? {', replace: 'if false {' },
  {
    file: 'mutex.rs',
    name: 'recover: lets go of the byte too early',
    find: /* both statements, in the other order */ `let taken = self.replace(dead.number(), self.number | Owner::WAITERS, Ordering::Relaxed);
        let released = bytes.release_slot(slot);`,
    replace: `let released = bytes.release_slot(slot);
        let taken = self.replace(dead.number(), self.number | Owner::WAITERS, Ordering::Relaxed);`,
  },
  {
    file: 'mutex.rs',
    name: 'recover: keeps the byte',
    find: 'let released = bytes.release_slot(slot);',
    replace: 'let released = Ok::<(), B::Error>(());',
  },
  { file: 'mutex.rs', name: 'recover: others sleep on', find: 'self.number | Owner::WAITERS, Ordering', replace: 'self.number, Ordering' },
  {
    file: 'mutex.rs',
    name: 'recover: says nothing of the death',
    find: 'Locked { recovered: true }',
    replace: 'Locked { recovered: false }',
  },
  {
    file: 'mutex.rs',
    name: 'replace: whoever holds it',
    find: 'if seen.number() != holder {',
    replace: 'if seen.number() == 0 {',
  },
  { file: 'range.rs', name: 'set: no mark', find: 'self.sequence.store(sequence.wrapping_add(1), Ordering::Relaxed);', replace: '' },
  { file: 'range.rs', name: 'set: the same number afterwards', find: 'sequence.wrapping_add(2)', replace: 'sequence' },
  { file: 'range.rs', name: 'find: while it changes', find: 'before & 1 == 0 && ', replace: '' },
  { file: 'range.rs', name: 'find: no second look', find: 'self.sequence.load(Ordering::Relaxed) == before', replace: 'true' },
]

/** Mutants that no scenario can notice, and why that is well. */
export const explanations = {
  'reader.rs read_unpinned: state.load Acquire → Relaxed':
    'this or the Release of `end` is enough, and RC11 says that without both a copy can be torn; also, a caller may sleep on the state in `Err`',
  'writer.rs end: sequence.store Release → Relaxed':
    'this or the Acquire of the state in `read_unpinned` is enough, and RC11 says that without both a copy can be torn',
  'writer.rs succeed: no SeqCst fence':
    'the byte goes from the dead one to the successor by a lock, of the kernel as of loom, and that orders as much; R10 does not rest on how the kernel locks',
  'writer.rs recover: pin.store SeqCst → Release':
    'the pin is stored and scanned by one thread, and the slot’s next owner comes by the byte; SeqCst because R4 asks it of every store of 0',
}
