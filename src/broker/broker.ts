import { checkBoolean } from '../arguments.js'
import { checkSocketPath } from '../channel/channel.js'
import { delist, enlist } from '../channel/listening.js'
import { attempt } from '../errors.js'
import { hold, release } from '../keep-alive.js'
import { NativeBroker } from '../native.js'
import { BrokerClient } from './broker-client.js'
import { type BrokerConnectOptions, type BrokerOptions, brokerOptionsOf } from './broker-options.js'

/**
 * Keeps objects of shared memory by name, for other processes to get: a thread of this process, which serves at a socket (unix(7)) whatever JavaScript does.
 *
 * ```ts
 * using broker = Broker.listen('/run/user/1000/rig.sock')
 * using client = await Broker.connect('/run/user/1000/rig.sock') // in any process
 * using region = await client.allocate('frames', { size: 1 << 20 })
 * using other = await Broker.connect('/run/user/1000/rig.sock') // in any other one
 * using same = await other.get('frames')
 * ```
 *
 * Only the same user and root may connect. What a client allocated goes when the client does, in whatever way: the kernel says so. If the broker goes, regions stay
 * what they are. It serves until it is closed, or its process or worker ends, also when it is forgotten. Linux only: elsewhere `ERR_UNSUPPORTED`.
 */
export class Broker {
  /** Where it listens: an absolute path. */
  readonly path: string
  readonly #native: NativeBroker
  #isClosed = false
  #isRef = false

  /**
   * Serves at a path of at most 107 bytes (bind(2)). Beside it there is a file `PATH.lock` meanwhile. What a broker left that was killed is replaced.
   *
   * @throws `ERR_ALREADY_EXISTS` if somebody listens there, which a broker that is being killed does until the system has closed what it had open, or if something is
   * there that is no socket; `ERR_INVALID_ARGUMENT`, `ERR_INVALID_NAME`, `ERR_NOT_FOUND` if there is no such directory, `ERR_PERMISSION`, `ERR_TOO_MANY_FILES`.
   */
  static listen(path: string, options?: BrokerOptions): Broker {
    const what = `listen at ${checkSocketPath('listen', path)}`
    const checked = brokerOptionsOf(what, options)
    const ref = checkBoolean(what, 'ref', options?.ref) ?? false
    const broker = new Broker(attempt(() => NativeBroker.listen(path, checked)))
    enlist(broker)
    return ref ? broker.ref() : broker
  }

  /**
   * Connects to the broker that serves at a path.
   *
   * @throws `ERR_NOT_FOUND` if nobody listens; `ERR_PERMISSION` if this user may not, or the broker's is not trusted; `ERR_BROKER_LIMIT` if there are too many clients;
   * `ERR_BAD_MESSAGE` if what listens is no broker; `ERR_BROKER_GONE`, `ERR_TIMEOUT`, `ERR_ABORTED`, `ERR_INVALID_ARGUMENT`, `ERR_INVALID_NAME`, `ERR_TOO_MANY_FILES`.
   */
  static async connect(path: string, options?: BrokerConnectOptions): Promise<BrokerClient> {
    return await BrokerClient.connect(checkSocketPath('connect', path), options)
  }

  private constructor(native: NativeBroker) {
    this.#native = native
    this.path = attempt(() => native.path())
  }

  /** From now on it keeps the process alive. Twice is once. */
  ref(): this {
    if (!this.#isRef && !this.#isClosed) {
      this.#isRef = true
      hold()
    }
    return this
  }

  /** From now on it does not keep the process alive, as it does not unless asked. Twice is once. */
  unref(): this {
    if (this.#isRef) {
      this.#isRef = false
      release()
    }
    return this
  }

  /** Whether it was closed. */
  get closed(): boolean {
    return this.#isClosed
  }

  /** Serves no longer, and takes the path away. The next call of each client is `ERR_BROKER_GONE`; their regions stay. Twice is once. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    delist(this)
    this.unref()
    attempt(() => this.#native.close())
  }

  /** As {@link Broker.close}. */
  [Symbol.dispose](): void {
    this.close()
  }
}
