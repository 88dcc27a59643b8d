// What a party may be: the program in Rust, or the one in TypeScript under some runtime.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Child } from '../helpers/child.js'

const built = fileURLToPath(new URL('../../', import.meta.url))
const program = fileURLToPath(new URL('party/main.js', import.meta.url))

export interface Runtime {
  readonly name: string
  readonly executable: string
}

export const rust: Runtime = { name: 'rust', executable: '' }

/** What a name ends in that stands for a runtime whose engine gives memory to WebAssembly and forbids its code. */
const ON_ATOMICS = '-atomics'
const forbidCode = ['--import', 'data:text/javascript,WebAssembly.Module=undefined']

/** As the library is released. */
export function start(runtime: Runtime): Child {
  return runtime === rust ? new Child(join(built, 'rust/party'), []) : startProgram(runtime, {})
}

/** Built with the feature `testing`, so that a control differs from its test in nothing but the switch. */
export function startForTesting(runtime: Runtime, env: NodeJS.ProcessEnv): Child {
  if (runtime === rust) return new Child(join(built, 'testing/party'), [], env)
  return startProgram(runtime, { ...env, NAPI_RS_NATIVE_LIBRARY_PATH: join(built, 'testing/pagecast.node') })
}

function startProgram({ name, executable }: Runtime, env: NodeJS.ProcessEnv): Child {
  return new Child(executable, name.endsWith(ON_ATOMICS) ? [...forbidCode, program] : [program], env, name)
}

export interface Pairing {
  readonly publisher: Runtime
  readonly consumer: Runtime
}

/** Each alone, each with Rust in both roles, and each with the next one; two of them only once. */
export function pairings(runtimes: readonly Runtime[]): Pairing[] {
  const withRust = runtimes.flatMap(runtime => [pair(runtime, runtime), pair(runtime, rust), pair(rust, runtime)])
  const around = runtimes.map((runtime, index) => pair(runtime, runtimes[(index + 1) % runtimes.length] as Runtime))
  return [pair(rust, rust), ...withRust, ...around.slice(0, runtimes.length > 2 ? runtimes.length : runtimes.length - 1)]
}

function pair(publisher: Runtime, consumer: Runtime): Pairing {
  return { publisher, consumer }
}
