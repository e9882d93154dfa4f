import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeToken, encodeToken, hashSecret, readShownToken, secretFits } from './token.ts';

const TOKEN = {
  url: 'https://10.1.2.3:8446',
  fingerprint: 'ab'.repeat(32),
  name: 'pump-1',
  roles: ['device', 'operator'],
  secret: 'AAECAwQFBgcICQoLDA0ODw',
};

it('a token carries all that a device needs, in characters that need no quoting', () => {
  const text = encodeToken(TOKEN);
  expect(decodeToken(text)).toEqual(TOKEN);
  expect(text).toMatch(/^motte1_[A-Za-z0-9_-]+$/);
  expect(text.length).toBeLessThan(200);
  expect(decodeToken(encodeToken({ ...TOKEN, roles: [] }))).toEqual({ ...TOKEN, roles: [] });
});

it('a token that lost, gained or changed a character is none', () => {
  const text = encodeToken(TOKEN);
  for (let at = 0; at < text.length; at += 1) {
    expect(decodeToken(text.slice(0, at) + text.slice(at + 1))).toBeUndefined();
    const other = text[at] === 'A' ? 'B' : 'A';
    const changed = text.slice(0, at) + other + text.slice(at + 1);
    // The last character holds bits that stand for nothing.
    if (at < text.length - 1) expect(decodeToken(changed)).toBeUndefined();
  }
  expect(decodeToken(`${text} `)).toBeUndefined();
  expect(decodeToken(text + 'A'.repeat(2000))).toBeUndefined();
});

it('whatever text comes, it is a token or none, and nothing is thrown', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.base64String().map((text) => `motte1_${text}`),
      ),
      (text) => {
        decodeToken(text);
        readShownToken(text);
      },
    ),
  );
});

it('the short form is name and secret, and nothing that only looks like it', () => {
  expect(readShownToken(`pump-1:${TOKEN.secret}`)).toEqual({
    name: 'pump-1',
    secret: TOKEN.secret,
    fingerprint: undefined,
  });
  for (const text of ['pump-1', 'pump-1:', `pump/1:${TOKEN.secret}`, `pump-1:${TOKEN.secret}A`, `:${TOKEN.secret}`]) {
    expect(readShownToken(text)).toBeUndefined();
  }
});

it('what is kept of a secret fits it under its own name alone', () => {
  const hash = hashSecret('pump-1', TOKEN.secret);
  expect(hash).not.toContain(TOKEN.secret);
  expect(secretFits('pump-1', TOKEN.secret, hash)).toBe(true);
  expect(secretFits('pump-2', TOKEN.secret, hash)).toBe(false);
  expect(secretFits('pump-1', 'AAECAwQFBgcICQoLDA0ODg', hash)).toBe(false);
});
