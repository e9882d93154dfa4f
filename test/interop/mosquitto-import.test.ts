// What Debian's mosquitto decides on the network against what the imported policy decides: a site with an acl_file and one with
// the plugin for dynamic security, twenty users and sixty rules each. MOTTE_SAMPLES asks more of both than `npm test` does.

import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { ImportedRights, importOf } from '../import/imported.ts';
import { aclAllows, matches, type SecurityDocument, securityAllows } from '../import/mosquitto-rules.ts';
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
} from '../import/mosquitto-setups.ts';
import { describeWith } from './counterparts.ts';
import {
  AUDITOR,
  DOLLAR_FILTERS,
  freePort,
  MosquittoBroker,
  PASSWORD,
  type Question,
  VERSION_TOPIC,
} from './mosquitto-broker.ts';

const SAMPLES = Number(process.env['MOTTE_SAMPLES'] ?? '2000');
const SEED = Number(process.env['MOTTE_SEED'] ?? '7');

describeWith(['mosquitto'], 'A policy imported from mosquitto decides as mosquitto does', () => {
  const folder = mkdtempSync(join(tmpdir(), 'motte-referee-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it(`with an acl_file, asked ${SAMPLES} times`, async () => {
    const random = seeded(SEED);
    const acl = `${siteAcl(random)}${ofAuditor()}`;
    const questions = Array.from({ length: SAMPLES }, (): Question => {
      const user = pick(random, USERS);
      const asked = pick(random, ['publish', 'receive'] as const);
      const topic = topicFor(random, aclFilters(acl, random(2) === 0 ? user : undefined), user);
      return random(DOLLAR_EVERY) === 0 ? dollarQuestion(random, asked) : { user, asked, topic };
    });
    const at = join(folder, 'acl');
    const port = await freePort();
    const files = {
      'mosquitto.conf': confOf(port, ['password_file passwd', 'acl_file acl']),
      passwd: [...USERS, AUDITOR].map((user) => `${user}:${mosquittoHash()}`).join('\n'),
      acl,
    };
    await compare({ at, port, files }, questions);
    // By a shared subscription as well, but that mosquitto brings nothing of `$` topics by one, whoever asks.
    const shared = shareSome(questions);
    const { theirs, own } = await bothAnswers({ at, port, files }, shared);
    const different = shared.filter((_one, i) => own[i] !== theirs[i]);
    console.log(`${shared.length} questions by a shared subscription, ${different.length} answered differently`);
    expect(different.filter(({ topic }) => !topic.startsWith('$'))).toEqual([]);
    expect(shared.filter(({ topic }, i) => topic.startsWith('$') && theirs[i] === true)).toEqual([]);
    expect(theirs.filter((answer) => answer).length).toBeGreaterThan(shared.length / 10);
  });

  it.each([1, 2, 3, 4, 5, 6])(
    'or allows less, where the rules of an acl_file cross one another, seed %i',
    async (seed) => {
      const random = seeded(seed);
      const wild = wildAcl(random);
      const acl = `${wild}${ofAuditor()}`;
      const questions = Array.from({ length: 60 }, (): Question => {
        const asked = pick(random, ['publish', 'receive'] as const);
        return { user: pick(random, WILD_USERS), asked, topic: plainTopic(random) };
      });
      const at = join(folder, `wild-acl-${seed}`);
      const port = await freePort();
      const files = {
        'mosquitto.conf': confOf(port, ['password_file passwd', 'acl_file acl']),
        passwd: [...WILD_USERS, AUDITOR].map((user) => `${user}:${mosquittoHash()}`).join('\n'),
        acl,
      };
      const documented = ({ user, asked, topic }: Question) =>
        aclAllows(acl, { user, clientId: user }, asked === 'publish' ? 'publish' : 'receive', topic);
      await compareWild({ at, port, files }, questions, documented);
    },
  );

  it.each([1, 2, 3, 4, 5, 6])('or allows less, where roles cross one another, seed %i', async (seed) => {
    const random = seeded(seed);
    const document = wildSecurity(random);
    const questions = Array.from({ length: 60 }, (): Question => {
      return {
        user: pick(random, WILD_USERS),
        asked: pick(random, ['publish', 'receive'] as const),
        topic: plainTopic(random),
      };
    });
    const at = join(folder, `wild-dynamic-${seed}`);
    const port = await freePort();
    const site = { at, port, files: dynamicFiles(port, document) };
    const documented = ({ user, asked, topic }: Question) =>
      asked === 'publish'
        ? securityAllows(document, user, asked, topic)
        : securityAllows(document, user, 'subscribe', topic) && securityAllows(document, user, 'receive', topic);
    // A literal with wildcards is a right to what is within it in Motte: it brings the same messages.
    const literals = document.roles.flatMap(({ acls }) =>
      acls.filter(({ acltype, allow, topic }) => acltype === 'subscribeLiteral' && allow && /[+#]/.test(topic)),
    );
    const bringsAsMuch = ({ user, asked, topic }: Question) =>
      asked === 'receive' &&
      literals.some((acl) => matches(acl.topic, topic) && securityAllows(document, user, 'subscribe', acl.topic)) &&
      securityAllows(document, user, 'receive', topic);
    await compareWild(site, questions, documented, bringsAsMuch);
  });

  it(`with dynamic security, asked ${SAMPLES} times`, async () => {
    const random = seeded(SEED);
    const document = siteSecurity(random);
    const filters = document.roles.flatMap(({ acls }) => acls.map(({ topic }) => topic));
    const questions = Array.from({ length: SAMPLES }, (): Question => {
      const user = pick(random, USERS);
      const asked = pick(random, ['publish', 'receive', 'subscribe'] as const);
      const topic = topicFor(random, filters, user);
      if (random(DOLLAR_EVERY) === 0) return dollarQuestion(random, asked);
      return { user, asked, topic: asked === 'subscribe' && random(3) === 0 ? pick(random, filters) : topic };
    });
    const port = await freePort();
    const site = { at: join(folder, 'dynamic'), port, files: dynamicFiles(port, document) };
    await compare(site, questions);
    // A shared subscription needs an ACL of its own there: Motte grants it to whoever may subscribe to what is shared.
    const shared = shareSome(questions);
    const { theirs, own } = await bothAnswers(site, shared);
    const more = shared.filter((_one, i) => own[i] === true && theirs[i] === false);
    console.log(`${shared.length} questions by a shared subscription, ${more.length} allowed by Motte alone`);
    expect(theirs).not.toContain(true);
    const plain = await bothAnswers(
      site,
      more.map((question) => ({ ...question, isShared: false })),
    );
    expect(more.filter((_one, i) => plain.theirs[i] !== true)).toEqual([]);
    expect(more.length).toBeGreaterThan(0);
  });
});

interface Site {
  readonly at: string;
  readonly port: number;
  readonly files: Readonly<Record<string, string>>;
}

async function compare(site: Site, questions: readonly Question[]): Promise<void> {
  const { theirs, own } = await bothAnswers(site, questions);
  const differences = questions.flatMap(({ user, asked, topic }, i) =>
    own[i] === theirs[i] ? [] : [`${user} ${asked} ${topic}: mosquitto ${theirs[i]}, Motte ${own[i]}`],
  );
  const allowed = theirs.filter((answer) => answer).length;
  console.log(
    `${questions.length} questions, ${allowed} allowed by mosquitto, ${differences.length} answered differently`,
  );
  expect(differences).toEqual([]);
  expect(allowed).toBeGreaterThan(questions.length / 10);
  expect(allowed).toBeLessThan(questions.length * 0.9);
}

/** What Motte allows mosquitto allows; and mosquitto decides as the tests without it take it to. */
async function compareWild(
  site: Site,
  questions: readonly Question[],
  documented: (question: Question) => boolean,
  bringsAsMuch: (question: Question) => boolean = () => false,
): Promise<void> {
  const { theirs, own } = await bothAnswers(site, questions);
  const shown = (i: number) => `${JSON.stringify(questions[i])}: mosquitto ${theirs[i]}, Motte ${own[i]}`;
  const all = questions.map((_question, i) => i);
  const isMore = (i: number) => own[i] === true && theirs[i] !== true && !bringsAsMuch(questions[i] as Question);
  expect(all.filter(isMore).map(shown)).toEqual([]);
  expect(all.filter((i) => documented(questions[i] as Question) !== theirs[i]).map(shown)).toEqual([]);
}

async function bothAnswers({ at, port, files }: Site, questions: readonly Question[]) {
  const ours = new ImportedRights(importOf(at, files));
  const conf = join(at, 'absolute.conf');
  // mosquitto takes relative paths from where it was started.
  writeFileSync(conf, files['mosquitto.conf']?.replace(/(_file) /g, `$1 ${at}/`) ?? '');
  const broker = await MosquittoBroker.start(conf, port);
  let theirs: boolean[];
  try {
    theirs = await broker.ask(questions);
  } finally {
    await broker.stop();
  }
  const own = questions.map(({ user, asked, topic }) => {
    if (asked === 'publish') return ours.publish(user, topic);
    return ours.subscribe(user, topic) && (asked === 'subscribe' || ours.delivers(user, topic));
  });
  return { theirs, own };
}

function dynamicFiles(port: number, document: SecurityDocument): Record<string, string> {
  const everything = ['publishClientSend', 'publishClientReceive', 'subscribePattern'].flatMap((acltype) =>
    ['#', ...DOLLAR_FILTERS].map((topic) => ({ acltype, topic, priority: 100, allow: true })),
  );
  const auditor = { username: AUDITOR, roles: [{ rolename: AUDITOR, priority: 100 }] };
  return {
    'mosquitto.conf': confOf(port, [`plugin ${pluginPath()}`, 'plugin_opt_config_file dynamic-security.json']),
    'dynamic-security.json': JSON.stringify({
      ...document,
      clients: [...document.clients, auditor].map((client) => ({ ...client, ...hashParts() })),
      roles: [...document.roles, { rolename: AUDITOR, acls: everything }],
    }),
  };
}

function plainTopic(random: Random): string {
  const topic = wildTopic(random);
  return topic.startsWith('$') ? 'a' : topic;
}

/** Asked again by shared subscriptions: whatever they bring or not is another way to what was asked. */
function shareSome(questions: readonly Question[]): Question[] {
  return questions
    .filter(({ asked, topic }) => asked !== 'publish' && topic !== VERSION_TOPIC)
    .slice(0, SHARED_MAX)
    .map((question) => ({ ...question, isShared: true }));
}

/** Those who have a right there are asked more often than others. */
function dollarQuestion(random: Random, asked: Question['asked']): Question {
  const user = pick(random, [...USERS, 'maintenance', 'scada', 'maintenance', 'scada']);
  if (asked === 'subscribe')
    return {
      user,
      asked,
      topic: pick(random, ['$SYS/#', '$SYS/broker/+', '$local/#', '$local/+', dollarTopic(random)]),
    };
  const topic = dollarTopic(random);
  // mosquitto alone publishes elsewhere.
  return { user, asked, topic: asked === 'receive' && !topic.startsWith('$local') ? VERSION_TOPIC : topic };
}

/** The lines of an acl_file that give the auditor everything. */
function ofAuditor(): string {
  return [`user ${AUDITOR}`, ...['#', ...DOLLAR_FILTERS].map((filter) => `topic readwrite ${filter}`), ''].join('\n');
}

function topicFor(random: Random, filters: readonly string[], user: string): string {
  const plain = filters.filter((filter) => !filter.startsWith('$'));
  return nearTopic(random, plain, [user, pick(random, USERS)]);
}

/** As root it would become a user who cannot read the folder. */
function confOf(port: number, lines: readonly string[]): string {
  const base = [
    'per_listener_settings false',
    'allow_anonymous false',
    'set_tcp_nodelay true',
    'max_queued_messages 100000',
  ];
  return `${[...base, ...(process.getuid?.() === 0 ? ['user root'] : []), ...lines, `listener ${port} 127.0.0.1`].join('\n')}\n`;
}

function hashParts(): { iterations: number; salt: string; password: string } {
  const salt = randomBytes(12);
  const password = pbkdf2Sync(PASSWORD, salt, ITERATIONS, 64, 'sha512');
  return { iterations: ITERATIONS, salt: salt.toString('base64'), password: password.toString('base64') };
}

function mosquittoHash(): string {
  const { iterations, salt, password } = hashParts();
  return `$7$${iterations}$${salt}$${password}`;
}

/** Where Debian has it, whatever the machine is. */
function pluginPath(): string {
  const found = readdirSync('/usr/lib')
    .map((name) => join('/usr/lib', name, 'mosquitto_dynamic_security.so'))
    .find((path) => existsSync(path));
  if (found === undefined) throw new Error('the plugin of the package mosquitto is not there');
  return found;
}

const ITERATIONS = 101;
const SHARED_MAX = 1_000;
/** One question in so many is about a `$` topic. */
const DOLLAR_EVERY = 6;
