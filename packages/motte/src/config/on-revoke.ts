// `identity.onRevoke` as the broker takes it: `keep`, `clear` or `publish TOPIC`.

import type { OnRevoke } from '@motte/broker/ports/config';

/** Parses the key's text, whose form the schema has checked; a string says what is wrong with it. Absent = keep. */
export function parseOnRevoke(text = 'keep'): OnRevoke | string {
  if (text === 'keep' || text === 'clear') return { kind: text };
  const topic = text.slice('publish '.length);
  if (topic.startsWith('$')) return `${topic}: topics that start with $ are the broker's own`;
  if (/[+#\p{Cc}]/u.test(topic)) return `${topic}: a topic has neither wildcards nor control characters`;
  if (Buffer.byteLength(topic) > TOPIC_BYTES_MAX) return `a topic of more than ${TOPIC_BYTES_MAX} bytes`;
  return { kind: 'publish', topic };
}

/** With room for names in place of `${device}`. */
const TOPIC_BYTES_MAX = 1024;
