// `motte start`: puts the process together in order, and takes it apart in the opposite one. Everything before "every
// listener accepts" can refuse; nothing is left behind then.

import { adminSocketPath, MotteError } from '@motte/admin';
import { createBroker } from '@motte/broker';
import { type Served, serveSocket } from '@motte/broker/api';
import { RefusalRing } from '@motte/broker/observe';
import type { AdminView } from '@motte/broker/ports/admin-view';
import { openBrokerAuthority } from '@motte/pki';
import { runningSource } from '../backup/source.ts';
import type { Exit } from '../command.ts';
import { loadConfig, type MotteConfig } from '../config/config.ts';
import type { Context } from '../context.ts';
import { CLOCK } from '../data/clock.ts';
import { prepareData, timePath, tokensPath } from '../data/layout.ts';
import { lockData } from '../data/lock.ts';
import { judgeInThread } from '../policy/judge-thread.ts';
import { createPolicies } from '../policy/policies.ts';
import { openStoredPolicies } from '../policy/stored-policy.ts';
import { openRevocation } from '../revocation/revocation.ts';
import { Stapling } from '../revocation/stapling.ts';
import { TokenBook } from '../tokens/token-book.ts';
import { removedIssuer } from '../tokens/token-desk.ts';
import { openAuthorityLink } from './authority.ts';
import { careForCertificates } from './certificate-care.ts';
import { readClientAuthorities } from './client-authorities.ts';
import { createEnrolment } from './enrolment.ts';
import { watchExpiry } from './expiry-watch.ts';
import { greet } from './greeting.ts';
import { type Material, obtainMaterial } from './material.ts';
import { withMemoryBudget } from './memory-budget.ts';
import { openConsole } from './open-console.ts';
import { attachLog, openLog } from './open-log.ts';
import { openDataStore, openDirectory } from './open-stored.ts';
import { reload } from './reload.ts';
import { openRevocationFeed } from './revocation-feed.ts';
import { openServiceManager } from './service-manager.ts';
import { endSignals, reloadSignals } from './signals.ts';
import { watchStore } from './store-health.ts';
import { watchForStuckStore } from './store-watch.ts';
import { openTimeFloor } from './time-floor.ts';
import { openTokens } from './tokens.ts';
import { LiveTrust } from './trust.ts';
import { watchTrust } from './trust-watch.ts';
import { createView } from './view.ts';

/** Runs until a signal ends it; resolves with the exit code. */
export async function runStart(context: Context): Promise<Exit> {
  const ended = endSignals();
  const reloads = reloadSignals();
  let config = loadConfig(context.config);
  prepareData(context.data);
  const undo: (() => Promise<void>)[] = [];
  let unsynced: Error | undefined;
  try {
    undo.push((await lockData(context.data)).release);
    const log = openLog(config);
    const manager = openServiceManager({
      env: process.env,
      report: (level, text, why) => log.say(level, text, { why }),
    });
    undo.push(() => manager.close());
    const directory = openDirectory(context.data);
    const policies = createPolicies({
      history: openStoredPolicies(context.data),
      directory,
      listeners: () => config.listeners,
      use: (policy) => broker.usePolicy(policy),
      replay: (policy) => broker.replayPolicy(policy),
      judge: judgeInThread(),
      told: (event) => log.observe(event),
    });
    const budgeted = withMemoryBudget(config);
    manager.status('reading what is stored');
    // Both take their time, and neither needs the other.
    const opening = openDataStore(context.data, budgeted);
    // Told when it is awaited below: until then a refusal is nobody's, and would end the process.
    opening.catch(() => undefined);
    undo.push(async () => (await opening).close());
    if (config.authoritySocket !== undefined) manager.status('waiting for the authority');
    const authority = await openAuthorityLink(context.data, config, log);
    undo.push(() => authority.close());
    const stapling = new Stapling({ clock: CLOCK });
    undo.push(async () => stapling.close());
    const obtain = async (of: MotteConfig, before?: Material) => {
      const whole = await obtainMaterial(context.data, authority.brokerSocket, of, before);
      return { ...whole, tls: stapling.added(whole.tls, of.settings.tls.staple) };
    };
    let material = await obtain(config);
    stapling.use(material.tls);
    stapling.begin();
    const ending = new AbortController();
    const feed = await openRevocationFeed(openBrokerAuthority(authority.brokerSocket, ending.signal));
    undo.push(async () => {
      feed.close();
      ending.abort();
    });
    const { authorities } = material;
    const revocation = await openRevocation({ feed, data: context.data, config, authorities, log });
    undo.push(async () => revocation.close());
    const ring = new RefusalRing();
    const trust = new LiveTrust(revocation);
    trust.take(material.tls.clientCa, material.authorities);
    const book = new TokenBook(tokensPath(context.data), Date.now);
    const tokens = await openTokens({ config, book, directory, log, policy: () => policies.policy });
    undo.push(async () => tokens.close());
    const store = await opening;
    let clockIsRight = (): void => undefined;
    const floor = openTimeFloor({
      path: timePath(context.data),
      told: (event) => {
        log.observe(event);
        if (event.name === 'clock.right') clockIsRight();
      },
    });
    undo.push(() => floor.close());
    await floor.look();
    const broker = createBroker({
      config: budgeted,
      store,
      tls: material.tls,
      directory,
      policy: policies.policy,
      ...tokens.parts,
      trust,
      timeUnknown: floor.unknown,
    });
    broker.observe((event) => ring.observe(event), 'warn');
    revocation.follow(broker);
    const storeFindings = watchStore(store, broker);
    let endLog = attachLog(broker, log);

    const enrolment = createEnrolment({
      config,
      authority,
      material,
      directory,
      ring,
      log,
      timeUnknown: floor.unknown,
    });
    let phase: AdminView['phase'] = 'starting';
    let webConsole: Served | undefined = undefined;
    const certificates = careForCertificates({
      config: () => config,
      material,
      obtain,
      use: (fresh) => {
        broker.setTls(fresh.tls);
        stapling.use(fresh.tls);
        const changed = trust.take(fresh.tls.clientCa, fresh.authorities);
        revocation.setAuthorities(fresh.authorities);
        // First whom no authority may prove any more: nothing of them stays.
        broker.lookForRevoked();
        // Whoever still has a good certificate comes back; the others were let in by a CA that is gone.
        for (const realm of changed) broker.kick({ realm });
        webConsole?.setTls(fresh.own);
        enrolment.setTls(fresh);
        material = fresh;
      },
      log,
    });
    undo.push(async () => certificates.end());
    // What was issued by the wrong clock begins and ends at the wrong time.
    clockIsRight = () => void certificates.refresh(config).catch(() => undefined);
    const trustWatch = watchTrust(authority.brokerSocket, () => certificates.follow(), log);
    undo.push(async () => trustWatch.close());
    const expiry = watchExpiry({
      material: () => material,
      authority: openBrokerAuthority(authority.brokerSocket),
      clients: () => broker.clients(),
      counters: broker.counters,
      told: (event) => log.observe(event),
    });
    undo.push(async () => expiry.close());
    let reloadFault: string | undefined;
    const view = createView({
      broker,
      enrolment,
      ring,
      directory,
      tokens,
      policies,
      log,
      feed,
      authority: () => ({
        fingerprint: material.fingerprint,
        trusted: material.trusted,
        separated: authority.separated,
      }),
      phase: () => phase,
      config: () => config,
      ending: () => expiry.next,
      openBackup: () => runningSource(store, context.data, config.file),
      findings: () => [
        ...authority.findings(),
        ...floor.findings(),
        ...certificates.findings,
        ...expiry.findings(),
        ...trustWatch.findings(Date.now()),
        ...(reloadFault === undefined ? [] : [{ subject: 'configuration', why: reloadFault }]),
        ...storeFindings(),
        ...tokens.findings(),
        ...revocation.findings(),
        ...stapling.findings(),
      ],
    });
    const onFault = (fault: Error) =>
      log.say('error', 'the admin API failed', { code: 'MOT-0508', why: fault.message });
    const socket = await serveSocket(view, adminSocketPath(context.data), onFault);
    undo.push(() => socket.close());
    undo.push(async () => {
      try {
        await broker.stop(phase === 'stopping' ? config.limits.drainMs : 0);
      } catch (fault) {
        unsynced = fault as Error;
      }
    });
    await expiry.look();
    await broker.open();
    webConsole = await openConsole(view, config, material, onFault);
    undo.push(async () => webConsole?.close());
    // Before the doors by which it is asked for: nothing that ends waits for a policy.
    undo.push(async () => policies.close());
    enrolment.start();
    undo.push(() => enrolment.close());
    phase = 'serving';
    greet(context, log, view, { consolePort: webConsole?.port, created: authority.created });
    const serving = (): string => servingText(view);
    manager.ready(serving());
    manager.watch(watchForStuckStore(store), serving);

    reloads.use(async () => {
      manager.reloading();
      reloadFault = undefined;
      config = await reload(
        context,
        config,
        log,
        (why) => (reloadFault = `the old one stays: ${why}`),
        async (next) => {
          const takeTokens = await tokens.prepareAll(next);
          const ofNext = readClientAuthorities(next.clientAuthorities, material.tls.clientCa);
          const takeRevocation = await revocation.prepare(next, ofNext);
          await certificates.refresh(next);
          takeRevocation();
          for (const issuer of takeTokens()) broker.endProofs(removedIssuer(issuer));
          // An issuer may have fewer names than before.
          broker.lookForRevoked();
        },
      );
      endLog();
      endLog = attachLog(broker, log);
      manager.ready(serving());
    });

    const signal = await ended;
    phase = 'stopping';
    reloads.use(async () => undefined);
    log.say('info', 'ending', { signal });
    manager.stopping('letting clients finish what is under way');
  } finally {
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step().catch(() => undefined);
  }
  if (unsynced !== undefined) throw new MotteError('MOT-0209', unsynced.message, { cause: unsynced });
  return 0;
}

/** What `systemctl status` shows beside the program while all is well. */
function servingText({ listeners, counters }: AdminView): string {
  const open = listeners.filter(({ state }) => state === 'open').map(({ url }) => url);
  return `${counters.clientsConnected} clients connected, ${counters.sessions} sessions, listening on ${open.join(' ')}`;
}
