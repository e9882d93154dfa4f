// What a program that ends leaves behind of its questions to the authority: nothing that it would have to wait for. The authority here takes
// questions and answers none, as a real one does that has no news.

import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openBrokerAuthority } from '@motte/pki';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createEnrolment, type EnrolmentParts } from './enrolment.ts';
import { openRevocationFeed, type RevocationFeed } from './revocation-feed.ts';

/** More than the test runner has timers of its own. */
const MANY = 5;

let folder: string;
let path: string;
let authority: Server;
const asking = new Set<Socket>();
/** Answers what does not wait for news. */
let answer = (_socket: Socket): void => undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'motte-ending-'));
  path = join(folder, 'broker.sock');
  authority = createServer((socket) => {
    asking.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => answer(socket));
    socket.once('close', () => asking.delete(socket));
  }).listen(path);
  await once(authority, 'listening');
});
afterEach(async () => {
  for (const socket of asking) socket.destroy();
  authority.close();
  await rm(folder, { recursive: true, force: true });
});

const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
const asked = async (): Promise<void> => {
  while (asking.size < MANY) await new Promise((resolve) => setImmediate(resolve));
};
const left = async (): Promise<void> => {
  while (asking.size > 0) await new Promise((resolve) => setImmediate(resolve));
};

it('the enrolment listener asks no more', async () => {
  const parts = {
    config: { enrol: { host: '127.0.0.1', port: 0, est: false } },
    authority: { brokerSocket: path },
    material: { own: {}, tls: {} },
  } as unknown as EnrolmentParts;
  const before = timers();
  const all = Array.from({ length: MANY }, () => createEnrolment(parts));
  for (const enrolment of all) enrolment.start();
  await asked();
  await Promise.all(all.map((enrolment) => enrolment.close()));
  await left();
  expect(timers()).toBeLessThan(before + MANY);
});

it('who follows revocations asks no more, and tries no more', async () => {
  let answered = 0;
  answer = (socket) => {
    answered += 1;
    // The first question of each is for what there is already.
    if (answered <= MANY) socket.end('{"id":1,"result":{"number":0,"revoked":[],"more":false}}\n');
  };
  const ending = new AbortController();
  const before = timers();
  const feeds: RevocationFeed[] = [];
  for (let n = 0; n < MANY; n++) feeds.push(await openRevocationFeed(openBrokerAuthority(path, ending.signal)));
  await left();
  for (const feed of feeds) feed.follow(() => undefined);
  await asked();
  for (const feed of feeds) feed.close();
  ending.abort();
  await left();
  expect(timers()).toBeLessThan(before + MANY);
});
