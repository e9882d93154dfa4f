// Wills as tests write them.

import type { Properties, QoS, TopicName, Will } from '@motte/wire';

export interface WillFields {
  readonly qos?: QoS;
  readonly retain?: boolean;
  readonly properties?: Properties<'will'>;
}

export function will(topic: string, payload: string, fields: WillFields = {}): Will {
  const { qos = 0, retain = false, properties = {} } = fields;
  return { topic: topic as TopicName, payload: new TextEncoder().encode(payload), qos, retain, properties };
}
