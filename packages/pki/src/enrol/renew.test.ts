import { createPrivateKey, sign, X509Certificate } from 'node:crypto';
import { expect, it } from 'vitest';
import { createCsr, createKeyAndCsr } from '../keys.ts';
import { REQUESTS_MAX } from '../limits.ts';
import { renewalText } from '../protocol/enrolment.ts';
import { NOW, withAuthorityAt } from '../testing/authority-at.ts';

const DAY = 86_400_000;
const pair = () => createKeyAndCsr('x', { type: 'ec' });
const proofBy = (key: string, csr: string) =>
  sign('sha256', Buffer.from(renewalText(csr)), createPrivateKey(key)).toString('base64');
const refused = (why: RegExp) => ({ code: 'MOT-0448', why: expect.stringMatching(why) });

it('the old key vouches for a new one, whatever the broker says', () =>
  withAuthorityAt(async ({ authority: { administrator, broker }, time }) => {
    const [old, next] = [await pair(), await pair()];
    const { certificate } = await administrator.issueDevice({ name: 'pump-1', csr: old.csr });
    time.ms += 500 * DAY;
    const proof = proofBy(old.key, next.csr);
    const asked = { certificate, csr: next.csr, proof };
    const answer = await broker.renewDevice(asked);
    if (answer.state !== 'issued') throw new Error(answer.state);
    expect(new X509Certificate(answer.device.certificate).checkPrivateKey(createPrivateKey(next.key))).toBe(true);
    expect(answer.device.name).toBe('pump-1');
    // The answer was lost: the same again, and no further certificate.
    expect(await broker.renewDevice(asked)).toEqual(answer);
    expect((await administrator.showDevice('pump-1')).certificates).toBe(2);
    const stranger = await pair();
    for (const wrong of [proofBy(stranger.key, stranger.csr), proof, 'AAAA', proofBy(old.key, next.csr)]) {
      await expect(broker.renewDevice({ certificate, csr: stranger.csr, proof: wrong })).rejects.toMatchObject(
        refused(/not by the key/),
      );
    }
  }));

it('a request of the same key proves itself, and only for the certificate of that key', () =>
  withAuthorityAt(async ({ authority: { administrator, broker } }) => {
    const { key, csr } = await pair();
    const { certificate } = await administrator.issueDevice({ name: 'pump-1', csr });
    const again = await createCsr('x', createPrivateKey(key), { type: 'ec' });
    expect(await broker.renewDevice({ certificate, csr: again, proof: '' })).toMatchObject({ state: 'issued' });
    await expect(broker.renewDevice({ certificate: 'x', csr: again, proof: '' })).rejects.toMatchObject(
      refused(/read/),
    );
    const { root } = await broker.trust();
    await expect(broker.renewDevice({ certificate: root, csr: again, proof: '' })).rejects.toMatchObject(
      refused(/did not issue/),
    );
  }));

it('after its end it waits for approval, and gets one certificate then', () =>
  withAuthorityAt(async (world) => {
    const { time } = world;
    const [old, next] = [await pair(), await pair()];
    const { certificate } = await world.authority.administrator.issueDevice({ name: 'pump-1', csr: old.csr });
    time.ms += 731 * DAY;
    const asked = { certificate, csr: next.csr, proof: proofBy(old.key, next.csr) };
    const waiting = await world.authority.broker.renewDevice(asked);
    expect(waiting).toMatchObject({ state: 'waiting', kind: 'expired', name: 'pump-1' });
    expect((await world.authority.administrator.showDevice('pump-1')).certificates).toBe(1);
    await world.again();
    const { administrator, broker } = world.authority;
    expect(await broker.renewDevice(asked)).toEqual(waiting);
    expect(await broker.watchEnrolment(0)).toMatchObject({ open: true, why: expect.stringContaining('requests') });
    await administrator.approveRequest('pump-1');
    const answer = await broker.renewDevice(asked);
    expect(answer).toMatchObject({ state: 'issued' });
    expect(await broker.renewDevice(asked)).toMatchObject({ state: 'issued' });
    expect((await administrator.showDevice('pump-1')).certificates).toBe(2);
  }));

it('five certificates within a day are enough for any device', () =>
  withAuthorityAt(async ({ authority: { administrator, broker }, time }) => {
    const { key, csr } = await pair();
    const { certificate } = await administrator.issueDevice({ name: 'pump-1', csr });
    const again = async () => {
      const other = await pair();
      return broker.renewDevice({ certificate, csr: other.csr, proof: proofBy(key, other.csr) });
    };
    for (let n = 0; n < 4; n += 1) expect(await again()).toMatchObject({ state: 'issued' });
    await expect(again()).rejects.toMatchObject(refused(/5 certificates within a day/));
    time.ms += DAY;
    expect(await again()).toMatchObject({ state: 'issued' });
  }));

it('without a token a device may ask in the window alone, and gets nothing before approval', () =>
  withAuthorityAt(async ({ authority: { administrator, broker }, time }) => {
    const { csr } = await pair();
    const asked = { name: 'pump-1', csr };
    await expect(broker.askToJoin(asked)).rejects.toMatchObject({ code: 'MOT-0444' });
    expect(await administrator.openJoin({ roles: ['device'], seconds: 600 })).toEqual({
      endsAt: new Date(NOW + 600_000).toISOString(),
    });
    const waiting = await broker.askToJoin(asked);
    if (waiting.state !== 'waiting') throw new Error(waiting.state);
    time.ms += 600_000;
    expect(await broker.askToJoin(asked)).toEqual(waiting);
    await expect(broker.askToJoin({ name: 'pump-2', csr })).rejects.toMatchObject({ code: 'MOT-0444' });
    expect(await administrator.listDevices()).toEqual([]);
    const { requests } = await administrator.enrolments();
    expect(requests).toMatchObject([
      { id: waiting.id, name: 'pump-1', state: 'waiting', fingerprint: waiting.fingerprint },
    ]);
    await administrator.approveRequest(waiting.id);
    expect(await administrator.listDevices()).toEqual([]);
    expect(await broker.askToJoin(asked)).toMatchObject({
      state: 'issued',
      device: { name: 'pump-1', roles: ['device'] },
    });
    await expect(broker.askToJoin({ name: 'pump-1', csr: (await pair()).csr })).rejects.toMatchObject({
      code: 'MOT-0444',
    });
  }));

it('two keys that ask for one name are told apart by their ids; what was denied stays denied', () =>
  withAuthorityAt(async ({ authority: { administrator, broker } }) => {
    await administrator.openJoin({ roles: ['device'], seconds: 600 });
    const [mine, theirs] = [await pair(), await pair()];
    const first = await broker.askToJoin({ name: 'pump-1', csr: mine.csr });
    await broker.askToJoin({ name: 'pump-1', csr: theirs.csr });
    await expect(administrator.approveRequest('pump-1')).rejects.toMatchObject({ code: 'MOT-0447' });
    if (first.state !== 'waiting') throw new Error(first.state);
    await administrator.approveRequest(first.id);
    expect(await administrator.denyRequest('pump-1')).toEqual({ denied: 2, voided: false });
    for (const { csr } of [mine, theirs]) {
      await expect(broker.askToJoin({ name: 'pump-1', csr })).rejects.toMatchObject({ code: 'MOT-0444' });
    }
    await expect(administrator.denyRequest('pump-1')).rejects.toMatchObject({ code: 'MOT-0447' });
    await administrator.addToken({ name: 'pump-9', roles: ['device'], seconds: 600 });
    expect(await administrator.denyRequest('pump-9')).toEqual({ denied: 0, voided: true });
  }));

it('the queue is bounded, and empties itself after a day', () =>
  withAuthorityAt(async ({ authority: { administrator, broker }, time }) => {
    await administrator.openJoin({ roles: ['device'], seconds: 86_400 });
    const { csr } = await pair();
    for (let n = 0; n < REQUESTS_MAX; n += 1) await broker.askToJoin({ name: `d${n}`, csr });
    await expect(broker.askToJoin({ name: 'one-more', csr })).rejects.toMatchObject({ code: 'MOT-0446' });
    time.ms += DAY;
    await administrator.openJoin({ roles: ['device'], seconds: 600 });
    expect(await broker.askToJoin({ name: 'one-more', csr })).toMatchObject({ state: 'waiting' });
  }));

it('what was fetched or denied keeps nobody else from asking, and is forgotten in that order', () =>
  withAuthorityAt(async ({ authority: { administrator, broker }, time }) => {
    await administrator.openJoin({ roles: ['device'], seconds: 86_400 });
    const { csr } = await pair();
    const ask = (n: number) => broker.askToJoin({ name: `d${n}`, csr });
    await ask(0);
    await administrator.denyRequest('d0');
    for (let n = 1; n <= REQUESTS_MAX; n += 1) {
      time.ms += 1_000;
      expect(await ask(n)).toMatchObject({ state: 'waiting' });
      await administrator.approveRequest(`d${n}`);
      expect(await ask(n)).toMatchObject({ state: 'issued' });
    }
    expect((await administrator.enrolments()).requests).toHaveLength(REQUESTS_MAX);
    // Of those that are over the one that was fetched first gave way; it would have to ask anew.
    expect(await ask(REQUESTS_MAX)).toMatchObject({ state: 'issued' });
    await expect(ask(0)).rejects.toMatchObject({ code: 'MOT-0444', why: expect.stringMatching(/was denied/) });
    expect(await ask(1)).toMatchObject({ state: 'waiting' });
    for (let n = REQUESTS_MAX + 1; n < 2 * REQUESTS_MAX; n += 1)
      expect(await ask(n)).toMatchObject({ state: 'waiting' });
    await expect(ask(1_000)).rejects.toMatchObject({ code: 'MOT-0446' });
    await administrator.denyRequest('d1');
    expect(await ask(1_000)).toMatchObject({ state: 'waiting' });
    expect((await administrator.enrolments()).requests).toHaveLength(REQUESTS_MAX);
  }));
