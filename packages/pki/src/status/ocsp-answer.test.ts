// Questions that OpenSSL's responder understands, and its answers: believed, or refused with the reason.

import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  createTestAuthority,
  issueFrom,
  type Pair,
  selfSignedPair,
  type TestAuthority,
} from '../../../../test/fixtures/certificates.ts';
import { type AnswerOptions, answerQuestion, askWithoutNonce, responderOf } from '../../../../test/fixtures/ocsp.ts';
import { type Element, elementAt, elementsOf } from './der.ts';
import { ANSWER_BYTES_MAX, type OcspAnswer, readOcspAnswer } from './ocsp-answer.ts';
import { encodeOcspRequest, type OcspQuestion } from './ocsp-request.ts';
import { parseStatusIssuer } from './status-issuer.ts';

const SERIAL = '8A01';
const DAY_MS = 86_400_000;
let plant: TestAuthority;
let issuing: Pair;
beforeAll(() => {
  plant = createTestAuthority('Plant');
  issuing = plant.issuing;
});

const question = (serial = SERIAL): OcspQuestion => {
  return { issuer: parseStatusIssuer(issuing.cert), serial, nonce: randomBytes(32) };
};

async function answered(options: AnswerOptions, asked = question()): Promise<OcspAnswer> {
  const answer = answerQuestion(issuing, await encodeOcspRequest(asked), { good: [SERIAL], ...options });
  return readOcspAnswer(answer, asked, Date.now());
}

/** As a responder has prepared it for anybody. */
async function prepared(options: AnswerOptions, nowMs: number): Promise<OcspAnswer> {
  return readOcspAnswer(
    answerQuestion(issuing, askWithoutNonce(issuing, SERIAL), { good: [SERIAL], ...options }),
    question(),
    nowMs,
  );
}

/** OCSPResponse, its responseBytes, the answer in them, and of that what is signed. */
function signedPart(answer: Uint8Array): Element {
  const inner = (element: Element, index: number) => [...elementsOf(answer, element)][index] as Element;
  const bytes = inner(inner(elementAt(answer, 0, answer.length), 1), 0);
  const basic = elementAt(answer, inner(bytes, 1).from, inner(bytes, 1).to);
  return inner(basic, 0);
}

describe('an answer', () => {
  it('says that a certificate is good, was revoked, or is not known', async () => {
    expect(await answered({})).toEqual({
      status: 'good',
      superseded: false,
      nextUpdateMs: undefined,
      signer: undefined,
    });
    expect(await answered({ good: [], revoked: [SERIAL] })).toMatchObject({ status: 'revoked', superseded: false });
    const revoked = [{ serial: SERIAL, reason: 'superseded' }];
    expect(await answered({ good: [], revoked })).toMatchObject({ status: 'revoked', superseded: true });
    expect(await answered({ good: ['01'] })).toMatchObject({ status: 'unknown' });
  });

  it('is good until its next update', async () => {
    const { nextUpdateMs = 0 } = await answered({ minutes: 5 });
    expect(Math.abs(nextUpdateMs - Date.now() - 300_000)).toBeLessThan(60_000);
  });

  it.each(['7F', '80', 'FF00', '0102030405060708090A0B0C0D0E0F1011121314'])(
    'is about the serial number %s',
    async (serial) => {
      expect(await answered({ good: [serial] }, question(serial))).toMatchObject({ status: 'good' });
    },
  );

  it('may be signed by whom the CA has certified for it', async () => {
    const signer = responderOf(issuing);
    const answer = await answered({ signer });
    expect(answer.status).toBe('good');
    expect(answer.signer?.serial).toMatch(/^[0-9A-F]+$/);
    expect(await answered({ signer: responderOf(issuing, { rsaBits: 2048 }) })).toMatchObject({ status: 'good' });
  });

  it.each(['sha256', 'sha384', 'sha512'])('[RFC 4055, 3.1] may be signed by RSASSA-PSS with %s', async (digest) => {
    const args = ['-rmd', digest, '-rsigopt', 'rsa_padding_mode:pss', '-rsigopt', 'rsa_pss_saltlen:digest'];
    for (const kind of [{ rsaBits: 2048 }, { pssKey: true }])
      expect(await answered({ signer: responderOf(issuing, kind), args })).toMatchObject({ status: 'good' });
    const long = ['-rmd', digest, '-rsigopt', 'rsa_padding_mode:pss', '-rsigopt', 'rsa_pss_saltlen:max'];
    const signer = responderOf(issuing, { rsaBits: 2048 });
    await expect(answered({ signer, args: long })).rejects.toThrow('a salt that is not as long as the hash');
  });

  it('[RFC 4055, 3.1] may come from whom the CA certified by RSASSA-PSS', async () => {
    const signature = ['rsa_padding_mode:pss', 'rsa_pss_saltlen:digest'];
    const ca = issueFrom(plant.root, 'RSA', { ca: true, rsaBits: 2048, subjectAltName: '' });
    const asked = { issuer: parseStatusIssuer(ca.cert), serial: SERIAL, nonce: randomBytes(32) };
    const request = await encodeOcspRequest(asked);
    const read = (signer: Pair) =>
      readOcspAnswer(answerQuestion(ca, request, { good: [SERIAL], signer }), asked, Date.now());
    expect(await read(responderOf(ca, { signature }))).toMatchObject({ status: 'good' });
    await expect(read(responderOf(ca, { signature, digest: 'sha1' }))).rejects.toThrow(
      'a hash that is none of SHA-256',
    );
  });

  it('that was prepared for anybody is believed as long as it says', async () => {
    expect(await prepared({ minutes: 60 }, Date.now() + 59 * 60_000)).toMatchObject({ status: 'good' });
    await expect(prepared({ minutes: 60 }, Date.now() + 61 * 60_000)).rejects.toThrow('the answer has ended');
    expect(await prepared({}, Date.now())).toMatchObject({ status: 'good' });
    await expect(prepared({}, Date.now() + 10 * 60_000)).rejects.toThrow('neither until when it is good');
    await expect(prepared({ minutes: 60 }, Date.now() - DAY_MS)).rejects.toThrow('begins later than now');
  });
});

describe('an answer that is refused', () => {
  it.each<[string, () => AnswerOptions, string]>([
    ['signed by another key of that name', () => ({ signer: selfSignedPair('Plant issuing') }), 'did not issue'],
    ['signed by the CA above', () => ({ signer: plant.root }), 'CN=Plant, which CN=Plant issuing did not issue'],
    ['by a device of the CA', () => ({ signer: plant.issue('pump-1') }), 'not for signing answers'],
    [
      'by a responder of another CA',
      () => ({ signer: responderOf(plant.root) }),
      'which CN=Plant issuing did not issue',
    ],
    [
      'by a responder of another CA of that name',
      () => ({ signer: responderOf(createTestAuthority('Plant').issuing) }),
      'which CN=Plant issuing did not issue',
    ],
    ['by a responder whose time is over', () => ({ signer: responderOf(issuing, { days: -1 }) }), 'not valid now'],
    ['by a responder with a weak key', () => ({ signer: responderOf(issuing, { rsaBits: 1024 }) }), 'too weak'],
    ['by a responder signed by SHA-1', () => ({ signer: responderOf(issuing, { digest: 'sha1' }) }), 'SHA-1'],
    ['signed by SHA-1', () => ({ args: ['-rmd', 'sha1'] }), 'SHA-1'],
    [
      'by a responder that shows no certificate',
      () => ({ signer: responderOf(issuing), args: ['-resp_no_certs'] }),
      'is not signed by CN=Plant issuing',
    ],
  ])('%s', async (_what, options, why) => {
    await expect(answered(options())).rejects.toThrow(why);
  });

  it('about another certificate', async () => {
    const answer = answerQuestion(issuing, await encodeOcspRequest(question('02')), { good: ['02'] });
    await expect(readOcspAnswer(answer, question(), Date.now())).rejects.toThrow('about another certificate');
  });

  it('to the same question of somebody else', async () => {
    const answer = answerQuestion(issuing, await encodeOcspRequest(question()), { good: [SERIAL] });
    await expect(readOcspAnswer(answer, question(), Date.now())).rejects.toThrow('its nonce is another');
  });

  it('changed by one bit anywhere, cut off anywhere, or nonsense', async () => {
    const asked = question();
    const answer = answerQuestion(issuing, await encodeOcspRequest(asked), {
      good: [SERIAL],
      args: ['-resp_no_certs'],
    });
    const read = (bytes: Uint8Array) => readOcspAnswer(bytes, asked, Date.now());
    expect(await read(answer)).toMatchObject({ status: 'good' });
    const signed = signedPart(answer);
    for (let at = 0; at < answer.length; at++) {
      await expect(read(answer.subarray(0, at))).rejects.toThrow();
      const changed = Buffer.from(answer);
      changed[at] = (changed[at] ?? 0) ^ 0x02;
      if (at >= signed.at && at < signed.to) await expect(read(changed), `byte ${at}`).rejects.toThrow();
      // What wraps the signed part may be written in several ways; none of them changes what it says.
      else
        expect(['refused', 'good']).toContain(
          await read(changed)
            .then(({ status }) => status)
            .catch(() => 'refused'),
        );
    }
    await expect(read(Buffer.from('<html>'))).rejects.toThrow('no answer to a question');
    await expect(read(Buffer.alloc(ANSWER_BYTES_MAX + 1))).rejects.toThrow('larger than');
  });

  it.each([
    [1, 'malformedRequest'],
    [3, 'tryLater'],
    [6, 'unauthorized'],
    [4, 'an error'],
  ])('status %i', async (status, name) => {
    await expect(readOcspAnswer(Buffer.of(0x30, 3, 0x0a, 1, status), question(), Date.now())).rejects.toThrow(name);
  });
});
