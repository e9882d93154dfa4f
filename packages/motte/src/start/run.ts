// `motte start`: puts the process together in order, and takes it apart in the opposite one. Everything before "every
// listener accepts" can refuse; nothing is left behind then.

import { adminSocketPath, MotteError } from '@motte/admin';
import { type Broker, createBroker } from '@motte/broker';
import { type Served, serveConsole, serveSocket } from '@motte/broker/api';
import { createLog, type Log, RefusalRing } from '@motte/broker/observe';
import type { AdminView } from '@motte/broker/ports/admin-view';
import { VERSION } from '@motte/broker/ports/version';
import { openRegistry } from '@motte/broker/registry';
import type { Exit } from '../command.ts';
import { loadConfig, type MotteConfig } from '../config/config.ts';
import type { Context } from '../context.ts';
import { prepareData, registryPath } from '../data/layout.ts';
import { lockData } from '../data/lock.ts';
import { codedOf } from '../report.ts';
import { startAuthorityChild } from './authority-child.ts';
import { nextCommands, renderGreeting } from './greeting.ts';
import { createLineWriter } from './line-writer.ts';
import { type Material, obtainMaterial } from './material.ts';
import { changesBetween } from './reload.ts';
import { trustFrom } from './trust.ts';
import { createView } from './view.ts';

/** Runs until a signal ends it; resolves with the exit code. */
export async function runStart(context: Context): Promise<Exit> {
  const ended = endSignals();
  const reloads = reloadSignals();
  let config = loadConfig(context.config);
  prepareData(context.data);
  const undo: (() => Promise<void>)[] = [];
  try {
    undo.push((await lockData(context.data)).release);
    const log = openLog(config);
    const directory = openDirectory(context.data);
    const authority = await startAuthorityChild(context.data, log);
    undo.push(() => authority.close());
    let material = await obtainMaterial(context.data, authority.ready.brokerSocket, config);
    const ring = new RefusalRing();
    const broker = createBroker({ config, tls: material.tls, directory, trust: trustFrom(material.tls.clientCa) });
    broker.observe((event) => ring.observe(event), 'warn');
    let endLog = attachLog(broker, log);

    let phase: AdminView['phase'] = 'starting';
    let renewalFault: string | undefined;
    const view = createView({
      broker,
      ring,
      directory,
      log,
      fingerprint: material.fingerprint,
      phase: () => phase,
      config: () => config,
      findings: () => [
        ...(authority.alive ? [] : [{ subject: 'authority', why: 'it is not running and is being started again' }]),
        ...(renewalFault === undefined ? [] : [{ subject: 'certificate', why: renewalFault }]),
      ],
    });
    const onFault = (fault: Error) =>
      log.say('error', 'the admin API failed', { code: 'MOT-0508', why: fault.message });
    const socket = await serveSocket(view, adminSocketPath(context.data), onFault);
    undo.push(() => socket.close());
    undo.push(() => broker.stop(phase === 'stopping' ? DRAIN_MS : 0));
    await broker.open();
    const webConsole = await openConsole(view, config, material, onFault);
    if (webConsole !== undefined) undo.push(() => webConsole.close());
    phase = 'serving';
    greet(context, log, view, { consolePort: webConsole?.port, created: authority.ready.created });

    const refresh = async (next: MotteConfig): Promise<void> => {
      const fresh = await obtainMaterial(context.data, authority.ready.brokerSocket, next);
      if (JSON.stringify(fresh.tls) === JSON.stringify(material.tls)) return;
      broker.setTls(fresh.tls);
      webConsole?.setTls(fresh.own);
      material = fresh;
      log.say('info', 'the server certificate was replaced', { why: fresh.reissued ?? 'tls.certificate changed' });
    };
    const renewal = setInterval(() => {
      refresh(config).then(
        () => (renewalFault = undefined),
        (fault) => {
          renewalFault = `could not be checked: ${codedOf(fault).why}`;
          log.say('error', 'the server certificate could not be checked', { why: codedOf(fault).why });
        },
      );
    }, RENEWAL_CHECK_MS);
    undo.push(async () => clearInterval(renewal));
    reloads.use(async () => {
      config = await reload(context, config, log, refresh);
      endLog();
      endLog = attachLog(broker, log);
    });

    const signal = await ended;
    phase = 'stopping';
    log.say('info', 'ending', { signal });
    return 0;
  } finally {
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step().catch(() => undefined);
  }
}

/** Events below the log's level are not even built. */
function attachLog(broker: Broker, log: Log): () => void {
  return log.level === 'off' ? () => {} : broker.observe((event) => log.observe(event), log.level);
}

/** The first SIGTERM or SIGINT resolves; the second ends the process where it stands. */
function endSignals(): Promise<string> {
  return new Promise((resolve) => {
    let seen = false;
    const onSignal = (signal: NodeJS.Signals): void => {
      if (seen) process.exit(signal === 'SIGINT' ? 130 : 143);
      seen = true;
      resolve(signal);
    };
    process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  });
}

/** SIGHUP from the first moment on: one that comes before there is anything to reload must not end the process. */
function reloadSignals(): { use(work: () => Promise<void>): void } {
  let last: Promise<void> = Promise.resolve();
  let work: (() => Promise<void>) | undefined;
  process.on('SIGHUP', () => {
    if (work !== undefined) last = last.then(work);
  });
  return {
    use: (next) => {
      work = next;
    },
  };
}

/** Reads, checks and prepares everything, then takes all of it or none: the answer is the configuration in force. */
async function reload(
  context: Context,
  current: MotteConfig,
  log: Log,
  refresh: (next: MotteConfig) => Promise<void>,
): Promise<MotteConfig> {
  try {
    const next = loadConfig(context.config, current.number + 1);
    const changes = changesBetween(current.settings, next.settings);
    const fixed = changes.filter(({ applies }) => applies === 'restart').map(({ key }) => key);
    if (fixed.length > 0) throw new MotteError('MOT-0103', `${fixed.join(', ')} needs a restart`);
    await refresh(next);
    log.level = next.settings.log.level;
    log.say('info', 'the configuration was read again', {
      number: next.number,
      changed: changes.map(({ key }) => key),
    });
    return next;
  } catch (fault) {
    const { code, why } = codedOf(fault);
    const { lines = [] } = fault as { lines?: readonly string[] };
    log.say('error', 'the old configuration stays', { code, why, mistakes: lines });
    return current;
  }
}

async function openConsole(
  view: AdminView,
  config: MotteConfig,
  material: Material,
  onFault: (fault: Error) => void,
): Promise<Served | undefined> {
  if (config.console === undefined) return undefined;
  const { port } = config.console;
  try {
    return await serveConsole(view, { hosts: ['127.0.0.1', '::1'], port, tls: material.own, onFault });
  } catch (fault) {
    const { code, message } = fault as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'another program listens on this port' : message;
    throw new MotteError('MOT-0302', `https://localhost:${port}: ${why}`, { cause: fault });
  }
}

function openDirectory(data: string) {
  try {
    return openRegistry(registryPath(data));
  } catch (fault) {
    throw new MotteError('MOT-0205', (fault as Error).message, { cause: fault });
  }
}

function openLog(config: MotteConfig): Log {
  const { level, shape } = config.settings.log;
  const fit = shape === 'auto' ? (process.stdout.isTTY ? 'text' : 'json') : shape;
  const lines = createLineWriter(process.stdout, (lost) =>
    log.say('error', 'lines of the log were lost: nobody took them', { lost }),
  );
  process.once('exit', lines.flush);
  const log = createLog({ level, shape: fit, write: lines.write });
  return log;
}

function greet(
  context: Context,
  log: Log,
  view: AdminView,
  { consolePort, created }: { consolePort: number | undefined; created: boolean },
): void {
  const { fingerprint } = view.authority();
  const { listeners } = view;
  const { data, dataGiven } = context;
  const text = renderGreeting({ version: VERSION, data, dataGiven, listeners, consolePort, fingerprint, created });
  // Where standard output is a file or a pipe it holds the log and nothing else.
  if (process.stdout.isTTY) context.say(text);
  else context.warn(text);
  log.say('info', 'up', { listeners: listeners.map(({ url }) => url), ca: fingerprint, next: nextCommands(context) });
}

const RENEWAL_CHECK_MS = 3_600_000;
const DRAIN_MS = 5_000;
