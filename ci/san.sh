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
export TSAN_OPTIONS="handle_sigbus=0:handle_segv=0:suppressions=$PWD/ci/tsan-suppressions"

target=$(rustc --print host-tuple)
rustup toolchain install nightly --profile minimal --component rust-src >/dev/null

for sanitizer in "${sanitizers[@]}"; do
  echo "== $sanitizer"
  # --lib and --tests: documentation examples are built without the flags. The examples' own test builds them, without a target. The sanitizers
  # make nothing of mlock(2), and ThreadSanitizer puts a mapping at address 0 that was asked for where it has none.
  RUSTFLAGS="-Zsanitizer=$sanitizer" cargo +nightly test -Zbuild-std --target "$target" --target-dir "target/$sanitizer-sanitizer" \
    --package pagecast --features testing --lib --tests "$@" -- --skip the_consumer_prints_what_the_publisher_publishes \
    --skip locked_pages_stay_in_memory --skip what_is_no_page_s_address_is_refused
done
