// `motte sub FILTER...`: prints what comes, until --count, SIGINT, or the broker ends it.

import { MotteError } from '@motte/admin/errors';
import { printable } from '@motte/broker/printable';
import type { IncomingMessage } from '@motte/client';
import { addConnectionOptions } from '../client/options.ts';
import type { CommandFile } from '../command.ts';

export const command: CommandFile = {
  configure: (command) => {
    addConnectionOptions(command);
    command
      .argument('<filters...>', 'what to subscribe to')
      .option('--count <n>', 'end after so many messages')
      .option('--raw', 'payloads as they are, without topic');
  },
  async run(context, [given], options) {
    const { MqttError } = await import('@motte/client');
    const { connectAs, qosOf } = await import('../client/connection.ts');
    const filters = (Array.isArray(given) ? given : [given]) as string[];
    const count = options['count'] === undefined ? Number.POSITIVE_INFINITY : Number(options['count']);
    if (!(count >= 1)) throw new MotteError('MOT-0002', '--count takes a number from 1');
    let left = count;
    let enough = (): void => {};
    const done = new Promise<'enough'>((resolve) => {
      enough = () => resolve('enough');
    });
    const onMessage = (message: IncomingMessage): void => {
      if (left <= 0) return;
      left -= 1;
      if (context.json) process.stdout.write(`${JSON.stringify(documentOf(message))}\n`);
      else if (options['raw'] === true) process.stdout.write(message.payload);
      else context.say(`${printable(message.topic)} ${payloadText(message.payload)}`);
      if (left <= 0) enough();
    };
    const client = await connectAs(context, options, { onMessage });
    process.once('SIGINT', enough).once('SIGTERM', enough);
    try {
      await client.subscribe(filters.map((filter) => ({ filter, qos: qosOf(options) })));
      const how = await Promise.race([done, client.closed]);
      if (how !== 'enough') throw new MotteError('MOT-0702', `the connection ended: ${how.message}`);
      return 0;
    } catch (fault) {
      if (fault instanceof MqttError)
        throw new MotteError('MOT-0703', `${filters.join(' ')}: ${fault.message}`, { cause: fault });
      throw fault;
    } finally {
      process.off('SIGINT', enough).off('SIGTERM', enough);
      await client.disconnect();
    }
  },
};

function documentOf({ topic, payload, qos, retain, properties }: IncomingMessage): Record<string, unknown> {
  const text = textOf(payload);
  const body = text === undefined ? { payloadBase64: Buffer.from(payload).toString('base64') } : { payload: text };
  return { format: 1, topic, ...body, qos, retain, properties };
}

function payloadText(payload: Uint8Array): string {
  const text = textOf(payload);
  return text === undefined ? `(${payload.length} bytes)` : printable(text, PAYLOAD_CHARACTERS_MAX);
}

function textOf(payload: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(payload);
  } catch {
    return undefined;
  }
}

const PAYLOAD_CHARACTERS_MAX = 65_536;
