import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { startTestBroker } from '../../../../test/harness/index.ts';
import type { Identity } from '../ports/identity.ts';
import { DEFAULT_LIMITS, type Limits } from '../ports/limits.ts';
import { NO_QUOTAS } from '../ports/quotas.ts';
import { Owed } from './owed.ts';
import { Session } from './session.ts';

function identity(name: string, kind: Identity['kind'] = 'device'): Identity {
  return { realm: 'ca:motte', name, kind, roles: [] };
}

function begin(owed: Owed, who: Identity): Session {
  const subject = { identity: who, clientId: 'c', facts: {} } as unknown as Session['subject'];
  const rights = { generation: 1, identity: who, quotas: NO_QUOTAS };
  const start = {
    key: 'k',
    identity: who,
    clientId: 'c',
    subject,
    rights,
    expirySeconds: 1,
    generation: 1,
    stored: true,
  };
  return new Session(start, owed.enter(who));
}

describe('what sessions are owed', () => {
  it('whatever happens, the sums are those of the sessions that are there', () => {
    const step = fc.tuple(
      fc.constantFrom('begin', 'end', 'add', 'set'),
      fc.nat(9),
      fc.nat(3),
      fc.integer({ min: -5, max: 50 }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const owed = new Owed(DEFAULT_LIMITS);
        const alive: Session[] = [];
        const ended: Session[] = [];
        for (const [what, at, owner, amount] of steps) {
          const session = alive[at % Math.max(alive.length, 1)];
          if (what === 'begin') alive.push(begin(owed, identity(`d${owner}`)));
          else if (session === undefined) continue;
          else if (what === 'end') {
            owed.leave(session);
            ended.push(...alive.splice(alive.indexOf(session), 1));
          } else if (what === 'add') owed.add(session, amount, amount * 10);
          else owed.set(session, amount, amount * 10);
          // What is settled late, of a session that is over, changes nothing.
          for (const one of ended) owed.add(one, 1, 10);
        }
        const sum = (of: readonly Session[]) => of.reduce((total, { owedMessages }) => total + owedMessages, 0);
        expect([owed.messages, owed.bytes]).toEqual([sum(alive), sum(alive) * 10]);
        for (const name of ['d0', 'd1', 'd2', 'd3']) {
          const own = alive.filter((session) => session.identity.name === name);
          expect(owed.sessionsOf(identity(name))).toBe(own.length);
          if (own[0] !== undefined)
            expect([own[0].account.messages, own[0].account.bytes]).toEqual([sum(own), sum(own) * 10]);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('names the limit that is reached: the queue, those of the identity, those of all', () => {
    const limits: Limits = {
      ...DEFAULT_LIMITS,
      queueMessagesMax: 10,
      queueBytesMax: 1_000,
      queuedBytesPerIdentityMax: 1_500,
      queuedMessagesMax: 30,
      queuedBytesMax: 2_500,
    };
    const owed = new Owed(limits);
    const [a, b, c] = [begin(owed, identity('one')), begin(owed, identity('one')), begin(owed, identity('two'))];
    owed.add(a, 9, 999);
    expect(owed.fullness(a)).toBeUndefined();
    owed.add(a, 1, 0);
    expect(owed.fullness(a)).toBe('its queue is full');
    owed.add(b, 1, 501);
    expect(owed.fullness(b)).toBe('the queues of its identity are full');
    expect(owed.fullness(c)).toBeUndefined();
    expect([owed.hasRoom(c, 0.5), owed.hasRoom(c, 0)]).toEqual([true, false]);
    owed.add(c, 1, 999);
    expect(owed.fullness(c)).toBeUndefined();
    owed.add(b, 1, 1);
    expect(owed.fullness(c)).toBe('the queues of all are full');
    owed.add(a, -5, -900);
    expect(owed.fullness(c)).toBeUndefined();
    owed.add(a, 22, 0);
    expect(owed.fullness(c)).toBe('the queues of all are full');
  });

  it('has no limit of an identity for the anonymous, who are everybody', () => {
    const owed = new Owed({ ...DEFAULT_LIMITS, queuedBytesPerIdentityMax: 10 });
    const nobody = identity('anonymous', 'anonymous');
    const [one, other] = [begin(owed, nobody), begin(owed, nobody)];
    owed.add(one, 1, 100);
    expect(owed.fullness(other)).toBeUndefined();
    expect(owed.sessionsOf(nobody)).toBe(0);
  });

  it('comes to what all queues hold after any traffic, and to nothing once all of it was taken', async () => {
    const broker = startTestBroker({ limits: { queueMessagesMax: 40 } });
    const publisher = await broker.connect('p');
    const keeping = { cleanStart: false, properties: { sessionExpiryInterval: 600 } };
    const away = await broker.connect('away', keeping);
    const slow = await broker.connect('slow', keeping);
    const brief = await broker.connect('brief');
    for (const client of [away, slow, brief]) await client.subscribe('t/#');
    await away.subscribe('$share/g/u');
    await slow.subscribe('$share/g/u');
    await away.cut();
    for (let n = 0; n < 150; n++) {
      await publisher.deliver(n % 5 === 0 ? 'u' : `t/${n % 3}`, `${n}`, { qos: n % 2 === 0 ? 1 : 2 });
      if (n === 70) await brief.cut();
    }
    await broker.advance(1_000);
    const owed = broker.clients().map(({ queuedMessages, inFlight }) => queuedMessages + inFlight);
    expect(broker.counters.queuedMessages).toBe(owed.reduce((total, one) => total + one, 0));
    expect(broker.counters.queuedMessages).toBeGreaterThan(60);
    const back = await broker.connect('away', keeping);
    for (let idle = 0; idle < 3; ) idle = (await takeAll(back)) + (await takeAll(slow)) === 0 ? idle + 1 : 0;
    await broker.advance(1_000);
    expect([broker.counters.queuedMessages, broker.counters.queuedBytes]).toEqual([0, 0]);
  });
});

/** Takes and acknowledges what comes; how much it was. */
async function takeAll(client: Awaited<ReturnType<ReturnType<typeof startTestBroker>['connect']>>): Promise<number> {
  const packets = await client.receiveAll();
  for (const packet of packets) {
    if (packet.type === 'publish') client.ack(packet.qos === 2 ? 'pubrec' : 'puback', packet.packetId);
    if (packet.type === 'pubrel') client.ack('pubcomp', packet.packetId);
  }
  return packets.length;
}
