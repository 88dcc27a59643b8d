#!/usr/bin/env bash
# The core's tests, those across processes included, under AddressSanitizer and ThreadSanitizer. On demand, not part of `.ci/run`: it
# installs a nightly toolchain with the standard library's source, builds both anew, and takes some minutes.
#
#   ci/san.sh [address|thread] [option of cargo test...]
set -euo pipefail
cd "$(dirname "$0")/.."

sanitizers=(address thread)
case "${1:-}" in
  address | thread) sanitizers=("$1") && shift ;;
esac

# Faults that end a process are for the tests to see, not for the sanitizers.
export ASAN_OPTIONS=handle_sigbus=0:handle_segv=0
export LSAN_OPTIONS="suppressions=$PWD/ci/lsan-suppressions:print_suppressions=0"
export TSAN_OPTIONS="handle_sigbus=0:handle_segv=0:suppressions=$PWD/ci/tsan-suppressions"

skipped=(
  # they build the examples, with the flags and without a target
  the_consumer_prints_what_the_publisher_publishes
  a_consumer_that_waits_in_vain_says_so
  # nothing comes of mlock(2)
  locked_pages_stay_in_memory
  what_is_asked_for_all_pages_is_asked_for_those_that_come_later
  # an address that no process can have is refused in other words, or replaced
  what_is_no_page_s_address_is_refused
  an_address_past_the_last_one_is_told_from_too_many_mappings
  # the sanitizer ends where it has no memory of its own
  without_room_for_a_copy_an_overlay_stays_and_can_still_end
)

target=$(rustc --print host-tuple)
rustup toolchain install nightly --profile minimal --component rust-src >/dev/null

for sanitizer in "${sanitizers[@]}"; do
  echo "== $sanitizer"
  # --lib and --tests: documentation examples are built without the flags.
  RUSTFLAGS="-Zsanitizer=$sanitizer" cargo +nightly test -Zbuild-std --target "$target" --target-dir "target/$sanitizer-sanitizer" \
    --package pagecast --features testing --lib --tests --no-fail-fast "$@" -- "${skipped[@]/#/--skip=}"
done
