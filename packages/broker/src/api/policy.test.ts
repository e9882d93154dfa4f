// The routes of the policy: what goes in, what comes out, how large it may be.

import { MotteError } from '@motte/admin';
import { expect, it } from 'vitest';
import type { AdminView } from '../ports/admin-view.ts';
import type { NewPolicy, Policies } from '../ports/policies.ts';
import { createApp } from './app.ts';

const ROW = { version: 2, appliedAtMs: 0, by: 'ann', why: 'because', file: 'p.yaml' };
const SHOWN = { version: 2, applied: '1970-01-01T00:00:00.000Z', by: 'ann', why: 'because', file: 'p.yaml' };
const REPORT = {
  findings: [{ id: 'wide', place: 'p.yaml:1:1', why: 'it is' }],
  passed: 1,
  failed: [],
  changes: [{ where: 'role r', removed: ['allow publish a'], added: [] }],
  replay: { clients: 1, skipped: 0, decisions: 2, changes: [], more: 0 },
};
const NEW = { text: 'roles: {}', file: 'p.yaml', by: 'ann', why: '', strict: false };

async function appWith(policies: Partial<Policies>): Promise<Awaited<ReturnType<typeof createApp>>> {
  return createApp({ policies } as unknown as AdminView, { door: 'socket' });
}

it('shows the policy in force, an older one, and which there were', async () => {
  const asked: unknown[] = [];
  const app = await appWith({
    read: (version) => {
      asked.push(version);
      return { ...ROW, text: 'roles: {}' };
    },
    list: () => [ROW, { ...ROW, version: 0 }],
  });
  expect((await app.inject('/api/v1/policy')).json()).toEqual({ format: 1, policy: { ...SHOWN, text: 'roles: {}' } });
  await app.inject('/api/v1/policy?version=0');
  expect(asked).toEqual([undefined, 0]);
  const versions = await app.inject('/api/v1/policy/versions');
  expect(versions.json()).toEqual({ format: 1, versions: [SHOWN, { ...SHOWN, version: 0, applied: null }] });
});

it('checks and applies, with findings, tests and what ended', async () => {
  const applied: NewPolicy[] = [];
  const app = await appWith({
    check: async () => REPORT,
    apply: async (policy) => {
      applied.push(policy);
      return { policy: ROW, report: REPORT, lost: { subscriptions: 2, connections: 1 } };
    },
  });
  const source = { text: 'roles: {}', file: 'p.yaml' };
  const checked = await app.inject({ method: 'POST', url: '/api/v1/policy/check', payload: source });
  expect(checked.json()).toEqual({ format: 1, report: REPORT });
  const answer = await app.inject({ method: 'POST', url: '/api/v1/policy', payload: NEW });
  expect(answer.json()).toEqual({
    format: 1,
    policy: SHOWN,
    report: REPORT,
    lost: { subscriptions: 2, connections: 1 },
  });
  expect(applied).toEqual([NEW]);
});

it('takes a policy at its limit with each character escaped, and none that is larger', async () => {
  const app = await appWith({ check: async () => REPORT });
  const check = (text: string) =>
    app.inject({ method: 'POST', url: '/api/v1/policy/check', payload: { text, file: 'p' } });
  expect((await check('\n'.repeat(1024 * 1024))).statusCode).toBe(200);
  expect((await check('\n'.repeat(1280 * 1024))).statusCode).toBe(413);
});

it.each([
  ['no text', { text: undefined }],
  ['text that is none', { text: {} }],
  ['a name of a file without end', { file: 'x'.repeat(201) }],
  ['a reason without end', { why: 'x'.repeat(501) }],
  ['nobody', { by: '' }],
  ['a key of its own', { force: true }],
])('refuses %s, and asks nobody', async (_what, change) => {
  const app = await appWith({ apply: () => Promise.reject(new Error('was asked')) });
  const answer = await app.inject({ method: 'POST', url: '/api/v1/policy', payload: { ...NEW, ...change } });
  expect(answer.statusCode).toBe(400);
  expect(answer.json()).toMatchObject({ code: 'MOT-0504' });
});

it.each([
  ['MOT-0902', 422],
  ['MOT-0903', 409],
  ['MOT-0904', 409],
  ['MOT-0906', 404],
] as const)('%s is status %i', async (code, status) => {
  const app = await appWith({ apply: () => Promise.reject(new MotteError(code, 'p.yaml:1:1: why')) });
  const answer = await app.inject({ method: 'POST', url: '/api/v1/policy', payload: NEW });
  expect(answer.statusCode).toBe(status);
  expect(answer.json()).toMatchObject({ code, detail: 'p.yaml:1:1: why' });
});

it.each(['ENOSPC', 'EROFS', 'EDQUOT', 'EIO'])(
  'a disk that says %s is named as that, without its paths',
  async (code) => {
    const fault = Object.assign(new Error(`${code}: open '/srv/motte/store/policy.json.new'`), { code });
    const app = await appWith({ apply: () => Promise.reject(fault) });
    const answer = await app.inject({ method: 'POST', url: '/api/v1/policy', payload: NEW });
    expect(answer.statusCode).toBe(507);
    expect(answer.json()).toMatchObject({ code: 'MOT-0210', title: 'nothing can be written' });
    expect(answer.body).not.toContain('/srv');
  },
);
