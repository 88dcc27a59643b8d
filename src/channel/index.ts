export {
  type ChannelConnectOptions,
  type ChannelWaitOptions,
  DescriptorChannel,
  type DescriptorListener,
  type ListenOptions,
  type Peer,
} from './channel.js'
export type { Message, Parcel } from './message.js'
