import { checkBoolean, checkName, checkOptions, checkSignal, checkTimeout, invalid } from '../arguments.js'
import { connected, DEFAULT_TIMEOUT, RETRY } from '../channel/channel.js'
import { Message } from '../channel/message.js'
import { begin, Socket, type Wait } from '../channel/socket.js'
import { ChannelError, PagecastError, SegmentError } from '../errors.js'
import { type NativeChannel, NativeParcel } from '../native.js'
import type { Descriptor } from '../region/descriptor.js'
import { Region } from '../region/region.js'
import { descriptorOf, type Shareable } from '../shareable.js'
import { Bell, sleep, turn } from '../sleep.js'
import type { AllocateOptions, BrokerCallOptions, BrokerConnectOptions, BrokerEntry, GetOptions, ShareOptions } from './broker-options.js'
import { checkUsers } from './broker-options.js'
import { badMessage, parse, refusalIn, VERSION } from './replies.js'

/** Of a memfd's label at most 249 bytes fit, and a character has at most 4. */
const LABEL = 60
/** What is missing when the time is over, mostly. */
const SILENT = 'and the broker did not answer'
/** Most messages that are heard before the event loop has its turn, and the time is asked. */
const TURN = 16

interface Answer {
  readonly said: Record<string, unknown>
  readonly descriptors: readonly Descriptor[]
}

/** A call that was sent, and its answer once that is there. */
interface Call {
  answer?: Answer
}

/** What one says to a broker: see `broker/mod.rs`. */
interface Request {
  readonly call: 'share' | 'get' | 'free' | 'list'
  readonly [argument: string]: unknown
}

/**
 * A connection to a {@link Broker}. What it allocated and shared is its own: closed, or when its process or worker ends in whatever way, its names go, but for those that are
 * kept; who has their memory mapped keeps that.
 *
 * Every call is `ERR_BROKER_GONE` once the broker is gone, and regions stay what they are. A new broker knows no names: connect again, and
 * {@link BrokerClient.share} what you hold. A client that is forgotten is closed when it is collected.
 */
export class BrokerClient {
  readonly #socket: Socket<NativeChannel>
  readonly #calls = new Map<number, Call>()
  /** Rings when one call found the answers of others. */
  readonly #news = new Bell()
  #last = 0
  #isGone = false

  /** @internal */
  static async connect(path: string, options: BrokerConnectOptions | undefined): Promise<BrokerClient> {
    const what = `connect to ${path}`
    const given = checkOptions(what, options, ['timeout', 'signal', 'wait', 'uids'])
    const isPatient = checkBoolean(what, 'wait', given.wait) ?? false
    const trusted = checkUsers(what, given.uids)
    const wait = begin(what, { timeout: checkTimeout(what, given.timeout) ?? DEFAULT_TIMEOUT, signal: checkSignal(what, given.signal) })
    for (;;) {
      const socket = new Socket(await connected(path, isPatient, wait))
      try {
        await greet(what, socket, trusted, wait)
        return new BrokerClient(socket)
      } catch (error) {
        socket.close()
        // one that is just being killed accepts still
        if (!isPatient || !hasCode(error, 'ERR_BROKER_GONE')) throw error
      }
      await sleep({ ms: Math.min(RETRY, wait.left('the last one was gone before it greeted')), signal: wait.signal })
    }
  }

  private constructor(socket: Socket<NativeChannel>) {
    this.#socket = socket
  }

  /**
   * Makes shared memory under a name, and maps it: a memfd that is sealed against shrinking and growing. Its memory is this process's, as the kernel counts it.
   * Who waits for the name gets it at once, full of zeros: what is to be found complete is filled first, and then given to {@link BrokerClient.share}.
   *
   * @throws `ERR_ALREADY_EXISTS`; `ERR_BROKER_LIMIT`; `ERR_INVALID_NAME` for what could not be a file's name; `ERR_BROKER_GONE`, `ERR_TIMEOUT`, `ERR_ABORTED`, and what
   * {@link Region.map} throws. Then nothing is left of it.
   */
  async allocate(name: string, options: AllocateOptions): Promise<Region> {
    const what = `allocate ${checkName('allocate', name)}`
    if (typeof options !== 'object' || options === null) throw invalid(what, 'options', options, 'an object')
    const { keep, timeout, signal, ...map } = options
    const isKept = checkBoolean(what, 'keep', keep) ?? false
    const wait = waitOf(what, { timeout, signal })
    for (const key of ['source', 'access', 'sharing', 'offset'] as const)
      if (key in map) throw invalid(what, key, map[key as never], 'none')
    this.#check(what)
    const region = Region.map({ ...map, source: { memfd: [...name].slice(0, LABEL).join(''), seals: ['shrink', 'grow'] } })
    try {
      await this.#tell(what, { call: 'share', name, keep: isKept }, wait, [region.fd])
      return region
    } catch (error) {
      region.close()
      throw error
    }
  }

  /**
   * Gives shared memory that is there a name: that of a {@link Region} or of whatever else has a descriptor, or what one leads to. The broker has a descriptor of its own then.
   *
   * @throws `ERR_ALREADY_EXISTS`; `ERR_BROKER_LIMIT`; `ERR_INVALID_ARGUMENT` for what is in no filesystem of memory; `ERR_INVALID_NAME`; `ERR_BROKER_GONE`, `ERR_TIMEOUT`, `ERR_ABORTED`.
   */
  async share(name: string, shareable: Shareable, options?: ShareOptions): Promise<void> {
    const what = `share ${checkName('share', name)}`
    const given = checkOptions(what, options, ['keep', 'timeout', 'signal'])
    const keep = checkBoolean(what, 'keep', given.keep) ?? false
    const number = descriptorOf(what, 'what is shared', shareable)
    await this.#tell(what, { call: 'share', name, keep }, waitOf(what, given), [number])
  }

  /**
   * Maps what has the name: with `access: 'rw'` where that is possible, and `'r'` where a seal forbids it, unless the options say otherwise.
   *
   * @throws `ERR_NOT_FOUND` if nothing has; `ERR_INVALID_NAME`; `ERR_BROKER_LIMIT` if 64 calls of this client wait already; `ERR_BROKER_GONE`, `ERR_TIMEOUT`, `ERR_ABORTED`, and what
   * {@link Region.map} throws.
   */
  async get(name: string, options: GetOptions = {}): Promise<Region> {
    const what = `get ${checkName('get', name)}`
    if (typeof options !== 'object' || options === null) throw invalid(what, 'options', options, 'an object')
    const { wait: isPatient, timeout, signal, ...map } = options
    const wait = checkBoolean(what, 'wait', isPatient) ?? false
    if ('source' in map) throw invalid(what, 'source', map.source, 'none')
    const { descriptors } = await this.#call(what, { call: 'get', name, wait }, waitOf(what, { timeout, signal }))
    try {
      const [descriptor] = descriptors
      if (descriptor === undefined) throw badMessage(what, 'the answer has no descriptor')
      return Region.map({ ...map, source: descriptor })
    } finally {
      closeAll(descriptors)
    }
  }

  /**
   * Takes a name away. Who has the memory keeps it.
   *
   * @throws `ERR_NOT_FOUND`; `ERR_PERMISSION` if it is another client's that is there, and not kept; `ERR_INVALID_NAME`; `ERR_BROKER_GONE`, `ERR_TIMEOUT`, `ERR_ABORTED`.
   */
  async free(name: string, options?: BrokerCallOptions): Promise<void> {
    const what = `free ${checkName('free', name)}`
    await this.#tell(what, { call: 'free', name }, waitOf(what, checkOptions(what, options, ['timeout', 'signal'])))
  }

  /**
   * All names, in order.
   *
   * @throws `ERR_BROKER_GONE`, `ERR_TIMEOUT`, `ERR_ABORTED`, `ERR_INVALID_ARGUMENT`.
   */
  async list(options?: BrokerCallOptions): Promise<BrokerEntry[]> {
    const wait = waitOf('list', checkOptions('list', options, ['timeout', 'signal']))
    const all = new Map<string, BrokerEntry>()
    for (let after = ''; ; ) {
      const said = await this.#tell('list', { call: 'list', after }, wait)
      const before = all.size
      for (const entry of entriesOf(said.entries)) all.set(entry.name, entry)
      after = [...all.keys()].at(-1) ?? ''
      if (said.more !== true || all.size === before) return [...all.values()]
      wait.left('and the broker goes on')
      await turn()
    }
  }

  /** Whether it was closed. */
  get closed(): boolean {
    return this.#socket.isClosed
  }

  /** Ends the connection. Its names go, but for those that are kept; its regions stay. Who waits gets `ERR_DISPOSED`. Twice is once. */
  close(): void {
    this.#socket.close()
    this.#news.ring()
  }

  /** As {@link BrokerClient.close}. */
  [Symbol.dispose](): void {
    this.close()
  }

  #check(what: string): void {
    this.#socket.call(what, () => {})
    if (this.#isGone) throw gone(what)
  }

  /** As {@link BrokerClient.#call}, of an answer that is to have no descriptors. */
  async #tell(what: string, request: Request, wait: Wait, numbers: readonly number[] = []): Promise<Record<string, unknown>> {
    const { said, descriptors } = await this.#call(what, request, wait, numbers)
    closeAll(descriptors)
    return said
  }

  /** Asks, and waits for the answer, whose descriptors are the caller's to close. */
  async #call(what: string, request: Request, wait: Wait, numbers: readonly number[] = []): Promise<Answer> {
    this.#check(what)
    const id = ++this.#last
    const call: Call = {}
    this.#calls.set(id, call)
    try {
      await this.#send(what, { id, ...request }, wait, numbers)
      const answer = await (request.wait === true ? this.#arrival(what, call, wait) : this.#answerTo(what, call, wait))
      const refusal = refusalIn(what, answer.said)
      if (refusal === undefined) return answer
      throw refusal
    } catch (error) {
      if (call.answer === undefined) this.#cancel(id)
      else closeAll(call.answer.descriptors)
      throw error
    } finally {
      this.#calls.delete(id)
    }
  }

  /** A broker that lets one wait is silent, as one is that does not answer. Another call, for a name that nothing can have, tells which it is. */
  async #arrival(what: string, call: Call, wait: Wait): Promise<Answer> {
    const id = ++this.#last
    const other: Call = {}
    this.#calls.set(id, other)
    try {
      this.#mention({ id, call: 'get', name: '' })
      return await this.#answerTo(what, call, wait, () => (other.answer === undefined ? SILENT : 'and nobody gave it that name'))
    } finally {
      this.#calls.delete(id)
      closeAll(other.answer?.descriptors ?? [])
    }
  }

  async #answerTo(what: string, call: Call, wait: Wait, missing = () => SILENT): Promise<Answer> {
    for (;;) {
      const isMoreThere = this.#hear(what, call)
      if (call.answer !== undefined) return call.answer
      this.#check(what)
      const ms = wait.left(missing())
      // it may talk of other things for ever
      if (isMoreThere) await turn()
      else await sleep({ ms, signal: wait.signal }, this.#socket.ready(false), this.#news.subscribe)
    }
  }

  async #send(what: string, request: object, wait: Wait, numbers: readonly number[]): Promise<void> {
    const parcel = this.#socket.call(what, () => NativeParcel.pack(Buffer.from(JSON.stringify(request)), [...numbers]))
    try {
      await this.#socket.until(what, true, wait, 'and the broker does not read', native => native.trySend(parcel) || undefined)
    } catch (error) {
      throw hasCode(error, 'ERR_PEER_GONE') ? gone(what, error) : error
    } finally {
      parcel.close()
    }
  }

  /** Gives the answers that are there to whoever waits for them, until this call has its own, or the others their turn. Whether more may be there. */
  #hear(what: string, call: Call): boolean {
    for (let heard = 0; heard < TURN; heard++) {
      if (call.answer !== undefined) return true
      const found = this.#socket.call(what, native => native.tryReceive())
      if (found === null) return false
      if (found.isEnd) this.#isGone = true
      else this.#deliver(what, new Message(found, what))
      this.#news.ring()
      if (this.#isGone) return false
    }
    return true
  }

  #deliver(what: string, message: Message): void {
    const said = parsed(what, message)
    const call = this.#calls.get(said.id as number)
    if (call === undefined || call.answer !== undefined) message.close()
    else call.answer = { said, descriptors: message.descriptors }
  }

  /** Nobody waits for the answer: what the call began is to be undone. */
  #cancel(id: number): void {
    if (!this.#isGone && !this.closed) this.#mention({ id, call: 'cancel' })
  }

  /** Says something of which nothing depends on its being heard. */
  #mention(request: object): void {
    try {
      const parcel = NativeParcel.pack(Buffer.from(JSON.stringify(request)), [])
      this.#socket.call('mention', native => native.trySend(parcel))
    } catch {
      // whatever it is, the next call will tell
    }
  }
}

async function greet(what: string, socket: Socket<NativeChannel>, trusted: readonly number[], wait: Wait): Promise<void> {
  const { uid } = socket.call(what, native => native.peer())
  if (![0, process.geteuid?.(), ...trusted].includes(uid)) {
    throw new SegmentError('ERR_PERMISSION', `${what}: its broker is user ${uid}, none of those that are trusted`)
  }
  const found = await socket.until(what, false, wait, 'and the broker did not greet', native => native.tryReceive() ?? undefined)
  if (found.isEnd) throw gone(what)
  using message = new Message(found, what)
  const said = parse(what, message.bytes)
  const refusal = refusalIn(what, said)
  if (refusal !== undefined) throw refusal
  if (typeof said.broker !== 'number') throw badMessage(what, 'not what a broker says')
  if (said.broker !== VERSION) throw badMessage(what, `a broker of version ${said.broker}, expected ${VERSION}`)
}

function closeAll(descriptors: readonly Descriptor[]): void {
  for (const descriptor of descriptors) descriptor.close()
}

/** What it says; what makes no sense is closed. */
function parsed(what: string, message: Message): Record<string, unknown> {
  try {
    return parse(what, message.bytes)
  } catch (error) {
    message.close()
    throw error
  }
}

function waitOf(what: string, { timeout, signal }: BrokerCallOptions): Wait {
  return begin(what, { timeout: checkTimeout(what, timeout) ?? DEFAULT_TIMEOUT, signal: checkSignal(what, signal) })
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof PagecastError && error.code === code
}

function gone(what: string, cause?: unknown): ChannelError {
  return new ChannelError('ERR_BROKER_GONE', `${what}: the broker is gone, or ended the connection`, { cause })
}

/** Those that have the form of one. */
function entriesOf(entries: unknown): BrokerEntry[] {
  if (!Array.isArray(entries)) throw badMessage('list', 'the answer has no entries')
  return entries.map((entry: Record<string, unknown> | null) => {
    const { name, byteLength, pid, keep } = entry ?? {}
    if (typeof name !== 'string' || typeof byteLength !== 'number' || typeof keep !== 'boolean') {
      throw badMessage('list', 'an entry without its name, length or owner')
    }
    return { name, byteLength, keep, pid: typeof pid === 'number' ? pid : undefined }
  })
}
