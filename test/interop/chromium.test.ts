// A page in a browser: MQTT.js's bundle over wss in Debian's Chromium, with the certificates of devices and without.

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Counterpart, describeWith, VERSIONS } from './counterparts.ts';
import { Chromium } from './drivers/page/chromium.ts';
import { type PageServer, servePage } from './drivers/page/page-server.ts';
import { describeFeatures, describeTransport } from './features/index.ts';
import { type RunningMotte, startMotte } from './running-motte.ts';
import { DEVICES, Stage } from './stage.ts';

describeWith(['chromium'], 'Chromium', () => {
  let motte: RunningMotte;
  let server: PageServer;
  let browser: Chromium;

  /** `localhost` is another origin than 127.0.0.1, though the page is the same. */
  function pageFrom(host: '127.0.0.1' | 'localhost'): Counterpart {
    return {
      name: `page from ${host}`,
      versions: VERSIONS,
      tellsPublishReason: true,
      tellsDisconnectReason: true,
      resolvesAliases: true,
      start: (onWords) => Promise.resolve(browser.driver(`http://${host}:${server.port}/`, onWords)),
    };
  }

  beforeAll(async () => {
    // Playwright, which stands between page and broker with the certificate, would ask a proxy of the environment.
    vi.stubEnv('NO_PROXY', '*');
    [server, browser] = await Promise.all([servePage(), Chromium.launch()]);
    motte = await startMotte({ devices: DEVICES, origins: [`http://127.0.0.1:${server.port}`] });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await motte?.stop();
    vi.unstubAllEnvs();
  });

  const counterpart = pageFrom('127.0.0.1');
  for (const version of counterpart.versions) {
    describeFeatures({ counterpart, version, transport: 'wss', motte: () => motte });
  }
  describeTransport({ counterpart, version: '5.0', transport: 'page', motte: () => motte });

  describe('a page of an origin that is not listed', () => {
    const stage = new Stage({
      counterpart: pageFrom('localhost'),
      version: '5.0',
      transport: 'wss',
      motte: () => motte,
    });

    it('is not let in, whatever certificate the browser shows, and the operator learns its origin', async () => {
      const page = await stage.attempt('pump');
      expect(page.connack.how).toBe('failed');
      const { exit, out } = await motte.command('why', 'last', '--json');
      expect(exit).toBe(0);
      expect((JSON.parse(out) as { refusals: unknown[] }).refusals[0]).toMatchObject({
        listener: 'web',
        rule: 'listeners.origins',
        because: `the origin http://localhost:${server.port} is not listed`,
        seen: 'HTTP status 403',
      });
    });
  });
});
