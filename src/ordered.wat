;; Loads and stores of a segment's 32-bit words, by their index; all of them sequentially consistent. See ordered.ts.
;; `npm run build:wasm` makes ordered-code.ts of this.
(module
  (import "segment" "memory" (memory 1))

  (func (export "load") (param $index i32) (result i32)
    (i32.atomic.load (i32.shl (local.get $index) (i32.const 2))))

  (func (export "store") (param $index i32) (param $value i32)
    (i32.atomic.store (i32.shl (local.get $index) (i32.const 2)) (local.get $value)))

  (func (export "storeThenLoad") (param $stored i32) (param $value i32) (param $loaded i32) (result i32)
    (i32.atomic.store (i32.shl (local.get $stored) (i32.const 2)) (local.get $value))
    (i32.atomic.load (i32.shl (local.get $loaded) (i32.const 2))))

  (func (export "any") (param $first i32) (param $stride i32) (param $count i32) (param $most i32) (param $value i32) (param $same i32)
    (result i32)
    (local $left i32)
    (local.set $left (i32.atomic.load (i32.shl (local.get $count) (i32.const 2))))
    (if (i32.gt_u (local.get $left) (local.get $most)) (then (local.set $left (local.get $most))))
    (loop $next
      (if (i32.eqz (local.get $left)) (then (return (i32.const 0))))
      (if (i32.eq (local.get $same) (i32.eq (local.get $value) (i32.atomic.load (i32.shl (local.get $first) (i32.const 2)))))
        (then (return (i32.const 1))))
      (local.set $first (i32.add (local.get $first) (local.get $stride)))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br $next))
    (unreachable)))
