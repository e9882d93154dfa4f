// What the packets share: versions, QoS, and the brands that only parsers make.

/** Protocol level byte of CONNECT: 3 = MQTT 3.1, 4 = MQTT 3.1.1, 5 = MQTT 5.0. */
export type ProtocolVersion = 3 | 4 | 5;

export type QoS = 0 | 1 | 2;

declare const brand: unique symbol;

/** A topic name that passed `parseTopicName` (4.7): no wildcard, not empty, valid UTF-8. */
export type TopicName = string & { readonly [brand]: 'TopicName' };

/** A topic filter that passed `parseTopicFilter` (4.7.1); for a shared one, the whole `$share/NAME/FILTER`. */
export type TopicFilter = string & { readonly [brand]: 'TopicFilter' };
