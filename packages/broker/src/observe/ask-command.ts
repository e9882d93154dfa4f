// The command that asks about a refused right again, under the circumstances of the refusal. What a peer chose stands in it as one
// word of a shell, whatever it holds.

import type { RefusalRow } from '../ports/admin-view.ts';

export type Asked = Pick<RefusalRow, 'identity' | 'clientId' | 'packet' | 'topic' | 'listener' | 'address' | 'because'>;

/** `motte access check …`; undefined where the topic is not known as it was sent. */
export function askCommand(asked: Asked): string | undefined {
  const { identity, clientId, packet, topic, listener, address, because } = asked;
  // Cut or escaped for people it is another one.
  if (topic === '' || identity === '' || /…$|\\u\{/u.test(topic)) return undefined;
  const client = clientId.startsWith(`${identity}/`) && isPlain(clientId) ? clientId : identity;
  const qos = /this is QoS ([12])/.exec(because)?.[1];
  const options = [
    ...(qos === undefined ? [] : [`--qos ${qos}`]),
    ...(because.includes('only without RETAIN') || because.includes('and without RETAIN') ? ['--retain'] : []),
    `--via ${word(listener)}`,
    ...(address === '' ? [] : [`--from ${word(address)}`]),
    '--explain',
  ];
  const action = packet === 'subscribe' ? 'subscribe' : 'publish';
  const question = `${word(client)} ${action} ${word(topic)}`;
  // What begins with a dash is an option, unless two of them stand before it.
  if (topic.startsWith('-')) return `motte access check ${options.join(' ')} -- ${question}`;
  return `motte access check ${question} ${options.join(' ')}`;
}

function word(text: string): string {
  return isPlain(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function isPlain(text: string): boolean {
  return /^[\w./:@%+=,-]+$/.test(text);
}
