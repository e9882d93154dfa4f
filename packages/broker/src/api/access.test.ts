// The routes of questions about rights.

import { MotteError } from '@motte/admin';
import { expect, it } from 'vitest';
import type { AccessDesk, AccessQuestion } from '../ports/access-desk.ts';
import type { AdminView } from '../ports/admin-view.ts';
import { createApp } from './app.ts';

const ANSWER = {
  allow: true,
  identity: 'pump-1',
  registered: true,
  roles: ['device'],
  listener: 'devices',
  because: 'it may',
  rule: 'role device, p.yaml:3:7',
  considered: [{ rule: 'role device, p.yaml:3:7', text: 'allow publish a', because: '' }],
};

async function appWith(access: Partial<AccessDesk>): Promise<Awaited<ReturnType<typeof createApp>>> {
  return createApp({ access } as unknown as AdminView, { door: 'socket' });
}

it('asks what was asked, with what is left out at its loosest', async () => {
  const asked: AccessQuestion[] = [];
  const app = await appWith({
    check: (question) => {
      asked.push(question);
      return ANSWER;
    },
    who: (topic) => [{ identity: topic, publish: 'yes', receive: 'some' }],
  });
  const answer = await app.inject('/api/v1/access/check?client=pump-1&action=publish&topic=a%2Fb');
  expect(answer.json()).toEqual({ format: 1, ...ANSWER });
  await app.inject('/api/v1/access/check?client=x&action=receive&topic=a&qos=2&retain=true&from=::1&via=lab');
  expect(asked).toEqual([
    { client: 'pump-1', action: 'publish', topic: 'a/b', qos: 0, retain: false, from: '', via: '' },
    { client: 'x', action: 'receive', topic: 'a', qos: 2, retain: true, from: '::1', via: 'lab' },
  ]);
  expect((await app.inject('/api/v1/access/who?topic=a')).json()).toEqual({
    format: 1,
    topic: 'a',
    holders: [{ identity: 'a', publish: 'yes', receive: 'some' }],
  });
});

it.each([
  'client=a&action=publish',
  'client=a&action=all&topic=a',
  'client=a&action=publish&topic=a&qos=3',
  'client=a&action=publish&topic=a&retain=maybe',
  'client=a&action=publish&topic=a&as=b',
  `client=a&action=publish&topic=${'x'.repeat(4097)}`,
])('refuses %s', async (query) => {
  const app = await appWith({
    check: () => {
      throw new Error('was asked');
    },
  });
  expect((await app.inject(`/api/v1/access/check?${query}`)).json()).toMatchObject({ code: 'MOT-0504', status: 400 });
});

it('a question that cannot be answered is 400 with its reason', async () => {
  const app = await appWith({
    who: () => {
      throw new MotteError('MOT-0907', 'the topic name holds a wildcard');
    },
  });
  const answer = await app.inject('/api/v1/access/who?topic=%23');
  expect(answer.statusCode).toBe(400);
  expect(answer.json()).toMatchObject({ code: 'MOT-0907', detail: 'the topic name holds a wildcard' });
});
