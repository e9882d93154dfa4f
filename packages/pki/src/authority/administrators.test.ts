// Certificates of people who administer: made for administrators alone, and never turned into what connects.

import { createPrivateKey, sign, X509Certificate } from 'node:crypto';
import { expect, it } from 'vitest';
import { createKeyAndCsr } from '../keys.ts';
import { renewalText } from '../protocol/enrolment.ts';
import { deviceNameOf } from '../protocol/names.ts';
import { withAuthorityAt } from '../testing/authority-at.ts';

const pair = () => createKeyAndCsr('x', { type: 'ec' });

it('an administrator is certified by name, and nobody takes the certificate for one that connects', () =>
  withAuthorityAt(async ({ authority: { administrator } }) => {
    const { csr } = await pair();
    const { certificate } = await administrator.issueDevice({ name: 'anna', csr, profile: 'administrator' });
    const leaf = new X509Certificate(certificate);
    expect(leaf.subjectAltName).toBe('URI:motte:administrator:anna');
    expect(deviceNameOf(leaf)).toBeUndefined();
    const rsa = await createKeyAndCsr('x', { type: 'rsa' });
    await expect(
      administrator.issueDevice({ name: 'ben', csr: rsa.csr, profile: 'administrator' }),
    ).rejects.toMatchObject({ code: 'MOT-0430' });
    // Anew, without saying it again.
    const again = await administrator.issueDevice({ name: 'anna', csr, force: true });
    expect(new X509Certificate(again.certificate).subjectAltName).toBe('URI:motte:administrator:anna');
    expect(await administrator.revokeDevice({ name: 'anna' })).toMatchObject({ good: 0, serials: expect.any(Array) });
  }));

it('a name is of one kind for ever: by hand, by token, by approval', () =>
  withAuthorityAt(async ({ authority: { administrator, broker } }) => {
    const { csr } = await pair();
    await administrator.issueDevice({ name: 'anna', csr, profile: 'administrator' });
    await administrator.issueDevice({ name: 'pump-1', csr });
    const wrong = (why: string) => ({ code: 'MOT-0433', why });
    for (const profile of ['device', 'gateway', 'steward'] as const) {
      await expect(administrator.issueDevice({ name: 'anna', csr, force: true, profile })).rejects.toMatchObject(
        wrong('anna is the name of an administrator'),
      );
    }
    await expect(
      administrator.issueDevice({ name: 'pump-1', csr, force: true, profile: 'administrator' }),
    ).rejects.toMatchObject(wrong('pump-1 is the name of a device'));
    const { csr: other } = await pair();
    const { secret } = await administrator.addToken({ name: 'anna', roles: ['device'], seconds: 600 });
    await expect(broker.redeemToken({ token: `anna:${secret}`, csr: other })).rejects.toMatchObject(
      wrong('anna is the name of an administrator'),
    );
    await administrator.openJoin({ roles: ['device'], seconds: 600 });
    expect(await broker.askToJoin({ name: 'anna', csr: other })).toMatchObject({ state: 'waiting' });
    await administrator.approveRequest('anna');
    await expect(broker.askToJoin({ name: 'anna', csr: other })).rejects.toMatchObject(
      wrong('anna is the name of an administrator'),
    );
    expect((await administrator.showDevice('anna')).certificates).toBe(1);
  }));

it('a hostile broker gets nothing for an administrator’s certificate, not even with its key', () =>
  withAuthorityAt(async ({ authority: { administrator, broker } }) => {
    const { key, csr } = await pair();
    const { certificate } = await administrator.issueDevice({ name: 'anna', csr, profile: 'administrator' });
    const next = await pair();
    const proof = sign('sha256', Buffer.from(renewalText(next.csr)), createPrivateKey(key)).toString('base64');
    for (const asked of [
      { certificate, csr: next.csr, proof },
      { certificate, csr, proof: '' },
    ]) {
      await expect(broker.renewDevice(asked)).rejects.toMatchObject({ code: 'MOT-0448' });
    }
    expect((await administrator.enrolments()).requests).toEqual([]);
  }));
