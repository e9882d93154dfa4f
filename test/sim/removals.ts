// Identities that are removed or disabled while their clients are connected or away, and registered again under the same name.
// With an identity go its session, what is queued there, and its will, also over a crash right after; whoever comes
// under the name later begins anew. That nobody else loses anything the ledger sees.

import type { QoS, TopicName, Will } from '@motte/wire';
import { FILTERS } from './fields.ts';
import type { Incident, IncidentParts } from './incident.ts';
import type { Sent } from './ledger.ts';
import { REALM, registered } from './registry.ts';
import { SimClient } from './sim-client.ts';

/** The will of the last connection that was asked for. */
interface LastWill {
  readonly sent: Sent;
  readonly delayMs: number;
  isAccepted: boolean;
  /** Infinity while it is connected. */
  endedAtMs: number;
}

/** A name, and who has it. */
interface Place {
  readonly name: string;
  lives: number;
  /** Undefined while nobody has it. */
  client: SimClient | undefined;
  /** Who had it last. */
  former: SimClient | undefined;
  lastWill: LastWill | undefined;
}

export class Removals implements Incident {
  readonly #parts: IncidentParts;
  readonly #places: readonly Place[];

  constructor(parts: IncidentParts) {
    const { chance, ledger, machine, clients } = parts;
    this.#parts = parts;
    const stays = { id: 'watcher-of-removals', version: 5, wants: [{ filter: 'will/#', qos: 2 }] } as const;
    clients.push(new SimClient(stays, ledger, chance, () => machine.clock.nowMs()));
    this.#places = Array.from({ length: chance.between(1, 2) }, (_, at) => {
      const name = `pump-${at}`;
      return { name, lives: 0, client: undefined, former: undefined, lastWill: undefined };
    });
    for (const place of this.#places) this.#register(place);
  }

  async act(): Promise<void> {
    const { chance } = this.#parts;
    const place = chance.pick(this.#places);
    if (place.client === undefined) {
      // `device remove` answers once its work is on the disk.
      if (chance.oneIn(2) && this.#parts.machine.isWritten) this.#register(place);
      else this.#tryAgain(place);
    } else if (!place.client.isOnline) {
      if (chance.oneIn(4)) await this.#remove(place, place.client);
      else this.#parts.connect(place.client);
    } else if (chance.oneIn(6)) await this.#remove(place, place.client);
    else if (chance.oneIn(8)) place.client.cut();
  }

  rest(): void {
    // Nothing of it waits.
  }

  check(): void {
    for (const { former, client, name } of this.#places) {
      if (former?.isOnline) throw new Error(`${former.id} is still connected, and was removed`);
      if (client === undefined) this.#checkGone(name);
    }
  }

  #register(place: Place): void {
    const { chance, clients, ledger, machine } = this.#parts;
    place.former?.cut();
    place.former = undefined;
    place.lives += 1;
    place.lastWill = undefined;
    void machine.registry.put(registered(place.name, 'plant'));
    const version: 4 | 5 = chance.oneIn(4) ? 4 : 5;
    const wants = [{ filter: chance.pick(FILTERS), qos: chance.int(3) as QoS }];
    const id = `${place.name} of life ${place.lives}`;
    const options = {
      ...{ id, version, wants, clientId: place.name, userName: place.name, isNew: true },
      connecting: () => this.#write(place, id, version),
      accepted: () => this.#accepted(place, id),
      ended: () => {
        if (place.lastWill !== undefined) place.lastWill.endedAtMs = machine.clock.nowMs();
      },
    } as const;
    ledger.arriveNew(id);
    place.client = new SimClient(options, ledger, chance, () => machine.clock.nowMs());
    clients.push(place.client);
  }

  async #remove(place: Place, client: SimClient): Promise<void> {
    const { chance, clients, ledger, machine } = this.#parts;
    this.#forbidWill(place, client);
    clients.splice(clients.indexOf(client), 1);
    ledger.depart(client.id);
    place.client = undefined;
    place.former = client;
    const { registry } = machine;
    const isUnheard = chance.oneIn(5);
    if (isUnheard) registry.silence();
    if (chance.oneIn(3)) void registry.put({ ...registered(place.name, 'plant'), state: 'disabled' });
    else void registry.remove(REALM, place.name);
    if (isUnheard || chance.oneIn(4)) await machine.crash();
    this.#checkGone(place.name);
  }

  /** One who was removed is not let in. */
  #tryAgain({ former }: Place): void {
    if (former !== undefined && !former.isOnline) this.#parts.connect(former);
  }

  /** The broker has nothing of that name. */
  #checkGone(name: string): void {
    for (const { clientId, state } of this.#parts.machine.broker?.clients() ?? []) {
      if (clientId === name && (state === 'connected' || state === 'away')) {
        throw new Error(`${name} is ${state}, and was removed`);
      }
    }
  }

  #accepted({ lastWill, client, name }: Place, id: string): void {
    if (client?.id !== id) throw new Error(`${name} was let in after it was removed`);
    if (lastWill !== undefined) lastWill.isAccepted = true;
  }

  #write(place: Place, publisher: string, version: 4 | 5): Will | undefined {
    const { chance, ledger, machine } = this.#parts;
    place.lastWill = undefined;
    if (chance.oneIn(4)) return undefined;
    const qos = chance.int(3) as QoS;
    const topic = `will/${place.name}`;
    const sending = { publisher, topic, qos, retain: false, isClear: false, lifeMs: Number.POSITIVE_INFINITY };
    const sent = ledger.send(sending, machine.clock.nowMs());
    const { crashes } = machine;
    sent.mayRepeat = () => machine.crashes !== crashes;
    const delayMs = version === 5 ? chance.pick([0, 3_000, 25_000]) : 0;
    place.lastWill = { sent, delayMs, isAccepted: false, endedAtMs: Number.POSITIVE_INFINITY };
    const properties = version === 5 ? { willDelayInterval: delayMs / 1000 } : {};
    const payload = new TextEncoder().encode(String(sent.number));
    return { topic: topic as TopicName, payload, qos, retain: false, properties };
  }

  /** One that has certainly not gone out yet must not do so any more. */
  #forbidWill({ lastWill, name }: Place, client: SimClient): void {
    const { machine } = this.#parts;
    if (lastWill?.isAccepted !== true) return;
    const rows = machine.broker?.clients() ?? [];
    const isOpen = client.isConnected && rows.some(({ clientId, state }) => clientId === name && state === 'connected');
    const isDelayed = !client.isOnline && machine.clock.nowMs() < lastWill.endedAtMs + lastWill.delayMs;
    if (isOpen || isDelayed) lastWill.sent.whyNotNow = () => 'the will goes with its identity';
  }
}
