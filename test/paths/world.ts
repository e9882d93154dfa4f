// A broker under the real policy with two kinds of clients: one whose single right is in question, and helpers that may do anything.
// A path plays a story; where the right matters it says so, and from then on the right is there or not.

import type { Connack, ProtocolVersion } from '@motte/wire';
import { createAccess, type PolicyAccess } from '../../packages/broker/src/access/access.ts';
import { policyOf, roleOf } from '../../packages/broker/src/access/policy.ts';
import { type ConnectFields, type RawClient, startTestBroker, type TestBroker } from '../harness/index.ts';

/** What the story showed: the message or the request came through, or it was refused as its version is told. */
export type Outcome = 'through' | 'refused';

export interface PathOptions {
  readonly version: ProtocolVersion;
  /** Whether the right is there in the end. */
  readonly allowed: boolean;
  /** Rules of the tested client that the story needs besides. */
  readonly besides?: readonly string[];
  /** The right itself. */
  readonly right: string;
  /** What takes it away; default its absence. */
  readonly denial?: string;
}

export class World {
  readonly broker: TestBroker;
  readonly version: ProtocolVersion;
  readonly #access: PolicyAccess;
  readonly #options: PathOptions;
  /** Who the next client proves to be, whatever it calls itself. */
  #proven: string | undefined = undefined;

  constructor(options: PathOptions) {
    this.#options = options;
    this.version = options.version;
    this.#access = createAccess(this.#policy(true));
    this.broker = startTestBroker({
      access: this.#access,
      identities: (clientId) => {
        const name = this.#proven ?? clientId;
        return { realm: 'ca:motte', name, kind: 'device', roles: [name === 'tested' ? 'tested' : 'helper'] };
      },
      listener: { authentication: 'certificate', role: undefined, clientIds: 'own' },
    });
  }

  /** The client whose right is in question. */
  tested(fields: ConnectFields = {}): Promise<RawClient> {
    return this.broker.connect('tested', { version: this.version, ...fields });
  }

  helper(name = 'helper', fields: ConnectFields = {}): Promise<RawClient> {
    return this.broker.connect(name, fields);
  }

  /** What a client is answered that proves to be somebody and calls itself as it likes. */
  async as(name: string, clientId: string): Promise<Connack> {
    this.#proven = name;
    const connack = await this.broker.open(this.version).connect(clientId);
    this.#proven = undefined;
    return connack;
  }

  get isAllowed(): boolean {
    return this.#options.allowed;
  }

  /** From here on the right is what the story is to show. */
  decide(): void {
    if (!this.#options.allowed) this.#access.replacePolicy(this.#policy(false));
  }

  /** The same, with time for what a new policy does by itself. */
  async decideAndWait(): Promise<void> {
    this.decide();
    await this.broker.advance(1_000);
  }

  #policy(allowed: boolean) {
    const { besides = [], right, denial } = this.#options;
    const taken = denial === undefined ? [] : [right, denial];
    return policyOf([
      roleOf('helper', ['allow all #']),
      roleOf('tested', [...besides, ...(allowed ? [right] : taken)]),
    ]);
  }
}
