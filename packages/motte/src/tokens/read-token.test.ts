import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readToken } from './read-token.ts';

const folder = mkdtempSync(join(tmpdir(), 'motte-read-token-'));
const path = join(folder, 'token');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(claims: unknown): void {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  writeFileSync(path, `${part({ alg: 'ES256' })}.${part(claims)}.c2lnbmF0dXJl\n`);
}

it('gives identifier and end, with the most that clocks may differ', () => {
  write({ iss: 'plant', jti: 't-1', exp: 1_900_000_000.5 });
  expect(readToken(path, 'plant')).toEqual({ id: 't-1', endsAtMs: 1_900_000_601_000 });
});

it.each([
  ['of another issuer', { iss: 'else', jti: 't-1', exp: 1 }, 'of another issuer'],
  ['without identifier', { iss: 'plant', exp: 1 }, 'no identifier'],
  ['with an identifier that is too long', { iss: 'plant', jti: 'x'.repeat(257), exp: 1 }, 'no identifier'],
  ['without end', { iss: 'plant', jti: 't-1' }, 'no end'],
  ['with an end that is no time', { iss: 'plant', jti: 't-1', exp: 1e300 }, 'no end'],
  ['that is a list', [], 'of another issuer'],
  ['that is nothing', null, 'holds no token'],
])('one %s is a mistake', (_what, claims, why) => {
  write(claims);
  expect(() => readToken(path, 'plant')).toThrow(why);
});

it('what is no token, too large or not there is a mistake that does not show it', () => {
  for (const text of ['secret', 'a.secret.c', 'x'.repeat(65 * 1024)]) {
    writeFileSync(path, text);
    expect(() => readToken(path, 'plant')).toThrow(expect.objectContaining({ code: 'MOT-0002' }));
    expect(() => readToken(path, 'plant')).not.toThrow('secret');
  }
  expect(() => readToken(join(folder, 'nowhere'), 'plant')).toThrow('there is no such file');
});
