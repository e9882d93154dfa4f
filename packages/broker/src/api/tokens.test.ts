// The routes of issuers and revoked tokens: what goes in, what comes out.

import { MotteError } from '@motte/admin';
import { expect, it } from 'vitest';
import type { AdminView } from '../ports/admin-view.ts';
import type { TokenDesk } from '../ports/token-desk.ts';
import { createApp } from './app.ts';

const PLANT = {
  issuer: 'https://login/plant?a=b',
  audience: 'motte',
  jwks: '/keys.json',
  names: ['pump-*'],
  kind: 'device',
  from: 'data',
} as const;

async function appWith(tokens: Partial<TokenDesk>): Promise<Awaited<ReturnType<typeof createApp>>> {
  return createApp({ tokens } as unknown as AdminView, { door: 'socket' });
}

it('lists issuers and revocations, those without an end too', async () => {
  const app = await appWith({
    issuers: () => [PLANT],
    revocations: () => [
      { issuer: 'a', id: 't-1', revokedAtMs: 0, untilMs: 1000 },
      { issuer: 'a', name: 'ada', revokedAtMs: 0, untilMs: 0 },
    ],
  });
  const revoked = '1970-01-01T00:00:00.000Z';
  expect((await app.inject('/api/v1/tokens')).json()).toEqual({
    format: 1,
    issuers: [PLANT],
    revocations: [
      { issuer: 'a', id: 't-1', revoked, until: '1970-01-01T00:00:01.000Z' },
      { issuer: 'a', name: 'ada', revoked },
    ],
  });
});

it('hands an entry on as it is, and says what is wrong with it', async () => {
  const added: unknown[] = [];
  const app = await appWith({
    add: async (entry) => {
      added.push(entry);
      if (entry['issuer'] === undefined) throw new MotteError('MOT-0650', 'issuer is missing');
      return PLANT;
    },
  });
  const post = (payload: object) => app.inject({ method: 'POST', url: '/api/v1/tokens/issuers', payload });
  const answer = await post({ issuer: PLANT.issuer, roles: { '*': 'device' } });
  expect([answer.statusCode, answer.json()]).toEqual([201, { format: 1, issuer: PLANT }]);
  expect(added).toEqual([{ issuer: PLANT.issuer, roles: { '*': 'device' } }]);
  expect((await post({})).json()).toMatchObject({ code: 'MOT-0650', status: 400 });
  expect((await post([])).statusCode).toBe(400);
});

it('removes an issuer whatever characters it has', async () => {
  const app = await appWith({
    remove: async (issuer) => {
      expect(issuer).toBe(PLANT.issuer);
      return { connections: 2, sessions: 3 };
    },
  });
  const url = `/api/v1/tokens/issuers?issuer=${encodeURIComponent(PLANT.issuer)}`;
  const answer = await app.inject({ method: 'DELETE', url });
  expect(answer.json()).toEqual({ format: 1, issuer: PLANT.issuer, connections: 2, sessions: 3 });
});

it('revokes and lifts either a token or a name', async () => {
  const asked: unknown[] = [];
  const app = await appWith({
    revoke: async (choice, untilMs) => {
      asked.push(choice, untilMs);
      return { revocation: { ...choice, revokedAtMs: 0, untilMs }, connections: 1, sessions: 0 };
    },
    lift: async (choice) => void asked.push(choice),
  });
  const url = '/api/v1/tokens/revocations';
  const post = (payload: object) => app.inject({ method: 'POST', url, payload });
  expect((await post({ issuer: 'a', id: 't', untilMs: 1000 })).json()).toMatchObject({
    revocation: { issuer: 'a', id: 't', until: '1970-01-01T00:00:01.000Z' },
    connections: 1,
  });
  await post({ issuer: 'a', name: 'ada' });
  await app.inject({ method: 'DELETE', url: `${url}?issuer=a&name=ada` });
  expect(asked).toEqual([
    { issuer: 'a', id: 't' },
    1000,
    { issuer: 'a', name: 'ada' },
    0,
    { issuer: 'a', name: 'ada' },
  ]);
  for (const wrong of [
    { issuer: 'a' },
    { issuer: 'a', id: 't', name: 'ada' },
    { id: 't' },
    { issuer: 'a', id: '' },
    { issuer: 'a', id: 't', untilMs: 0 },
    { issuer: 'a', id: 't', more: 1 },
  ]) {
    expect((await post(wrong)).json(), JSON.stringify(wrong)).toMatchObject({ status: 400, code: 'MOT-0504' });
  }
  expect(asked).toHaveLength(5);
});
