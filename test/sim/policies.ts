// A policy that changes while messages flow: rights are taken from some clients and given to them, while they are connected or away,
// also with a crash right after. A subscription that is not allowed any more ends, and its connection with it (DISCONNECT
// 0x87); what may not be received any more does not come; what may be again is asked for without a new connection.

import type { QoS } from '@motte/wire';
import { policyOf } from '../../packages/broker/src/access/policy.ts';
import type { BrokerEvent } from '../../packages/broker/src/events.ts';
import { TOPICS } from './fields.ts';
import type { Incident, IncidentParts } from './incident.ts';
import { EVERYBODY } from './machine.ts';
import { registered } from './registry.ts';
import { Rights } from './rights.ts';
import { SimClient } from './sim-client.ts';

interface Subject {
  readonly client: SimClient;
  readonly rights: Rights;
  readonly filters: readonly string[];
  /** The connection that must end, as it had a subscription that ended. */
  ending: number | undefined;
  /** What the broker said when it ended the connection. */
  told: number | undefined;
}

export class Policies implements Incident {
  readonly #parts: IncidentParts;
  readonly #subjects: readonly Subject[];

  constructor(parts: IncidentParts) {
    const { chance, clients } = parts;
    this.#parts = parts;
    this.#subjects = Array.from({ length: chance.between(1, 3) }, (_, at) => this.#subject(`operator-${at}`));
    clients.push(...this.#subjects.map(({ client }) => client));
    this.#use();
  }

  async act(): Promise<void> {
    const { chance, machine } = this.#parts;
    const subject = chance.pick(this.#subjects);
    const { client } = subject;
    if (chance.oneIn(3)) {
      this.#change(subject);
      if (chance.oneIn(8)) await machine.crash();
    } else if (!client.isOnline) this.#parts.connect(client);
    else if (chance.oneIn(2)) client.subscribe();
    else client.publish(chance.pick(TOPICS), chance.int(3) as QoS);
  }

  rest(): void {
    // Nothing of it waits.
  }

  check(): void {
    this.#parts.ledger.calm();
    for (const { client, rights, ending } of this.#subjects) {
      rights.calm();
      if (ending !== undefined && client.isOnline && client.connections === ending) {
        throw new Error(`${client.id} lost a subscription, and is still connected`);
      }
    }
  }

  observe(event: BrokerEvent): boolean {
    if (event.name !== 'session.dropped-message' || !event.why.startsWith('it may not be received any more'))
      return false;
    const subject = this.#subjects.find(({ client }) => client.clientId === event.clientId);
    // That what it may receive comes, the ledger sees.
    return subject?.rights.mayReceive(event.topic) === false;
  }

  #subject(name: string): Subject {
    const { chance, ledger, machine } = this.#parts;
    void machine.registry.put(registered(name, name));
    const wants = [{ filter: chance.pick(WIDE), qos: chance.int(3) as QoS }];
    if (chance.oneIn(2)) wants.push({ filter: chance.pick(NARROW), qos: chance.int(3) as QoS });
    const filters = wants.map(({ filter }) => filter);
    const rights = new Rights(name, filters, ledger);
    ledger.bind(name, rights);
    const options = {
      ...{ id: name, version: chance.oneIn(4) ? (4 as const) : (5 as const), wants, userName: name, rights },
      dismissed: (code: number) => {
        subject.told = code;
      },
      ended: (wasCut: boolean) => this.#ended(subject, wasCut),
    } as const;
    const client = new SimClient(options, ledger, chance, () => machine.clock.nowMs());
    const subject: Subject = { client, rights, filters, ending: undefined, told: undefined };
    return subject;
  }

  #change(subject: Subject): void {
    const { chance, ledger, machine } = this.#parts;
    const { client, rights, filters } = subject;
    const rows = machine.broker?.clients() ?? [];
    const isOpen = client.isConnected && rows.some((row) => row.clientId === client.id && row.state === 'connected');
    const roll = chance.int(4);
    if (roll < 2) rights.toggle({ read: chance.pick(filters) });
    else rights.toggle(roll === 2 ? { hide: chance.pick(TOPICS) } : {});
    const lost = ledger.rightsChanged(client.id, client.isAsking);
    if (lost && isOpen) {
      subject.ending = client.connections;
      subject.told = undefined;
    }
    this.#use();
  }

  #ended(subject: Subject, wasCut: boolean): void {
    const { client, ending, told } = subject;
    if (ending !== client.connections) return;
    subject.ending = undefined;
    if (!wasCut && client.version === 5 && told !== 0x87) throw new Error(`${client.id} was told ${told}, not 0x87`);
  }

  #use(): void {
    const { machine } = this.#parts;
    machine.usePolicy(policyOf([EVERYBODY, ...(this.#subjects ?? []).map(({ rights }) => rights.role)]));
  }
}

const WIDE = ['plant/#', 'plant/+', '+/b'];
const NARROW = ['plant/a', 'plant/b/#', 'other'];
