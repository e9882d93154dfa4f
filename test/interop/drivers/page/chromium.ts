// Debian's Chromium: one browser, a context with one page for each origin and client certificate, clients side by side in it.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { Driver } from '../../counterparts.ts';
import { type Fields, valueOf, type Words } from '../../line-coding.ts';
import type { PageGlobals } from './in-page.ts';

export class Chromium {
  readonly #browser: Browser;
  readonly #home: string;
  readonly #pages = new Map<string, Promise<Page>>();
  readonly #clients: ((words: Words) => void)[] = [];
  #complaints = '';

  private constructor(browser: Browser, home: string) {
    this.#browser = browser;
    this.#home = home;
  }

  static async launch(): Promise<Chromium> {
    const home = mkdtempSync(join(tmpdir(), 'motte-chromium-'));
    // Its profile is a temporary directory of Playwright's; what it keeps for the user goes to a home of its own.
    const env = { ...process.env, HOME: home, XDG_CONFIG_HOME: home, XDG_CACHE_HOME: home };
    try {
      return new Chromium(await chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS, env }), home);
    } catch (fault) {
      rmSync(home, { recursive: true, force: true });
      throw fault;
    }
  }

  /** A driver in the page of this address; which certificate the browser shows there is what it is told to connect with. */
  driver(pageUrl: string, onWords: (words: Words) => void): Driver {
    const client = this.#clients.push(onWords) - 1;
    let page: Promise<Page> | undefined;
    // One after the other, as they were told.
    let last: Promise<unknown> = Promise.resolve();
    const then = (act: (page: Page) => Promise<unknown>): void => {
      const here = page;
      last = last
        .then(async () => here && act(await here))
        .catch((fault: unknown) => {
          this.#complaints += `${String(fault)}\n`;
        });
    };
    return {
      send: (words) => {
        page ??= this.#pageFor(pageUrl, words.fields);
        then((open) =>
          open.evaluate(([id, one]) => (globalThis as unknown as PageGlobals).send(id, one), [client, words] as const),
        );
      },
      kill: () => then((open) => open.evaluate((id) => (globalThis as unknown as PageGlobals).kill(id), client)),
      complaints: () => this.#complaints,
    };
  }

  async close(): Promise<void> {
    await this.#browser.close();
    rmSync(this.#home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }

  #pageFor(url: string, fields: Fields): Promise<Page> {
    const [certPath, keyPath] = [valueOf(fields, 'cert'), valueOf(fields, 'key')];
    const key = `${url} ${certPath}`;
    const page = this.#pages.get(key) ?? this.#open(url, { origin: brokerOf(fields), certPath, keyPath });
    this.#pages.set(key, page);
    return page;
  }

  /** Without a certificate the browser speaks TLS to the broker itself; with one Playwright stands between and shows it. */
  async #open(url: string, { origin, certPath, keyPath }: Shown): Promise<Page> {
    const shown = certPath === undefined || keyPath === undefined ? [] : [{ origin, certPath, keyPath }];
    // Roots get into Chromium's store only by a program that Debian has apart; the other counterparts check the chain.
    const context = await this.#browser.newContext({ ignoreHTTPSErrors: true, clientCertificates: shown });
    const page = await context.newPage();
    page.on('console', (message) => {
      this.#complaints += `${message.text()}\n`;
    });
    await page.exposeFunction('tell', (client: number, words: Words) => this.#clients[client]?.(words));
    await page.goto(url);
    return page;
  }
}

interface Shown {
  readonly origin: string;
  readonly certPath: string | undefined;
  readonly keyPath: string | undefined;
}

function brokerOf(fields: Fields): string {
  return `https://${valueOf(fields, 'host')}:${valueOf(fields, 'port')}`;
}

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
