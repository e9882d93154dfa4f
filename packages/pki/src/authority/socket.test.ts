import { lstat, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { Server } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { openAuthority, openBrokerAuthority } from '../client/client.ts';
import { createKeyAndCsr } from '../keys.ts';
import { ADMINISTRATOR_SOCKET, BROKER_SOCKET } from '../limits.ts';
import { METHODS } from '../protocol/methods.ts';
import { withDataDirectory } from '../testing/data-directory.ts';
import { openRawPeer } from '../testing/raw-peer.ts';
import { type AuthorityOptions, type RunningAuthority, startAuthority } from './start.ts';

const withSockets = (
  work: (authority: RunningAuthority, data: string) => Promise<void>,
  options: Partial<AuthorityOptions> = {},
) =>
  withDataDirectory(async (data) => {
    const authority = await startAuthority({ data, ...options });
    try {
      await work(authority, data);
    } finally {
      await authority.close();
    }
  });

const refused = (code: string, why?: string, id = 0) => ({ id, error: { code, why: why ?? expect.any(String) } });
const both = (authority: RunningAuthority) => [authority.authoritySocket, authority.brokerSocket];

it('both sockets and all that stands below the data directory are closed to others', () =>
  withSockets(async (authority, data) => {
    await openAuthority(authority.authoritySocket).issueDevice({
      name: 'a',
      csr: (await createKeyAndCsr('a', { type: 'ec' })).csr,
    });
    for (const path of ['pki', 'pki/ca', 'pki/lock', 'run'])
      expect((await lstat(join(data, path))).mode & 0o777).toBe(0o700);
    const files = ['pki/issued.jsonl', 'run/authority.sock', 'run/broker.sock'];
    for (const name of ['root.key', 'root.crt', 'issuing.key', 'issuing.crt']) files.push(`pki/ca/${name}`);
    for (const path of files) expect((await lstat(join(data, path))).mode & 0o777).toBe(0o600);
  }));

it('50 devices at once over the socket: 50 certificates, 50 serial numbers', () =>
  withSockets(async ({ authoritySocket }) => {
    const administrator = openAuthority(authoritySocket);
    const { csr } = await createKeyAndCsr('x', { type: 'ec' });
    const names = Array.from({ length: 50 }, (_, index) => `device-${index}`);
    const issued = await Promise.all(names.map((name) => administrator.issueDevice({ name, csr })));
    expect(new Set(issued.map(({ serial }) => serial)).size).toBe(50);
    expect(await administrator.listDevices()).toHaveLength(50);
    expect((await administrator.caInfo()).devices).toBe(50);
  }));

it('a refusal reaches the client as the same fault', () =>
  withSockets(async ({ authoritySocket }) => {
    const administrator = openAuthority(authoritySocket);
    await expect(administrator.issueDevice({ name: 'a/b', csr: '' })).rejects.toMatchObject({ code: 'MOT-0433' });
    await expect(administrator.issueDevice({ name: 'a', csr: 'x' })).rejects.toMatchObject({ code: 'MOT-0430' });
    await expect(administrator.showDevice('nobody')).rejects.toMatchObject({ code: 'MOT-0432', why: 'nobody' });
  }));

it('a hostile broker gets no identity: administrative methods do not exist on its socket', () =>
  withSockets(async ({ brokerSocket }, data) => {
    const before = await readFile(join(data, 'pki', 'issued.jsonl'), 'utf8');
    const { csr } = await createKeyAndCsr('a', { type: 'ec' });
    // As right as can be, so that nothing but the socket is a reason to refuse.
    const paramsOf = (params: Record<string, { kind: 'string' | 'boolean' | 'number' }>) =>
      Object.fromEntries(
        Object.entries(params).map(([name, { kind }]) => [
          name,
          name === 'csr' ? csr : kind === 'boolean' ? true : kind === 'number' ? 600 : 'a',
        ]),
      );
    const peer = await openRawPeer(brokerSocket);
    const administrative = Object.entries(METHODS).filter(([, { socket }]) => socket === 'authority');
    expect(administrative.length).toBeGreaterThanOrEqual(10);
    for (const [method, { params }] of administrative) {
      peer.send(`${JSON.stringify({ id: 7, method, params: paramsOf(params) })}\n`);
      expect(await peer.next()).toEqual(refused('MOT-0426', 'no such method', 7));
    }
    peer.destroy();
    expect(await readFile(join(data, 'pki', 'issued.jsonl'), 'utf8')).toBe(before);
  }));

it('a hostile broker gets no identity: it guesses tokens, asks to join and claims renewals', () =>
  withSockets(async ({ administrator, brokerSocket }, data) => {
    await administrator.addToken({ name: 'pump-1', roles: ['device'], seconds: 3_600 });
    const { csr } = await createKeyAndCsr('pump-2', { type: 'ec' });
    const { certificate } = await administrator.issueDevice({ name: 'pump-2', csr });
    const before = await readFile(join(data, 'pki', 'issued.jsonl'), 'utf8');
    const broker = openBrokerAuthority(brokerSocket);
    const other = (await createKeyAndCsr('pump-2', { type: 'ec' })).csr;
    for (let n = 0; n < 10; n += 1) {
      const token = `pump-1:${Buffer.alloc(16, n).toString('base64url')}`;
      await expect(broker.redeemToken({ token, csr: other })).rejects.toMatchObject({ code: 'MOT-0444' });
    }
    await expect(broker.askToJoin({ name: 'pump-3', csr: other })).rejects.toMatchObject({ code: 'MOT-0444' });
    // It has seen the certificate, not its key.
    const proof = Buffer.alloc(70, 1).toString('base64');
    await expect(broker.renewDevice({ certificate, csr: other, proof })).rejects.toMatchObject({ code: 'MOT-0448' });
    expect(await broker.renewDevice({ certificate, csr: other, proof: '' })).toMatchObject({ state: 'waiting' });
    expect(await readFile(join(data, 'pki', 'issued.jsonl'), 'utf8')).toBe(before);
  }));

it('a hostile broker gets no identity: a server certificate cannot name a device', () =>
  withSockets(async ({ brokerSocket }) => {
    const broker = openBrokerAuthority(brokerSocket);
    const ask = async (...alternativeNames: { type: 'dns' | 'ip' | 'url'; value: string }[]) =>
      broker.issueServer((await createKeyAndCsr('pump-1', { type: 'ec', alternativeNames })).csr);
    await expect(ask({ type: 'url', value: 'motte:device:pump-1' })).rejects.toMatchObject({ code: 'MOT-0430' });
    await expect(ask({ type: 'dns', value: 'a' }, { type: 'url', value: 'motte:device:pump-1' })).rejects.toMatchObject(
      { code: 'MOT-0430' },
    );
    await expect(ask()).rejects.toMatchObject({ code: 'MOT-0430' });
    await expect(ask({ type: 'dns', value: '*' })).rejects.toMatchObject({ code: 'MOT-0430' });
  }));

it('a broker in a loop is slowed down, and that costs the administrators nothing', () =>
  withSockets(async ({ authoritySocket, brokerSocket }) => {
    const { csr } = await createKeyAndCsr('x', { type: 'ec', alternativeNames: [{ type: 'dns', value: 'localhost' }] });
    const broker = openBrokerAuthority(brokerSocket);
    const outcomes = await Promise.allSettled(Array.from({ length: 30 }, () => broker.issueServer(csr)));
    const refusals = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : []));
    expect(refusals.length).toBeGreaterThanOrEqual(9);
    expect(new Set(refusals)).toEqual(new Set(['MOT-0427']));
    expect((await broker.trust()).root).toContain('BEGIN CERTIFICATE');
    await openAuthority(authoritySocket).caInfo();
  }));

it.each([0, 1])('garbage on socket %# gets one answer and the end', (which) =>
  withSockets(async (authority) => {
    for (const bytes of ['garbage\n', '\n', '{"id":1}\n', Buffer.from([0xff, 0x0a]), Buffer.alloc(70_000, 0x61)]) {
      const peer = await openRawPeer(both(authority)[which] ?? '');
      peer.send(bytes);
      expect(await peer.next()).toEqual(refused('MOT-0426'));
      await peer.closed;
    }
    await authority.administrator.caInfo();
  }),
);

it('whatever bytes come, only their own connection ends', () =>
  withSockets(async ({ authoritySocket, brokerSocket, administrator }) => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), fc.boolean(), async (bytes, which) => {
        const peer = await openRawPeer(which ? authoritySocket : brokerSocket);
        peer.send(Buffer.concat([bytes, Buffer.from('\n{\n')]));
        await peer.closed;
      }),
      { numRuns: 60 },
    );
    await administrator.caInfo();
    await openAuthority(authoritySocket).caInfo();
  }));

it('a slow request is ended by its deadline, trickling bytes or not', () =>
  withSockets(
    async (authority) => {
      for (const path of both(authority)) {
        const [silent, trickling] = [await openRawPeer(path), await openRawPeer(path)];
        const drip = setInterval(() => trickling.send('x'), 5);
        expect(await silent.next()).toEqual(refused('MOT-0427', 'the request took too long'));
        expect(await trickling.next()).toEqual(refused('MOT-0427', 'the request took too long'));
        clearInterval(drip);
        await Promise.all([silent.closed, trickling.closed]);
      }
    },
    {
      limits: {
        authority: { ...ADMINISTRATOR_SOCKET, requestDeadlineMs: 150 },
        broker: { ...BROKER_SOCKET, requestDeadlineMs: 150 },
      },
    },
  ));

it('connections beyond the limit are told so, and a place is free again once one closes', () =>
  withSockets(
    async ({ brokerSocket }) => {
      const peers = [await openRawPeer(brokerSocket), await openRawPeer(brokerSocket)];
      // An answer shows that both were accepted before the third.
      for (const peer of peers) {
        peer.send('{"id":1,"method":"trust.read"}\n');
        expect(await peer.next()).toMatchObject({ id: 1, result: {} });
      }
      const third = await openRawPeer(brokerSocket);
      expect(await third.next()).toEqual(refused('MOT-0427', 'too many connections'));
      peers[0]?.send('{\n');
      await peers[0]?.closed;
      const broker = openBrokerAuthority(brokerSocket);
      await expect.poll(() => broker.trust().catch(() => undefined)).toBeDefined();
      peers[1]?.destroy();
    },
    { limits: { broker: { ...BROKER_SOCKET, connectionsMax: 2 } } },
  ));

it('many requests in one chunk are answered in their order', () =>
  withSockets(async ({ authoritySocket }) => {
    const peer = await openRawPeer(authoritySocket);
    peer.send(Array.from({ length: 20 }, (_, id) => `{"id":${id},"method":"ca.info"}\n`).join(''));
    for (let id = 0; id < 20; id += 1) expect(await peer.next()).toMatchObject({ id, result: {} });
    peer.destroy();
  }));

it('who waits for news keeps no authority that ends from ending', () =>
  withDataDirectory(async (data) => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const authority = await startAuthority({ data });
    const broker = openBrokerAuthority(authority.brokerSocket);
    const { number } = await broker.watchEnrolment(0);
    const waiting = Promise.allSettled([
      ...Array.from({ length: 5 }, () => broker.watchEnrolment(number)),
      broker.revocations({ after: 0, wait: true }),
    ]);
    // Answered behind them: they are under way.
    await broker.trust();
    await authority.close();
    for (const { status } of await waiting) expect(status).toBe('rejected');
    // The test runner has one of its own now and then.
    expect(timers()).toBeLessThanOrEqual(before + 1);
  }));

it('a failure of ours is told to the log and not to the peer', () => {
  const failures: unknown[] = [];
  // The CA is made first; the request is what fails.
  let isBroken = false;
  return withSockets(
    async ({ authoritySocket }) => {
      const { csr } = await createKeyAndCsr('x', { type: 'ec' });
      isBroken = true;
      await expect(openAuthority(authoritySocket).issueDevice({ name: 'a', csr })).rejects.toMatchObject({
        code: 'MOT-0435',
        why: 'device.issue',
      });
      expect(failures).toEqual([new Error('secret path')]);
      isBroken = false;
    },
    {
      now: () => {
        if (isBroken) throw new Error('secret path');
        return Date.UTC(2026, 5, 1);
      },
      onFailure: (fault) => failures.push(fault),
    },
  );
});

it('an accept that fails is told to the log and ends nothing', async () => {
  const listen = vi.spyOn(Server.prototype, 'listen');
  const failures: unknown[] = [];
  await withSockets(
    async ({ authoritySocket, brokerSocket }) => {
      const servers = listen.mock.contexts as Server[];
      listen.mockRestore();
      expect(servers).toHaveLength(3);
      // Nobody listening would make `emit` throw, out of the event loop in earnest.
      for (const server of servers) for (let n = 0; n < 2; n++) server.emit('error', new Error('accept EMFILE'));
      expect(failures).toHaveLength(4);
      await expect(openAuthority(authoritySocket).caInfo()).resolves.toMatchObject({ devices: 0 });
      await expect(openBrokerAuthority(brokerSocket).trust()).resolves.toMatchObject({ realm: 'ca:motte' });
    },
    { onFailure: (fault) => failures.push(fault) },
  );
});

it('what is not a socket is not replaced', () =>
  withDataDirectory(async (data) => {
    const first = await startAuthority({ data });
    await first.close();
    const path = join(data, 'run', 'authority.sock');
    await writeFile(path, 'mine', { mode: 0o600 });
    await expect(startAuthority({ data })).rejects.toMatchObject({ code: 'MOT-0429' });
    expect(await readFile(path, 'utf8')).toBe('mine');
    await symlink(join(data, 'elsewhere'), join(data, 'run', 'broker.sock'));
    await expect(startAuthority({ data })).rejects.toMatchObject({ code: 'MOT-0429' });
    await expect(stat(join(data, 'elsewhere'))).rejects.toThrow('ENOENT');
  }));

it('a data directory too deep for sockets is one clear line', () =>
  withDataDirectory(async (data) => {
    const deep = join(data, 'x'.repeat(120));
    await expect(startAuthority({ data: deep })).rejects.toMatchObject({
      code: 'MOT-0429',
      why: expect.stringContaining('longer than'),
    });
  }));

it('nobody there is one clear line', () =>
  withDataDirectory(async (data) => {
    const path = join(data, 'authority.sock');
    await expect(openAuthority(path).caInfo()).rejects.toMatchObject({ code: 'MOT-0421', why: `${path} (ENOENT)` });
  }));
