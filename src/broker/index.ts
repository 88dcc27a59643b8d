export { Broker } from './broker.js'
export type { BrokerClient } from './broker-client.js'
export type {
  AllocateOptions,
  BrokerCallOptions,
  BrokerConnectOptions,
  BrokerEntry,
  BrokerOptions,
  GetOptions,
  ShareOptions,
} from './broker-options.js'
