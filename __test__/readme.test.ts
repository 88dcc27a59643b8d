import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import test from 'ava'
import { Child } from './helpers/child.js'
import { compile, examples, run, WATCHDOG } from './helpers/examples.js'

// Every TypeScript example of the documents is compiled with the published types and run. The Rust ones are doc tests of the core, by way of its own README.

test.serial('the examples of the README compile and run', async t => {
  t.timeout(120_000)
  const found = examples('README.md')
  t.true(found.length >= 3, 'the README has examples')
  const files = await compile('readme', found)
  const fileOf = (label: string): string => files[found.findIndex(example => example.label === label)] as string

  // The consumer is first, and waits: what the publisher makes is gone after a second, in which another process may not even have begun.
  const consumer = new Child(process.execPath, [fileOf('consumer')])
  t.teardown(() => consumer.end())
  await consumer.fallsAsleep()
  const publisher = spawn(process.execPath, [fileOf('publisher')], { stdio: 'inherit' })
  t.teardown(() => publisher.kill('SIGKILL'))
  for (let line = ''; !/field1: \d+/.test(line); line = await consumer.line());
  await consumer.succeeds()
  publisher.kill('SIGKILL')

  for (const [index, { label }] of found.entries()) {
    if (label !== '') continue
    const { stdout } = await run(process.execPath, [files[index] as string], WATCHDOG)
    t.true(stdout.length > 0, `example ${index} prints something`)
  }
  rmSync('/dev/shm/pose', { force: true })
})

test('the Rust examples of the README are those that the core runs', t => {
  const found = examples('README.md', 'rust')
  t.true(found.length > 0, 'the README has Rust examples')
  t.deepEqual(found, examples('crates/core/README.md', 'rust'))
})
