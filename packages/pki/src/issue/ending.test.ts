import { expect, it } from 'vitest';
import { createKeyAndCsr } from '../keys.ts';
import { ENDING_PAGE } from '../limits.ts';
import { withAuthorityAt } from '../testing/authority-at.ts';

const DAY_MS = 86_400_000;

it('devices whose latest certificate ends soon are named, the first ones first; revoked and long gone ones are not', () =>
  withAuthorityAt(async ({ authority: { administrator, broker }, time }) => {
    const { csr } = await createKeyAndCsr('x', { type: 'ec' });
    const add = (name: string) => administrator.issueDevice({ name, csr, force: true });
    await add('pump-1');
    await add('pump-2');
    time.ms += DAY_MS;
    await add('pump-0');
    time.ms += 698 * DAY_MS;
    expect(await broker.endingDevices(30)).toEqual({ count: 0, devices: [] });
    time.ms += 2.5 * DAY_MS;
    const names = async () => (await broker.endingDevices(30)).devices.map(({ name }) => name);
    expect(await names()).toEqual(['pump-1', 'pump-2', 'pump-0']);
    await add('pump-1');
    expect(await names()).toEqual(['pump-2', 'pump-0']);
    await administrator.revokeDevice({ name: 'pump-2' });
    time.ms += 40 * DAY_MS;
    expect(await names()).toEqual(['pump-0']);
    time.ms += 30 * DAY_MS;
    expect(await names()).toEqual([]);
  }));

it('more of them than fit are counted', () =>
  withAuthorityAt(async ({ authority: { administrator, broker }, time }) => {
    const { csr } = await createKeyAndCsr('x', { type: 'ec' });
    for (let n = 0; n <= ENDING_PAGE; n += 1) await administrator.issueDevice({ name: `d${n}`, csr });
    time.ms += 720 * DAY_MS;
    const { count, devices } = await broker.endingDevices(30);
    expect([count, devices.length]).toEqual([ENDING_PAGE + 1, ENDING_PAGE]);
  }));
