import { expect, it } from 'vitest';
import { createKeyAndCsr } from '../keys.ts';
import { type AuthorityAt, withAuthorityAt } from '../testing/authority-at.ts';

const csrOf = async () => (await createKeyAndCsr('x', { type: 'ec' })).csr;
const refused = (why: RegExp) => ({ code: 'MOT-0444', why: expect.stringMatching(why) });

/** A device that asks for a name, approved or not. */
async function asking({ authority: { administrator, broker } }: AuthorityAt, name: string, approved: boolean) {
  await administrator.openJoin({ roles: ['device'], seconds: 600 });
  const asked = { name, csr: await csrOf() };
  expect(await broker.askToJoin(asked)).toMatchObject({ state: 'waiting' });
  if (approved) await administrator.approveRequest(name);
  return asked;
}

it.each([true, false])('a certificate made by hand voids a request for the name, approved: %s', (approved) =>
  withAuthorityAt(async (world) => {
    const { administrator, broker } = world.authority;
    const asked = await asking(world, 'pump-1', approved);
    const other = await asking(world, 'pump-2', approved);
    await administrator.issueDevice({ name: 'pump-1', csr: await csrOf() });
    await expect(broker.askToJoin(asked)).rejects.toMatchObject(refused(/was denied/));
    await expect(administrator.approveRequest('pump-1')).rejects.toMatchObject({ code: 'MOT-0447' });
    expect((await administrator.showDevice('pump-1')).certificates).toBe(1);
    expect(await broker.askToJoin(other)).toMatchObject({ state: approved ? 'issued' : 'waiting' });
  }),
);

it('a device that is revoked comes back by no token and no request of before, one certificate of it changes nothing', () =>
  withAuthorityAt(async (world) => {
    const { administrator, broker } = world.authority;
    const { serial } = await administrator.issueDevice({ name: 'pump-1', csr: await csrOf() });
    const asked = await asking(world, 'pump-1', true);
    const { secret } = await administrator.addToken({ name: 'pump-1', roles: ['device'], seconds: 600 });
    await administrator.revokeDevice({ name: 'pump-1', serial });
    expect((await administrator.enrolments()).tokens).toHaveLength(1);
    await administrator.revokeDevice({ name: 'pump-1' });
    expect((await administrator.enrolments()).tokens).toEqual([]);
    await expect(broker.askToJoin(asked)).rejects.toMatchObject(refused(/was denied/));
    const token = `pump-1:${secret}`;
    await expect(broker.redeemToken({ token, csr: await csrOf() })).rejects.toMatchObject(refused(/no token/));
    // And afterwards it is enrolled anew as any other.
    await administrator.addToken({ name: 'pump-1', roles: ['device'], seconds: 600 });
    expect((await administrator.enrolments()).tokens).toMatchObject([{ name: 'pump-1', state: 'open' }]);
  }));

it('what was fetched already is not denied afterwards', () =>
  withAuthorityAt(async (world) => {
    const { administrator, broker } = world.authority;
    const asked = await asking(world, 'pump-1', true);
    const issued = await broker.askToJoin(asked);
    await administrator.issueDevice({ name: 'pump-1', csr: await csrOf(), force: true });
    // The answer may have been lost: for a while it is given again.
    expect(await broker.askToJoin(asked)).toEqual(issued);
  }));
