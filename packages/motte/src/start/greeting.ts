// What a person sees when the broker is up: what is listening, whom to trust, and what to type next.

import { relative, resolve } from 'node:path';
import type { Log } from '@motte/broker/observe';
import type { AdminView, ListenerRow } from '@motte/broker/ports/admin-view';
import { VERSION } from '@motte/broker/ports/version';
import { groupFingerprint } from '@motte/pki/protocol';
import type { Context } from '../context.ts';

export interface GreetingFacts {
  readonly version: string;
  readonly data: string;
  readonly dataGiven: string | undefined;
  readonly listeners: readonly ListenerRow[];
  readonly consolePort: number | undefined;
  readonly fingerprint: string;
  readonly created: boolean;
  readonly separated: boolean;
}

/** Says it where a person reads it, and the gist of it in the log. */
export function greet(
  context: Context,
  log: Log,
  view: AdminView,
  { consolePort, created }: { consolePort: number | undefined; created: boolean },
): void {
  const { fingerprint, separated } = view.authority();
  const { listeners } = view;
  const { data, dataGiven } = context;
  const text = renderGreeting({
    version: VERSION,
    data,
    dataGiven,
    listeners,
    consolePort,
    fingerprint,
    created,
    separated,
  });
  // Where standard output is a file or a pipe it holds the log and nothing else.
  if (process.stdout.isTTY) context.say(text);
  else context.warn(text);
  log.say('info', 'up', { listeners: listeners.map(({ url }) => url), ca: fingerprint, next: nextCommands(context) });
}

/** Several lines; the last three work when pasted into a second shell in the same directory. */
export function renderGreeting(facts: GreetingFacts): string {
  const proof = (row: ListenerRow) => PROOFS.get(row.authentication) ?? row.authentication;
  const doors: [string, string, string][] = facts.listeners.map((row) => [row.name, row.url, proof(row)]);
  if (facts.consolePort !== undefined)
    doors.push(['console', `https://localhost:${facts.consolePort}`, 'this machine only']);
  if (doors.length === 0) doors.push(['-', 'no listener', '']);
  const widths = [0, 1].map((column) => Math.max(...doors.map((door) => door[column]?.length ?? 0)));
  const lines = doors.map(
    ([name, url, note]) => `  ${name.padEnd(widths[0] ?? 0)}  ${url.padEnd(widths[1] ?? 0)}  ${note}`,
  );
  return [
    '',
    `motte ${facts.version} is up; every listener accepts connections`,
    ...lines,
    `  CA${facts.created ? ' (made just now)' : ''}, SHA-256 ${groupFingerprint(facts.fingerprint)}`,
    `  data in ${facts.data}`,
    facts.separated
      ? '  CA separated: the authority runs as another user'
      : '  trial mode: CA not separated (the authority runs as the same user)',
    '',
    'Enrol two devices and send a first message, in a second shell:',
    ...nextCommands(facts).map((line) => `  ${line}`),
    '',
  ].join('\n');
}

/** The message is retained, so that it does not matter which of the two is connected first. */
export function nextCommands({ dataGiven }: Pick<GreetingFacts, 'dataGiven'>): string[] {
  const motte = process.env['npm_lifecycle_event'] === undefined ? 'motte' : 'npx motte';
  const data = dataGiven === undefined ? '' : ` --data ${quoted(shorter(dataGiven))}`;
  return [
    `${motte} device add pump-1${data} && ${motte} device add panel --role operator${data}`,
    `${motte} sub 'devices/#' --as panel${data} &`,
    `${motte} pub devices/pump-1/up/temperature 21.5 --retain --as pump-1${data}`,
  ];
}

function shorter(path: string): string {
  const near = relative(process.cwd(), resolve(path));
  return near !== '' && !near.startsWith('..') ? `./${near}` : resolve(path);
}

function quoted(text: string): string {
  return /^[A-Za-z0-9_./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** What a listener asks for, in words. */
const PROOFS: ReadonlyMap<string, string> = new Map([
  ['certificate', 'client certificate'],
  ['password', 'user name and password'],
  ['psk', 'pre-shared key'],
  ['scram', 'SCRAM-SHA-256'],
  ['any', 'any proof of identity'],
  ['none', 'no proof of identity (waiver)'],
]);
