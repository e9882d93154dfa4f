import type { BrokerEvent } from '@motte/broker/events';
import { Counters } from '@motte/broker/ports/counters';
import { beforeAll, describe, expect, it } from 'vitest';
import { createTestAuthority, type TestAuthority } from '../../../../test/fixtures/certificates.ts';
import { endingCertificates } from './ending-certificates.ts';
import { type ExpiryWatchParts, watchExpiry } from './expiry-watch.ts';

const DAY_MS = 86_400_000;
/** Certificates of these tests are made now: CAs end in 30 days, and their leaves in 20. */
const MADE_MS = Date.now();

let own: TestAuthority;
let plant: TestAuthority;
let material: ReturnType<ExpiryWatchParts['material']>;
beforeAll(() => {
  own = createTestAuthority('Motte');
  plant = createTestAuthority('Plant');
  material = {
    tls: { ...own.server(), clientCa: own.ca, further: [plant.issue('gate', { extendedKeyUsage: 'serverAuth' })] },
    authorities: [{ realm: 'ca:plant', certificates: [plant.root.cert, plant.issuing.cert] }],
  };
});

function watch(further: Partial<ExpiryWatchParts> = {}) {
  const events: BrokerEvent[] = [];
  const counters = new Counters();
  let atMs = MADE_MS - 100 * DAY_MS;
  const watching = watchExpiry({
    material: () => material,
    authority: { endingDevices: async () => ({ count: 0, devices: [] }) },
    clients: () => [],
    counters,
    told: (event) => events.push(event),
    nowMs: () => atMs,
    ...further,
  });
  watching.close();
  const at = async (days: number) => {
    atMs = MADE_MS + (days - 0.5) * DAY_MS;
    await watching.look();
    return events.splice(0).map((event) => {
      if (event.name !== 'certificate.ending') throw new Error(event.name);
      return `${event.kind} ${event.subject} ${event.daysLeft}`;
    });
  };
  return { watching, counters, at };
}

it('everything that is shown or trusted is known by its end, whose it is, and what it is', () => {
  const names = endingCertificates(material).map(({ kind, name, isOwn }) => `${kind} ${name}${isOwn ? ', own' : ''}`);
  expect(names.sort()).toEqual([
    'ca CN=Motte issuing, own',
    'ca CN=Motte, own',
    'ca CN=Plant (ca:plant)',
    'ca CN=Plant issuing (ca:plant)',
    'server CN=Motte server, own',
    'server CN=gate',
  ]);
});

describe('of servers and CAs', () => {
  it('nothing is said while there is time', async () => {
    const { watching, counters, at } = watch();
    expect(await at(-40)).toEqual([]);
    expect(watching.findings()).toEqual([]);
    expect(counters.certificateDaysLeft).toBe(60);
    // Leaves and issuing CAs end within a second of each other: which comes first is chance, that it is the first is not.
    const ends = watching.next.map(({ notAfterMs }) => notAfterMs);
    expect(ends).toEqual([...ends].sort((a, b) => a - b));
    expect(watching.next.map(({ kind }) => kind)).toContain('server');
  });

  it('each that ends within 30 days is told once a day, and is a finding until it is replaced', async () => {
    const { watching, counters, at } = watch();
    // The authority renews its own at 30 days; that it did not is said a day later.
    expect(await at(-10)).toEqual([]);
    expect((await at(-9)).sort()).toEqual([
      'ca CN=Motte issuing 29',
      'ca CN=Plant issuing (ca:plant) 29',
      'server CN=gate 29',
    ]);
    expect(await at(-9)).toEqual([]);
    expect(watching.findings()).toContainEqual({
      subject: 'certificate',
      why: expect.stringMatching(
        /^the server certificate CN=gate ends in 29 days, on .*: put a new one into its files/,
      ),
    });
    const all = await at(15);
    expect(all.sort()).toEqual([
      'ca CN=Motte 15',
      'ca CN=Motte issuing 5',
      'ca CN=Plant (ca:plant) 15',
      'ca CN=Plant issuing (ca:plant) 5',
      'server CN=Motte server 5',
      'server CN=gate 5',
    ]);
    expect(counters.certificateDaysLeft).toBe(5);
    material = { ...material, tls: { ...material.tls, further: [] } };
    expect(
      watching
        .findings()
        .map(({ why }) => why)
        .join(),
    ).not.toContain('gate');
  });

  it('one that has ended is told as that, day by day', async () => {
    const { watching, at } = watch();
    expect(await at(21)).toContain('server CN=Motte server -1');
    expect(await at(22)).toContain('server CN=Motte server -2');
    expect(watching.findings().map(({ why }) => why)).toContainEqual(
      expect.stringMatching(/has ended, on .*: the authority renews it by itself, and something keeps/),
    );
  });
});

describe('of devices', () => {
  const notAfter = new Date(MADE_MS - 30 * DAY_MS).toISOString();
  const authority = {
    endingDevices: async () => ({ count: 7, devices: [{ name: 'pump-1', notAfter }] }),
  };
  const clients = () => [
    { identity: 'pump-1@ca:plant', certificateDaysLeft: 3 },
    { identity: 'pump-2@ca:plant', certificateDaysLeft: 300 },
    { identity: 'pump-3', certificateDaysLeft: 3 },
    { identity: 'ada@password', certificateDaysLeft: null },
  ];

  it('those of the own authority are told once a day, of others while they are connected; neither is a finding', async () => {
    const { watching, counters, at } = watch({ authority, clients });
    expect(await at(-40)).toEqual(['device pump-1 10', 'device pump-1@ca:plant 3']);
    expect(await at(-40)).toEqual([]);
    expect(await at(-39)).toEqual(['device pump-1 9', 'device pump-1@ca:plant 3']);
    expect(counters.devicesEnding).toBe(8);
    expect(watching.findings()).toEqual([]);
    expect(watching.next.slice(0, 2).map(({ name }) => name)).toEqual(['pump-1@ca:plant', 'pump-1']);
  });

  it('an authority that cannot say keeps what it said', async () => {
    let isSilent = false;
    const { watching, at } = watch({
      authority: { endingDevices: () => (isSilent ? Promise.reject(new Error('silent')) : authority.endingDevices()) },
    });
    await at(-40);
    isSilent = true;
    expect(await at(-39)).toEqual(['device pump-1 9']);
    expect(watching.next[0]).toMatchObject({ name: 'pump-1' });
  });
});
