import { checkBoolean, checkInteger, checkOptions, checkSignal, checkTimeout } from '../arguments.js'
import { ArgumentError, attempt, PagecastError } from '../errors.js'
import { NativeChannel, NativeListener, NativeParcel } from '../native.js'
import { checkPath } from '../region/checks.js'
import { Descriptor } from '../region/descriptor.js'
import { descriptorOf, type Shareable } from '../shareable.js'
import { sleep } from '../sleep.js'
import { delist, enlist } from './listening.js'
import { bytesOf, Message, numbersOf, type Parcel } from './message.js'
import { begin, Socket, type Wait } from './socket.js'

/** How {@link DescriptorChannel.send} and {@link DescriptorChannel.receive} wait. */
export interface ChannelWaitOptions {
  /** Milliseconds until `ERR_TIMEOUT`. Default: no end. */
  timeout?: number
  /** Ends the wait with `ERR_ABORTED`. */
  signal?: AbortSignal
}

/** How {@link DescriptorChannel.connect} connects. */
export interface ChannelConnectOptions extends ChannelWaitOptions {
  /** Milliseconds until `ERR_TIMEOUT`. Default: 5000. Finite; for as long as it takes, `Number.MAX_SAFE_INTEGER`. */
  timeout?: number
  /** Whether to wait until somebody listens. Default false: then it is `ERR_NOT_FOUND`. */
  wait?: boolean
}

/** How {@link DescriptorChannel.listen} makes the socket. */
export interface ListenOptions {
  /** Its permission bits, exactly these, whatever the umask: who may write may connect. Default `0o600`. */
  mode?: number
}

/** Who is at the other end, as the kernel says: SO_PEERCRED of unix(7). */
export interface Peer {
  /** Process id; 0 for one of another PID namespace. For people: it may be somebody else's by now. */
  readonly pid: number
  /** Effective user id. */
  readonly uid: number
  /** Effective group id. */
  readonly gid: number
}

/** Milliseconds from one attempt to connect to the next. */
export const RETRY = 10
/** Of what others answer: milliseconds. */
export const DEFAULT_TIMEOUT = 5000
/** `sun_path` of unix(7), without the NUL at its end. */
const LONGEST_PATH = 107

let channelOf: (native: NativeChannel) => DescriptorChannel

/**
 * One end of a connection to another process of this machine, which passes messages and descriptors: a socket of the Unix domain that keeps messages
 * apart (unix(7), `SOCK_SEQPACKET`, `SCM_RIGHTS`). Neither process needs to have started the other one.
 *
 * ```ts
 * const [here, there] = DescriptorChannel.pair()
 * using region = Region.map({ source: 'memfd', size: 65_536 })
 * await here.send({ bytes: Buffer.from('a region'), descriptors: [region] })
 *
 * using channel = DescriptorChannel.from(there.fd) // in a child: 3, if its `stdio` has it after the three
 * using message = await channel.receive()
 * using same = message?.descriptors[0]?.map()
 * ```
 *
 * After {@link DescriptorChannel.close} all but `closed` and `close` is `ERR_DISPOSED`. A channel that is forgotten is closed when it is collected. Linux only:
 * elsewhere `ERR_UNSUPPORTED`.
 */
export class DescriptorChannel {
  readonly #socket: Socket<NativeChannel>

  static {
    channelOf = native => new DescriptorChannel(native)
  }

  private constructor(native: NativeChannel) {
    this.#socket = new Socket(native)
  }

  /**
   * Listens at a path, at most 107 bytes long (bind(2)). Beside it there is a file `PATH.lock` meanwhile. A socket that nobody listens at any more, because its
   * process was killed, is replaced.
   *
   * @throws `ERR_ALREADY_EXISTS` if somebody listens there, or if something is there that is no socket; `ERR_INVALID_ARGUMENT`, `ERR_INVALID_NAME`,
   * `ERR_NOT_FOUND` if there is no such directory, `ERR_PERMISSION`, `ERR_TOO_MANY_FILES`.
   */
  static listen(path: string, options?: ListenOptions): DescriptorListener {
    const what = `listen at ${checkSocketPath('listen', path)}`
    const mode = checkInteger(what, 'mode', checkOptions(what, options, ['mode']).mode, 0, 0o777) ?? 0o600
    return new DescriptorListener(attempt(() => NativeListener.listen(path, mode)))
  }

  /**
   * Connects to whoever listens at a path (connect(2)).
   *
   * @throws `ERR_NOT_FOUND` if nobody does; `ERR_TIMEOUT`, `ERR_ABORTED`; `ERR_PERMISSION`; `ERR_BAD_MESSAGE` if it is a socket of another kind;
   * `ERR_INVALID_ARGUMENT`, `ERR_INVALID_NAME`, `ERR_TOO_MANY_FILES`.
   */
  static async connect(path: string, options?: ChannelConnectOptions): Promise<DescriptorChannel> {
    const what = `connect to ${checkSocketPath('connect', path)}`
    const given = checkOptions(what, options, ['timeout', 'signal', 'wait'])
    const wait = checkBoolean(what, 'wait', given.wait) ?? false
    const timeout = checkTimeout(what, given.timeout) ?? DEFAULT_TIMEOUT
    return new DescriptorChannel(await connected(path, wait, begin(what, { timeout, signal: checkSignal(what, given.signal) })))
  }

  /**
   * Two that are connected (socketpair(2)). The second one is for a child: give it its `fd` by `stdio`, and close it here then; there it is
   * {@link DescriptorChannel.from}.
   *
   * @throws `ERR_TOO_MANY_FILES`
   */
  static pair(): [DescriptorChannel, Descriptor] {
    const native = attempt(() => NativeChannel.pair())
    const other = attempt(() => native.takeOther())
    if (other === null) throw new PagecastError('ERR_SYSTEM', 'pair: there is no other end')
    return [new DescriptorChannel(native), new Descriptor(other, 'the other end of a pair')]
  }

  /**
   * A channel of a descriptor that was inherited or received. It is duplicated, so it stays the caller's: close it, or the other end does not see that this one is closed.
   *
   * @throws `ERR_INVALID_ARGUMENT` for what is no such socket; `ERR_TOO_MANY_FILES`.
   */
  static from(fd: Shareable): DescriptorChannel {
    const number = descriptorOf('channel', 'fd', fd)
    return new DescriptorChannel(attempt(() => NativeChannel.fromDescriptor(number)))
  }

  /** Who is at the other end, as it was when they connected or began to listen; of a pair, who made it. */
  get peer(): Peer {
    return this.#socket.call('peer', native => native.peer())
  }

  /**
   * Sends a message, whole (sendmsg(2)). It resolves once the system has it, not once it was read, and waits while the other end does not read
   * what is there already. Bytes and descriptors are copied by the call, before it waits.
   *
   * @throws `ERR_PEER_GONE` if nobody can read it; `ERR_INVALID_SIZE` if it is too long or has nothing; `ERR_INVALID_ARGUMENT`; `ERR_TIMEOUT`, `ERR_ABORTED`;
   * `ERR_TOO_MANY_FILES`.
   */
  async send(parcel: Parcel, options?: ChannelWaitOptions): Promise<void> {
    const { bytes, descriptors } = checkOptions<Parcel>('send', parcel, ['bytes', 'descriptors'])
    const wait = waitOf('send', options)
    const [content, numbers] = [bytesOf('send', bytes), numbersOf('send', descriptors)]
    this.#socket.call('send', () => {})
    const native = attempt(() => NativeParcel.pack(content, numbers))
    try {
      await this.#socket.until('send', true, wait, 'and the other end does not read', channel => channel.trySend(native) || undefined)
    } finally {
      native.close()
    }
  }

  /**
   * Waits for a message (recvmsg(2)). `undefined`: the other end is closed, or its process gone, and all it sent was received.
   *
   * @throws `ERR_BAD_MESSAGE` for one that is too long, or has more descriptors than 16 or than this process may open, or has nothing: it is dropped, and its
   * descriptors are closed; the next one can be received. `ERR_TIMEOUT`, `ERR_ABORTED`, `ERR_INVALID_ARGUMENT`.
   */
  async receive(options?: ChannelWaitOptions): Promise<Message | undefined> {
    const wait = waitOf('receive', options)
    const found = await this.#socket.until('receive', false, wait, 'and nothing came', native => native.tryReceive() ?? undefined)
    return found.isEnd ? undefined : new Message(found, 'a message')
  }

  /** Whether it was closed. */
  get closed(): boolean {
    return this.#socket.isClosed
  }

  /** Closes it: the other end receives what was sent, and then the end. Who waits gets `ERR_DISPOSED`. Twice is once. */
  close(): void {
    this.#socket.close()
  }

  /** As {@link DescriptorChannel.close}. */
  [Symbol.dispose](): void {
    this.close()
  }
}

/** Whom others connect to, until it is closed, or its process or worker ends, also when it is forgotten. */
export class DescriptorListener {
  readonly #socket: Socket<NativeListener>

  /** @internal */
  constructor(native: NativeListener) {
    this.#socket = new Socket(native)
    enlist(this)
  }

  /** Where it listens: an absolute path. */
  get path(): string {
    return this.#socket.call('path', native => native.path())
  }

  /**
   * Waits until somebody connects (accept(2)).
   *
   * @throws `ERR_TIMEOUT`, `ERR_ABORTED`, `ERR_INVALID_ARGUMENT`, `ERR_TOO_MANY_FILES`.
   */
  async accept(options?: ChannelWaitOptions): Promise<DescriptorChannel> {
    const wait = waitOf('accept', options)
    const missing = 'and nobody connected'
    return channelOf(await this.#socket.until('accept', false, wait, missing, native => native.tryAccept() ?? undefined))
  }

  /** Whether it was closed. */
  get closed(): boolean {
    return this.#socket.isClosed
  }

  /** Listens no longer, and takes the path away. Who is connected stays connected. Who waits gets `ERR_DISPOSED`. Twice is once. */
  close(): void {
    delist(this)
    this.#socket.close()
  }

  /** As {@link DescriptorListener.close}. */
  [Symbol.dispose](): void {
    this.close()
  }
}

function waitOf(what: string, options: ChannelWaitOptions | undefined): Wait {
  const given = checkOptions(what, options, ['timeout', 'signal'])
  const timeout = checkTimeout(what, given.timeout) ?? Number.POSITIVE_INFINITY
  return begin(what, { timeout, signal: checkSignal(what, given.signal) })
}

/** The path of a socket. */
export function checkSocketPath(operation: string, path: unknown): string {
  const checked = checkPath(operation, 'path', path)
  const bytes = Buffer.byteLength(checked)
  if (bytes <= LONGEST_PATH) return checked
  throw new ArgumentError('ERR_INVALID_NAME', `${operation}: the path has ${bytes} bytes, a socket's at most ${LONGEST_PATH}`)
}

/** Connects; with `isPatient` it waits until somebody listens. */
export async function connected(path: string, isPatient: boolean, wait: Wait): Promise<NativeChannel> {
  for (;;) {
    const outcome = tryConnect(path, isPatient)
    if (outcome instanceof NativeChannel) return outcome
    await sleep({ ms: Math.min(RETRY, wait.left(`the last attempt: ${outcome.message}`)), signal: wait.signal })
  }
}

function tryConnect(path: string, isPatient: boolean): NativeChannel | PagecastError {
  try {
    return attempt(() => NativeChannel.connect(path))
  } catch (error) {
    const isForNow = error instanceof PagecastError && (error.code === 'ERR_BUSY' || (isPatient && error.code === 'ERR_NOT_FOUND'))
    if (isForNow) return error
    throw error
  }
}
