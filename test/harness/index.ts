// What tests import: a broker in memory and clients that say exactly what they are told to.

export { block, connectHeader, frame, joined, type Part, text, uint16, uint32, varint } from './bytes.ts';
export { duplexPair, settle, settleWith } from './duplex-pair.ts';
export { FakeClock, SeededRandom } from './fake-clock.ts';
export { listenOn } from './listen-on.ts';
export { bytesOf, type PacketOf, type PublishFields, RawClient, type SubscriptionFields } from './raw-client.ts';
export { ALLOW_ALL, accessOf, type TestAccess } from './rules.ts';
export { type ConnectFields, startTestBroker, TestBroker, type TestBrokerOptions } from './test-broker.ts';
export { type WillFields, will } from './will.ts';
