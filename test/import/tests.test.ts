// The tests that an import writes into its policy: they pass, mosquitto would decide the same, and no role that somebody has goes
// without.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lintPolicy, type Policy, runTests } from '@motte/broker/policy';
import { afterAll, describe, expect, it } from 'vitest';
import type { ImportPlan } from '../../packages/motte/src/import/plan.ts';
import { SourceRefused } from '../../packages/motte/src/import/source.ts';
import { parsePolicy } from '../../packages/motte/src/policy/document.ts';
import { importOf, passwordLine } from './imported.ts';
import { aclAllows, type SecurityDocument, securityAllows } from './mosquitto-rules.ts';
import { seeded, siteAcl, siteSecurity, USERS, WILD_USERS, wildAcl, wildSecurity } from './mosquitto-setups.ts';
import { plan, WITH_PASSWORDS } from './planned.ts';

const folder = mkdtempSync(join(tmpdir(), 'motte-import-tests-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let last = 0;

const TLS = 'listener 8883\ncertfile c\nkeyfile k\n';
const BUILT_IN = 4;

function importAcl(acl: string, users: readonly string[]): ImportPlan | undefined {
  const files = {
    'mosquitto.conf': `${TLS}password_file passwd\nacl_file acl\n`,
    passwd: users.map(passwordLine).join('\n'),
    acl,
  };
  try {
    return importOf(join(folder, String(last++)), files);
  } catch (fault) {
    if (fault instanceof SourceRefused) return undefined;
    throw fault;
  }
}

function importSecurity(document: SecurityDocument): ImportPlan {
  const secret = { salt: Buffer.alloc(12).toString('base64'), password: Buffer.alloc(64).toString('base64') };
  const clients = document.clients.map((client) => ({ ...client, ...secret, iterations: 101 }));
  return importOf(join(folder, String(last++)), {
    'mosquitto.conf': `${TLS}plugin mosquitto_dynamic_security.so\nplugin_opt_config_file ds.json\n`,
    'ds.json': JSON.stringify({ ...document, clients }),
  });
}

/** What mosquitto says to the tests of the import's own roles, where it says something else; throws if one fails here. */
function contradicted(
  policy: Policy,
  allows: (name: string, action: 'publish' | 'subscribe', target: string) => boolean,
): string[] {
  expect(runTests(policy, () => undefined).failed).toEqual([]);
  return policy.tests
    .slice(BUILT_IN)
    .filter(({ who, action, target, may }) => allows(who.name, action as 'publish' | 'subscribe', target) !== may)
    .map(({ text }) => text);
}

const inAcl = (acl: string) => (name: string, action: string, target: string) =>
  aclAllows(
    acl,
    { user: name, clientId: name },
    action === 'publish' ? 'publish' : 'receive',
    target.replaceAll(/[+#]/g, 'x'),
  );

describe('the tests of an import', () => {
  it.each([1, 2, 3])('say of every role that somebody has what it allows and what not, seed %i', (seed) => {
    const acl = siteAcl(seeded(seed));
    const document = siteSecurity(seeded(seed));
    for (const made of [importAcl(acl, USERS), importSecurity(document)]) {
      const policy = parsePolicy(made?.policy ?? '', 'policy.yaml');
      const { roles: tested } = runTests(policy, () => undefined);
      const untested = lintPolicy(policy, { identities: undefined, listeners: undefined, tested })
        .filter(({ id }) => id === 'untested')
        .map(({ why }) => why.split(' ').at(-1) as string);
      const held = new Set(made?.identities.flatMap(({ roles }) => roles));
      for (const { roles } of policy.groups.values()) for (const role of roles) held.add(role);
      expect(untested.filter((role) => held.has(role))).toEqual([]);
      expect(policy.tests.filter(({ may }) => may).length).toBeGreaterThan(12);
      expect(policy.tests.filter(({ may, text }) => !may && !text.includes('$SYS')).length).toBeGreaterThan(8);
    }
  });

  it('say what mosquitto says, however its rules cross one another', () => {
    let written = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const acl = wildAcl(seeded(seed));
      const made = importAcl(acl, WILD_USERS);
      const document = wildSecurity(seeded(seed));
      const both = [
        ...(made === undefined ? [] : [[made, inAcl(acl), acl] as const]),
        [
          importSecurity(document),
          (name: string, action: 'publish' | 'subscribe', target: string) =>
            securityAllows(document, name, action, target),
          JSON.stringify(document),
        ] as const,
      ];
      for (const [one, allows, source] of both) {
        const policy = parsePolicy(one.policy, 'policy.yaml');
        expect(contradicted(policy, allows), `seed ${seed}\n${source}`).toEqual([]);
        written += policy.tests.length - BUILT_IN;
      }
    }
    expect(written).toBeGreaterThan(200);
  });

  it('are sentences that people read', () => {
    const made = plan(WITH_PASSWORDS, {
      acl: 'user ada\ntopic read line/1/#\ntopic write a b\nuser bob\ntopic write line/+/x\npattern read in/%u\n',
      passwd: ['ada', 'bob'].map(passwordLine).join('\n'),
    });
    expect(
      made.policy.slice(made.policy.indexOf('  - ada@password may')),
    ).toBe(`  - ada@password may subscribe in/ada as patterns,user-ada
  - ada@password may not publish line/x/x as patterns,user-ada
  - ada@password may subscribe line/1/# as patterns,user-ada
  - bob@password may publish line/x/x as patterns,user-bob
  - bob@password may not subscribe line/1/# as patterns,user-bob
`);
  });

  it('are no more than somebody reads', () => {
    const users = Array.from({ length: 900 }, (_, i) => `u${i}`);
    const acl = users.map((user) => `user ${user}\ntopic readwrite a/${user}/#\n`).join('');
    const made = importAcl(acl, users);
    expect(parsePolicy(made?.policy ?? '', 'policy.yaml').tests).toHaveLength(BUILT_IN + 400);
  });
});
