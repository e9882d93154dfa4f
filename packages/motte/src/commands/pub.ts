// `motte pub TOPIC [MESSAGE]`: one message; QoS 1 and 2 wait for the broker's word.

import { readFileSync } from 'node:fs';
import { MotteError } from '@motte/admin/errors';
import { addConnectionOptions } from '../client/options.ts';
import type { CommandFile } from '../command.ts';

export const command: CommandFile = {
  configure: (command) => {
    addConnectionOptions(command);
    command
      .argument('<topic>', 'where to publish')
      .argument('[message]', 'the payload; standard input if it is -; empty if absent')
      .option('--retain', 'the broker keeps it for later subscribers');
  },
  async run(context, [topic = '', message], options) {
    const { MqttError } = await import('@motte/client');
    const { connectAs, qosOf } = await import('../client/connection.ts');
    await checkTopic(topic);
    const payload = message === '-' ? readFileSync(0) : Buffer.from(message ?? '');
    const qos = qosOf(options);
    const client = await connectAs(context, options);
    try {
      const { reason, code } = await client.publish(topic, payload, { qos, retain: options['retain'] === true });
      if (context.json) context.document({ format: 1, topic, bytes: payload.length, qos, reason, code });
      return 0;
    } catch (fault) {
      if (fault instanceof MqttError) throw new MotteError('MOT-0703', `${topic}: ${fault.message}`, { cause: fault });
      throw fault;
    } finally {
      await client.disconnect();
    }
  },
};

/** Before anybody is connected to. Throws MOT-0002. */
async function checkTopic(topic: string): Promise<void> {
  const { PeerError, parseTopicName } = await import('@motte/wire');
  try {
    parseTopicName(topic);
  } catch (fault) {
    if (!(fault instanceof PeerError)) throw fault;
    throw new MotteError('MOT-0002', `${JSON.stringify(topic.slice(0, TOPIC_SHOWN))}: ${fault.message}`, {
      remedy: 'publish to one topic, such as devices/pump-1/up/temperature; + and # are for `motte sub`',
      cause: fault,
    });
  }
}

const TOPIC_SHOWN = 80;
