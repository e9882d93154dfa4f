// A set-up of mosquitto in a folder, imported, and the decisions of the policy that it became.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TopicFilter, TopicName } from '@motte/wire';
import { createAccess } from '../../packages/broker/src/access/access.ts';
import type { Access, Rights } from '../../packages/broker/src/ports/access.ts';
import { type ImportPlan, planImport } from '../../packages/motte/src/import/plan.ts';
import { parsePolicy } from '../../packages/motte/src/policy/document.ts';

/** 2026-01-01. */
export const NOW_MS = 1_767_225_600_000;

/** Writes the files, `mosquitto.conf` among them, and plans their import. */
export function importOf(folder: string, files: Readonly<Record<string, string>>): ImportPlan {
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return planImport({ path: folder, data: '/srv/motte', nowMs: NOW_MS });
}

/** A line of a password_file that no password fits. */
export function passwordLine(user: string): string {
  return `${user}:$6$${Buffer.alloc(12).toString('base64')}$${Buffer.alloc(64).toString('base64')}`;
}

export class ImportedRights {
  readonly #access: Access;
  readonly #plan: ImportPlan;
  readonly #rights = new Map<string, Rights>();

  constructor(plan: ImportPlan) {
    this.#plan = plan;
    this.#access = createAccess(parsePolicy(plan.policy, 'policy.yaml'));
  }

  /** As a user whose client id is its name, over a listener that demands that. */
  publish(user: string, topic: string): boolean {
    return this.#access.publish(this.#of(user), topic as TopicName, 0, false, { payload: new Uint8Array() }).allow;
  }

  subscribe(user: string, filter: string): boolean {
    return this.#access.subscribe(this.#of(user), filter as TopicFilter).allow;
  }

  /** What a subscription that was granted brings. */
  delivers(user: string, topic: string): boolean {
    return this.#access.receive(this.#of(user), topic as TopicName) === 'always';
  }

  #of(user: string): Rights {
    const known = this.#rights.get(user);
    if (known !== undefined) return known;
    const identity = this.#plan.identities.find(({ name, realm }) => name === user && realm === 'password');
    if (identity === undefined) throw new Error(`${user} was not imported`);
    const rights = this.#access.rightsOf({
      identity,
      clientId: user,
      facts: {
        address: '10.1.1.1',
        listener: {
          name: 'mqtts-8883',
          scheme: 'mqtts',
          authentication: 'password',
          role: undefined,
          clientIds: 'own',
          versions: [5],
        },
      },
    });
    this.#rights.set(user, rights);
    return rights;
  }
}
