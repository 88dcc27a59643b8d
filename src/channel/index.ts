export {
  type ChannelConnectOptions,
  type ChannelWaitOptions,
  DescriptorChannel,
  type DescriptorListener,
  type ListenOptions,
  type Peer,
} from './channel.js'
export type { Descriptor } from './descriptor.js'
export type { Message, Parcel, Shareable } from './message.js'
