// What `motte access` says against what a broker does: policies at random, asked about and tried by clients. Whatever the two do not
// agree on, somebody was told wrong.

import type { ListenerFacts } from '@motte/broker/ports/connection-facts';
import type { RegisteredIdentity } from '@motte/broker/ports/directory';
import type { Identity } from '@motte/broker/ports/identity';
import { type TopicFilter, type TopicName, topicMatches } from '@motte/wire';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RawClient, TestBroker } from '../../../../test/harness/index.ts';
import { createAccess } from '../../../broker/src/access/access.ts';
import { MemoryDirectory } from '../../../broker/src/testing/logins.ts';
import { createAccessDesk } from './access-desk.ts';
import { parsePolicy } from './document.ts';

const listener = (name: string, more: Partial<ListenerFacts>): ListenerFacts => ({
  name,
  scheme: 'mqtts',
  authentication: 'certificate',
  role: undefined,
  clientIds: 'own',
  versions: [3, 4, 5],
  ...more,
});
const LISTENERS = [
  listener('devices', {}),
  listener('wide', { role: 'r3', clientIds: 'any' }),
  listener('panel', { authentication: 'password' }),
  listener('lab', { authentication: 'none', role: 'r1', clientIds: 'any' }),
];
const PEOPLE: readonly RegisteredIdentity[] = [
  { realm: 'ca:motte', name: 'a', kind: 'device', roles: ['r1'], state: 'active', addedAtMs: 0 },
  { realm: 'ca:motte', name: 'b', kind: 'device', roles: [], state: 'active', addedAtMs: 0 },
  { realm: 'password', name: 'ann', kind: 'user', roles: ['r2', 'gone'], state: 'active', addedAtMs: 0 },
];
/** Who may do anything, and whom nothing is asked about. */
const ROOT: RegisteredIdentity = { ...(PEOPLE[0] as RegisteredIdentity), name: 'root', roles: ['root'] };
/** By what an identity proves itself. */
const PROOFS: Readonly<Record<string, ListenerFacts['authentication']>> = {
  'ca:motte': 'certificate',
  password: 'password',
};

const oneOf = <T>(...choices: readonly T[]) => fc.constantFrom(...choices);
const level = oneOf('a', 'b', 'ann', 'x', '$x', '');
const topic = fc
  .array(level, { minLength: 1, maxLength: 3 })
  .map((levels) => levels.join('/'))
  .filter((text) => text !== '');
const filter = fc
  .tuple(
    fc.array(oneOf('a', 'b', 'ann', 'x', '$x', '+', '+', '$' + '{device}', '$' + '{user}', '$' + '{client}'), {
      minLength: 1,
      maxLength: 3,
    }),
    oneOf('', '', '/#'),
  )
  .map(([levels, rest]) => levels.join('/') + rest);
const rule = fc
  .tuple(
    oneOf('allow', 'allow', 'allow', 'deny'),
    oneOf('publish', 'subscribe', 'receive', 'all', 'all'),
    fc.oneof(filter, fc.constant('#')),
    oneOf('', '', '', ' qos<=0', ' qos<=1', ' no-retain', ' from 10.0.0.0/8', ' via wide', ' via lab'),
  )
  .map(([effect, action, text, condition]) => `${effect} ${action} ${text}${condition}`);
const rules = fc.array(rule, { minLength: 1, maxLength: 5 });
const policy = fc.tuple(rules, rules, rules, oneOf('a', 'ann@password', 'ann')).map(([r1, r2, r3, member]) =>
  JSON.stringify({
    roles: { r1, r2, r3, root: ['allow all #', 'allow all $x/#'] },
    groups: { g: { roles: ['r2'], members: [member] } },
    defaults: { device: ['r3'], user: ['r3'] },
  }),
);
const question = fc.record({
  who: oneOf(...PEOPLE),
  further: oneOf('', '', '/2'),
  via: oneOf(...LISTENERS),
  from: oneOf('10.1.1.1', '192.0.2.1'),
  topic,
  wanted: fc.oneof(
    topic,
    filter.filter((text) => !text.includes('$' + '{')),
    fc.constant('#'),
  ),
  qos: oneOf(0, 1, 2) as fc.Arbitrary<0 | 1 | 2>,
  retain: fc.boolean(),
});

/** Proven as the listener wants it, or not at all. */
function prove(facts: ListenerFacts, { realm, name, kind, roles }: RegisteredIdentity): Identity | undefined {
  if (facts.authentication === 'none')
    return {
      realm: `listener:${facts.name}`,
      name: 'anonymous',
      kind: 'anonymous',
      roles: facts.role ? [facts.role] : [],
    };
  return facts.authentication === PROOFS[realm] ? { realm, name, kind, roles } : undefined;
}

describe('an answer about rights', () => {
  it('is what a client is told that tries it', async () => {
    await fc.assert(
      fc.asyncProperty(policy, fc.array(question, { minLength: 6, maxLength: 6 }), async (text, questions) => {
        const rulesOfAll = parsePolicy(text, 'p.yaml');
        const desk = createAccessDesk({
          policy: () => rulesOfAll,
          directory: new MemoryDirectory(...PEOPLE),
          listeners: () => LISTENERS,
        });
        const broker = new TestBroker({
          access: createAccess(rulesOfAll),
          authenticate: async ({ facts, userName }) => {
            const who = [...PEOPLE, ROOT].find(({ name }) => name === userName);
            const identity = who && prove(facts.listener, who);
            if (identity === undefined) return { allow: false, reason: 'not-authorized', because: 'x', rule: 'x' };
            return { allow: true, identity, data: undefined, expiresAtMs: 0 };
          },
        });
        try {
          const root = broker.open(5, { listener: LISTENERS[0] as ListenerFacts });
          await root.connect('root', { userName: 'root' });
          for (const { who, further, via, from, topic, wanted, qos, retain } of questions) {
            const clientId = `${who.name}${further}`;
            const client = who.realm === 'password' && further === '' ? `${who.name}@password` : clientId;
            const ask = (action: 'publish' | 'subscribe' | 'receive', about: string) =>
              desk.check({ client, action, topic: about, qos, retain, from, via: via.name }).allow;
            const told = {
              publish: ask('publish', topic),
              subscribe: ask('subscribe', wanted),
              own: ask('subscribe', topic),
              receive: ask('receive', topic),
            };
            const connection = broker.open(5, { listener: via, address: from });
            const { reasonCode } = await connection.connect(clientId, { userName: who.name });
            if (reasonCode !== 0) {
              expect([told.publish, told.subscribe, told.own, told.receive]).toEqual([false, false, false, false]);
              continue;
            }
            await tried(connection, { topic, wanted, qos, retain, told, root });
            await connection.cut();
          }
        } finally {
          await broker.stop();
        }
      }),
      { numRuns: 40 },
    );
  });
});

interface Tried {
  readonly topic: string;
  readonly wanted: string;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly told: Readonly<Record<'publish' | 'subscribe' | 'own' | 'receive', boolean>>;
  readonly root: RawClient;
}

async function tried(client: RawClient, { topic, wanted, qos, retain, told, root }: Tried): Promise<void> {
  if (qos > 0) {
    const code = await client.deliver(topic, 'x', { qos, retain });
    expect([topic, code < 0x80 ? 'taken' : code]).toEqual([topic, told.publish ? 'taken' : 0x87]);
  }
  // What is retained already is not what is asked about.
  const { reasonCodes } = await client.subscribe([
    { filter: wanted, qos: 2, retainHandling: 2 },
    { filter: topic, qos: 2, retainHandling: 2 },
  ]);
  expect([wanted, topic, ...reasonCodes]).toEqual([wanted, topic, told.subscribe ? 2 : 0x87, told.own ? 2 : 0x87]);
  if (qos === 0) root.publish(topic, 'y', { retain });
  else await root.deliver(topic, 'y', { qos, retain });
  const heard = (await client.receiveAll()).filter(({ type }) => type === 'publish').length;
  const isListening = told.own || (told.subscribe && topicMatches(wanted as TopicFilter, topic as TopicName));
  expect([topic, heard]).toEqual([topic, isListening && told.receive ? 1 : 0]);
}
