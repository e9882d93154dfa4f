// An imported policy against what mosquitto's documentation says: set-ups as sites have them decide the same; set-ups in which
// everything crosses everything decide the same or less, never more.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { SourceRefused } from '../../packages/motte/src/import/source.ts';
import { ImportedRights, importOf, passwordLine } from './imported.ts';
import { aclAllows, matches, type SecurityDocument, securityAllows } from './mosquitto-rules.ts';
import {
  aclFilters,
  dollarTopic,
  nearTopic,
  pick,
  type Random,
  seeded,
  siteAcl,
  siteSecurity,
  USERS,
  WILD_USERS,
  wildAcl,
  wildSecurity,
  wildTopic,
} from './mosquitto-setups.ts';

const folder = mkdtempSync(join(tmpdir(), 'motte-import-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let last = 0;

function importAcl(acl: string, users: readonly string[]): ImportedRights {
  const conf = 'listener 8883\ncertfile c\nkeyfile k\npassword_file passwd\nacl_file acl\n';
  const passwd = users.map(passwordLine).join('\n');
  return new ImportedRights(importOf(join(folder, String(last++)), { 'mosquitto.conf': conf, passwd, acl }));
}

function importSecurity(document: SecurityDocument): ImportedRights {
  const conf =
    'listener 8883\ncertfile c\nkeyfile k\nplugin /usr/lib/mosquitto_dynamic_security.so\nplugin_opt_config_file ds.json\n';
  const secret = { salt: Buffer.alloc(12).toString('base64'), password: Buffer.alloc(64).toString('base64') };
  const clients = document.clients.map((client) => ({ ...client, ...secret, iterations: 101 }));
  const text = JSON.stringify({ ...document, clients }, null, '\t');
  return new ImportedRights(importOf(join(folder, String(last++)), { 'mosquitto.conf': conf, 'ds.json': text }));
}

describe('as sites have them', () => {
  it.each([1, 2, 3, 4, 5])('an acl_file decides the same for 2,000 questions, seed %i', (seed) => {
    const random = seeded(seed);
    const acl = siteAcl(random);
    const ours = importAcl(acl, USERS);
    const differences: string[] = [];
    let allowed = 0;
    for (let i = 0; i < 2_000; i++) {
      const user = pick(random, USERS);
      const filters = aclFilters(acl, random(2) === 0 ? user : undefined);
      const topic = random(6) === 0 ? dollarTopic(random) : nearTopic(random, filters, [user, pick(random, USERS)]);
      const asked = random(2) === 0 ? 'publish' : 'receive';
      const theirs = aclAllows(acl, { user, clientId: user }, asked, topic);
      const own =
        asked === 'publish' ? ours.publish(user, topic) : ours.subscribe(user, topic) && ours.delivers(user, topic);
      if (theirs) allowed += 1;
      if (theirs !== own) differences.push(`${user} ${asked} ${topic}: mosquitto ${theirs}`);
    }
    expect(differences).toEqual([]);
    expect(allowed).toBeGreaterThan(200);
  });

  it.each([1, 2, 3, 4, 5])('dynamic security decides the same for 2,000 questions, seed %i', (seed) => {
    const random = seeded(seed);
    const document = siteSecurity(random);
    const ours = importSecurity(document);
    const filters = document.roles.flatMap(({ acls }) => acls.map(({ topic }) => topic));
    const differences: string[] = [];
    let allowed = 0;
    for (let i = 0; i < 2_000; i++) {
      const user = pick(random, USERS);
      const asked = pick(random, ['publish', 'subscribe', 'receive'] as const);
      const topic = random(6) === 0 ? dollarTopic(random) : nearTopic(random, filters, [user, pick(random, USERS)]);
      const theirs =
        asked === 'receive' ? receives(document, user, topic) : securityAllows(document, user, asked, topic);
      const own = {
        publish: () => ours.publish(user, topic),
        subscribe: () => ours.subscribe(user, topic),
        receive: () => ours.subscribe(user, topic) && ours.delivers(user, topic),
      }[asked]();
      if (theirs) allowed += 1;
      if (theirs !== own) differences.push(`${user} ${asked} ${topic}: mosquitto ${theirs}`);
    }
    expect(differences).toEqual([]);
    expect(allowed).toBeGreaterThan(200);
  });
});

describe('in which everything crosses everything', () => {
  it('an acl_file never allows more than it did', () => {
    const opened: string[] = [];
    let both = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const random = seeded(seed);
      const acl = wildAcl(random);
      const ours = importUnlessRefused(acl);
      if (ours === undefined) continue;
      for (let i = 0; i < 30; i++) {
        const user = pick(random, WILD_USERS);
        const topic = wildTopic(random);
        const asked = random(2) === 0 ? 'publish' : 'receive';
        const own = asked === 'publish' ? ours.publish(user, topic) : reads(ours, random, user, topic);
        if (!own) continue;
        if (aclAllows(acl, { user, clientId: user }, asked, topic)) both += 1;
        else opened.push(`seed ${seed}: ${user} ${asked} ${topic}\n${acl}`);
      }
    }
    expect(opened).toEqual([]);
    expect(both).toBeGreaterThan(250);
  });

  it('dynamic security never brings a message to anybody who could not have it', () => {
    const opened: string[] = [];
    let both = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const random = seeded(seed);
      const document = wildSecurity(random);
      const ours = importSecurity(document);
      for (let i = 0; i < 30; i++) {
        const user = pick(random, WILD_USERS);
        const topic = wildTopic(random);
        const asked = random(2) === 0 ? 'publish' : 'receive';
        const own = asked === 'publish' ? ours.publish(user, topic) : reads(ours, random, user, topic);
        if (!own) continue;
        const theirs =
          asked === 'publish' ? securityAllows(document, user, asked, topic) : receives(document, user, topic);
        if (theirs) both += 1;
        else opened.push(`seed ${seed}: ${user} ${asked} ${topic}\n${JSON.stringify(document, null, 1)}`);
      }
    }
    expect(opened).toEqual([]);
    expect(both).toBeGreaterThan(250);
  });
});

/** Undefined for the few that are refused: a deny of `$` topics for a part of a level. */
function importUnlessRefused(acl: string): ImportedRights | undefined {
  try {
    return importAcl(acl, WILD_USERS);
  } catch (fault) {
    if (fault instanceof SourceRefused) return undefined;
    throw fault;
  }
}

/** By any subscription that might bring it. */
function reads(ours: ImportedRights, random: Random, user: string, topic: string): boolean {
  return widenings(random, topic).some((filter) => ours.subscribe(user, filter)) && ours.delivers(user, topic);
}

/** The topic, and filters that match it. */
function widenings(random: Random, topic: string): string[] {
  const levels = topic.split('/');
  const some = Array.from({ length: 6 }, () =>
    levels.map((level, i) => (random(3) === 0 && !(i === 0 && level.startsWith('$')) ? '+' : level)).join('/'),
  );
  const open = levels.slice(0, -1).map((_level, i) => `${levels.slice(0, i + 1).join('/')}/#`);
  return [topic, ...some, ...open, ...(topic.startsWith('$') ? [] : ['#'])].filter((filter) => matches(filter, topic));
}

/** True if mosquitto would deliver it to one who subscribes as is best for that. */
function receives(document: SecurityDocument, user: string, topic: string): boolean {
  if (!securityAllows(document, user, 'receive', topic)) return false;
  const own = document.roles
    .flatMap(({ acls }) => acls.map((acl) => acl.topic))
    .filter((filter) => matches(filter, topic));
  const levels = topic.split('/');
  const bits = Array.from({ length: 2 ** levels.length }, (_, mask) =>
    levels.map((level, i) => ((mask >> i) & 1 ? '+' : level)),
  );
  const all = bits.flatMap((some) => [
    some.join('/'),
    ...some.map((_level, i) => [...some.slice(0, i), '#'].join('/')),
    [...some, '#'].join('/'),
  ]);
  return [topic, ...own, ...all]
    .filter((filter) => matches(filter, topic))
    .some((filter) => securityAllows(document, user, 'subscribe', filter));
}
