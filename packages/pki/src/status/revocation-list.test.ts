// Revocation lists as OpenSSL makes them, and what becomes of one that is not right.

import { beforeAll, describe, expect, it } from 'vitest';
import {
  createTestAuthority,
  issueFrom,
  selfSignedPair,
  type TestAuthority,
} from '../../../../test/fixtures/certificates.ts';
import { listDer, makeList, serialOf } from '../../../../test/fixtures/revocation.ts';
import { LIST_BYTES_MAX, readRevocationList, splitLists } from './revocation-list.ts';
import { parseStatusIssuer, type StatusIssuer } from './status-issuer.ts';

let plant: TestAuthority;
let issuers: StatusIssuer[];
beforeAll(() => {
  plant = createTestAuthority('Plant');
  issuers = [plant.root.cert, plant.issuing.cert].map(parseStatusIssuer);
});

const read = (pem: string) => readRevocationList(listDer(pem), issuers);

describe('a list that is right', () => {
  it('says which certificates of which CA were revoked, when it was made and until when it is good', async () => {
    const leaf = plant.issue('pump-1').cert;
    const [thisUpdate, nextUpdate] = [new Date('2026-01-02T03:04:05Z'), new Date('2051-02-03T04:05:06Z')];
    const revoked = [
      serialOf(leaf),
      '00FF',
      { serial: '0A', reason: 'superseded' },
      { serial: '0B', reason: 'CACompromise' },
    ];
    const list = await read(makeList(plant.issuing, { revoked, number: 4660, thisUpdate, nextUpdate }));
    expect(list.issuers.map(({ fingerprint }) => fingerprint)).toEqual([issuers[1]?.fingerprint]);
    expect(list.number).toBe(4660n);
    expect([list.thisUpdateMs, list.nextUpdateMs]).toEqual([thisUpdate.getTime(), nextUpdate.getTime()]);
    expect(new Map(list.revoked)).toEqual(
      new Map([
        [serialOf(leaf).replace(/^0+/, ''), false],
        ['FF', false],
        ['A', true],
        ['B', false],
      ]),
    );
  });

  it('may be empty, and speaks for every certificate of a CA that kept its name and key', async () => {
    const again = parseStatusIssuer(plant.issuing.cert);
    const list = await readRevocationList(listDer(makeList(plant.issuing)), [...issuers, again]);
    expect(list.revoked.size).toBe(0);
    expect(list.issuers).toEqual([issuers[1], again]);
  });

  it('of version 1, as OpenSSL makes it of itself', async () => {
    const list = await read(makeList(plant.issuing, { extensions: [], revoked: ['0C'] }));
    expect([list.number, ...list.revoked.keys()]).toEqual([undefined, 'C']);
  });

  it('of RSA and of other digests', async () => {
    const root = selfSignedPair('RSA above');
    const ca = issueFrom(root, 'RSA', { ca: true, rsaBits: 2048, subjectAltName: '' });
    for (const digest of ['sha256', 'sha384', 'sha512']) {
      const list = await readRevocationList(listDer(makeList(ca, { digest, revoked: ['01'] })), [
        parseStatusIssuer(ca.cert),
      ]);
      expect([...list.revoked.keys()]).toEqual(['1']);
    }
  });

  it.each(['sha256', 'sha384', 'sha512'])('[RFC 4055, 3.1] of RSASSA-PSS with %s', async (digest) => {
    const root = selfSignedPair('RSA above');
    for (const kind of [{ rsaBits: 2048 }, { pssKey: true }]) {
      const ca = issueFrom(root, 'RSA', { ca: true, subjectAltName: '', ...kind });
      const pem = makeList(ca, { digest, signature: PSS, revoked: ['01'] });
      const list = await readRevocationList(listDer(pem), [parseStatusIssuer(ca.cert)]);
      expect([...list.revoked.keys()]).toEqual(['1']);
      const changed = listDer(pem);
      changed[changed.length - 1] = (changed.at(-1) as number) ^ 1;
      await expect(readRevocationList(changed, [parseStatusIssuer(ca.cert)])).rejects.toThrow('is not signed by it');
    }
  });
});

/** As `openssl ca -sigopt` takes it. */
const PSS = ['rsa_padding_mode:pss', 'rsa_pss_saltlen:digest'];

describe('[RFC 4055, 3.1] a list of RSASSA-PSS whose parameters are not taken', () => {
  let ca: TestAuthority['issuing'];
  beforeAll(() => {
    ca = issueFrom(selfSignedPair('RSA above'), 'RSA', { ca: true, rsaBits: 2048, subjectAltName: '' });
  });

  it.each([
    ['a salt of any length', 'sha256', ['rsa_padding_mode:pss', 'rsa_pss_saltlen:max'], 'a salt that is not as long'],
    ['a short salt', 'sha256', ['rsa_padding_mode:pss', 'rsa_pss_saltlen:20'], 'a salt that is not as long'],
    ['no salt', 'sha256', ['rsa_padding_mode:pss', 'rsa_pss_saltlen:0'], 'a salt that is not as long'],
    ['another hash in the mask', 'sha256', [...PSS, 'rsa_mgf1_md:sha1'], 'a mask that is not MGF1 by the same hash'],
    ['a longer hash in the mask', 'sha256', [...PSS, 'rsa_mgf1_md:sha512'], 'a mask that is not MGF1'],
    ['SHA-1', 'sha1', PSS, 'a hash that is none of SHA-256'],
    ['SHA-224', 'sha224', PSS, 'a hash that is none of SHA-256'],
  ])('%s', async (_, digest, signature, why) => {
    const der = listDer(makeList(ca, { digest, signature }));
    await expect(readRevocationList(der, [parseStatusIssuer(ca.cert)])).rejects.toThrow(why);
  });

  it('by the key of another kind', async () => {
    const der = listDer(makeList(ca, { signature: PSS }));
    const other = { ...parseStatusIssuer(ca.cert), key: parseStatusIssuer(plant.issuing.cert).key };
    await expect(readRevocationList(der, [other])).rejects.toThrow('is not signed by it');
  });
});

describe('a list that is refused', () => {
  it.each<[string, () => string, string]>([
    [
      'of another CA',
      () => makeList(selfSignedPair('Other')),
      'the list of another CA than CN=Plant or CN=Plant issuing',
    ],
    [
      'of a CA with the name of ours',
      () => makeList(selfSignedPair('Plant')),
      'has the name of CN=Plant and is not signed by it',
    ],
    ['a delta list', () => makeList(plant.issuing, { extensions: ['2.5.29.27=critical,DER:020101'] }), 'a delta list'],
    [
      'a part of the certificates',
      () =>
        makeList(plant.issuing, { extensions: ['issuingDistributionPoint=critical,@idp', '[idp]', 'onlyuser=TRUE'] }),
      'issuing distribution point',
    ],
    [
      'a critical extension that nobody knows',
      () => makeList(plant.issuing, { extensions: ['1.2.3.4=critical,DER:0500'] }),
      'critical extension that is not known here: 1.2.3.4',
    ],
    ['signed by SHA-1', () => makeList(plant.issuing, { digest: 'sha1' }), 'MD5 or SHA-1'],
  ])('%s', async (_what, pem, why) => {
    await expect(read(pem())).rejects.toThrow(why);
  });

  it('of a CA whose key may not sign lists', async () => {
    const extensions = ['keyUsage=critical,keyCertSign'];
    const ca = issueFrom(plant.root, 'Certificates only', {
      ca: false,
      subjectAltName: '',
      extendedKeyUsage: '',
      extensions,
    });
    await expect(readRevocationList(listDer(makeList(ca)), [parseStatusIssuer(ca.cert)])).rejects.toThrow(
      'lacks cRLSign',
    );
  });

  it('an extension that nobody must know does no harm', async () => {
    const list = await read(makeList(plant.issuing, { extensions: ['1.2.3.4=DER:0500'], revoked: ['05'] }));
    expect([...list.revoked.keys()]).toEqual(['5']);
  });

  it('changed by one bit anywhere, or cut off anywhere', async () => {
    const der = listDer(makeList(plant.issuing, { revoked: [{ serial: '0123456789', reason: 'keyCompromise' }] }));
    for (let at = 0; at < der.length; at++) {
      const changed = Buffer.from(der);
      changed[at] = (changed[at] ?? 0) ^ 0x04;
      await expect(readRevocationList(changed, issuers)).rejects.toThrow();
      await expect(readRevocationList(der.subarray(0, at), issuers)).rejects.toThrow();
    }
    await expect(readRevocationList(Buffer.concat([der, Buffer.of(0)]), issuers)).rejects.toThrow('follows');
  });
});

it('what has a million parts where there should be few is given up at once', async () => {
  const filled = (size: number): Buffer => Buffer.alloc(size, Buffer.of(5, 0));
  const wrapped = (content: Buffer): Buffer => {
    const header = Buffer.of(0x30, 0x83, 0, 0, 0);
    header.writeUIntBE(content.length, 2, 3);
    return Buffer.concat([header, content]);
  };
  for (const der of [wrapped(filled(8_000_000)), wrapped(wrapped(filled(8_000_000)))]) {
    const before = process.memoryUsage().heapUsed;
    await expect(readRevocationList(der, issuers)).rejects.toThrow('not what it should be in DER');
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(100_000_000);
  }
});

describe('a file of lists', () => {
  it('is DER, or PEM with one or several', () => {
    const [one, other] = [makeList(plant.root), makeList(plant.issuing)];
    expect(splitLists(listDer(one))).toEqual([listDer(one)]);
    expect(splitLists(Buffer.from(`comment\n${one}${other}`))).toEqual([listDer(one), listDer(other)]);
    expect(splitLists(Buffer.from(one.replaceAll('X509 CRL', 'CRL')))).toEqual([listDer(one)]);
  });

  it('that is half written, empty, too large or something else is refused', () => {
    const one = makeList(plant.issuing);
    for (const text of [one.slice(0, -20), one.slice(0, 60), `${one}${one.slice(0, 100)}`, plant.root.cert, 'x', '']) {
      expect(() => splitLists(Buffer.from(text))).toThrow(/no revocation list|cut off|empty/);
    }
    expect(() => splitLists(Buffer.alloc(LIST_BYTES_MAX + 1))).toThrow('larger than');
    expect(() => splitLists(Buffer.from(one.repeat(17)))).toThrow('more than 16');
  });
});
