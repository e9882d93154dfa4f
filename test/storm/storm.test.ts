// The storm, short and without TLS. The long form: node test/storm/run.mjs, see README.md.

import { expect, it } from 'vitest';
import { storm } from './storm-run.ts';

it('500 devices that come back at once after a kill get all they are owed, QoS 2 once', {
  timeout: 180_000,
}, async () => {
  const { messages } = await storm({ devices: 500, tls: false, say: () => undefined });
  expect(messages).toBe(1_500);
});
