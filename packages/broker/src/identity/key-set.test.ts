import { beforeAll, describe, expect, it } from 'vitest';
import { keySetOf, TestIssuer } from '../../../../test/fixtures/tokens.ts';
import { KeySet, READ_INTERVAL_MS } from './key-set.ts';

let signer: TestIssuer;
beforeAll(() => {
  signer = new TestIssuer();
});

interface Scene {
  keys: KeySet;
  reads: number;
  text: string | Error;
  monotonicMs: number;
  readonly said: (string | undefined)[];
  ids(id: string | undefined, algorithm?: 'ES256' | 'RS256'): Promise<(string | undefined)[]>;
}

async function scene(text = keySetOf(signer.jwk)): Promise<Scene> {
  const made = { reads: 0, text: text as string | Error, monotonicMs: 0, said: [] as (string | undefined)[] };
  const keys = new KeySet({
    read: async () => {
      made.reads += 1;
      if (made.text instanceof Error) throw made.text;
      return made.text;
    },
    monotonicMs: () => made.monotonicMs,
    onChange: (fault) => made.said.push(fault),
  });
  await keys.refresh();
  const ids: Scene['ids'] = async (id, algorithm = 'ES256') => (await keys.find(id, algorithm)).map((key) => key.id);
  return Object.assign(made, { keys, ids });
}

describe('keys of an issuer', () => {
  it('are read again for a key that is not there, once in the shortest interval, whatever is sent', async () => {
    const made = await scene();
    made.text = keySetOf(new TestIssuer('ES256', 'key-2').jwk);
    const flood = () => Promise.all(Array.from({ length: 500 }, (_, i) => made.ids(`k${i}`)));
    await flood();
    expect(made.reads).toBe(1);
    made.monotonicMs += READ_INTERVAL_MS;
    const [found] = await Promise.all([made.ids('key-2'), flood()]);
    expect([found, made.reads]).toEqual([['key-2'], 2]);
    expect(await made.ids('key-1')).toEqual([]);
  });

  it('let no more than a few wait for a reading that takes its time', async () => {
    const made = await scene();
    let answer = (_text: string): void => undefined;
    const slow = new KeySet({
      read: () => new Promise((resolve) => (answer = resolve)),
      monotonicMs: () => 0,
    });
    const asked = Array.from({ length: 100 }, () => slow.find('key-1', 'ES256'));
    const early = await Promise.race([
      Promise.all(asked.slice(16)),
      new Promise((resolve) => setTimeout(resolve, 2_000)),
    ]);
    expect(early).toEqual(Array(84).fill([]));
    answer(keySetOf(signer.jwk));
    for (const keys of await Promise.all(asked.slice(0, 16))) expect(keys).toHaveLength(1);
    expect(made.reads).toBe(1);
  });

  it('stay as they were when they cannot be read, which is said once', async () => {
    const made = await scene();
    for (const text of [new Error('gone'), '', 'null', '{"keys":[]}', '{"keys":{}}', keySetOf(signer.privateJwk)]) {
      made.text = text;
      await made.keys.refresh();
      await made.keys.refresh();
      expect(made.keys.fault).toBeTruthy();
      expect(await made.ids('key-1')).toEqual(['key-1']);
    }
    made.text = keySetOf(signer.jwk);
    await made.keys.refresh();
    expect(made.keys.fault).toBeUndefined();
    expect(made.said[0]).toBeUndefined();
    expect(made.said).toHaveLength(8);
  });

  it.each<[string, () => string, string]>([
    ['a private key', () => keySetOf(signer.privateJwk), 'private or secret key'],
    ['a secret', () => keySetOf({ kty: 'oct', k: 'c2VjcmV0' }), 'private or secret key'],
    ['RSA of 1024 bits', () => keySetOf(new TestIssuer('RS256', 'weak', 1024).jwk), 'none of its 1 keys'],
    ['a key for encryption', () => keySetOf({ ...signer.jwk, use: 'enc' }), 'none of its 1 keys'],
    ['a key for signing', () => keySetOf({ ...signer.jwk, key_ops: ['sign'] }), 'none of its 1 keys'],
    ['another algorithm than its own', () => keySetOf({ ...signer.jwk, alg: 'RS256' }), 'none of its 1 keys'],
    ['a point off the curve', () => keySetOf({ ...signer.jwk, y: signer.jwk.x as string }), 'none of its 1 keys'],
    ['a curve of another', () => keySetOf({ ...signer.jwk, crv: 'secp256k1' }), 'none of its 1 keys'],
    ['more keys than there can be', () => keySetOf(...Array(65).fill(signer.jwk)), 'more than 64 keys'],
    ['more bytes than there can be', () => `{"keys":[],"x":"${'x'.repeat(256 * 1024)}"}`, 'larger than'],
    ['a page', () => '<html></html>', 'not a JSON document'],
    ['an array', () => '[]', 'no list `keys`'],
    ['keys that are inherited', () => '{"__proto__":{"keys":[]}}', 'no list `keys`'],
  ])('in a set with %s are refused', async (_what, text, fault) => {
    const made = await scene(text());
    expect(made.keys.fault).toContain(fault);
    expect(await made.ids('key-1')).toEqual([]);
  });

  it('without an id are taken only where there is no choice', async () => {
    expect(await (await scene()).ids(undefined)).toEqual(['key-1']);
    const two = await scene(keySetOf(signer.jwk, new TestIssuer('ES256', 'key-2').jwk));
    expect(await two.ids(undefined)).toEqual([]);
    expect(await two.ids('key-2')).toEqual(['key-2']);
    expect(await two.ids('key-2', 'RS256')).toEqual([]);
  });
});
