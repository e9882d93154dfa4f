// Serves the page on loopback: one empty document, MQTT.js's bundle for browsers as npm delivers it, and the driver's
// sources with their types taken away.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export interface PageServer {
  readonly port: number;
  close(): Promise<void>;
}

export async function servePage(): Promise<PageServer> {
  const server = createServer((request, response) => {
    const served = SERVED[request.url ?? ''];
    if (served === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'Content-Type': served.type }).end(served.text());
  });
  // The browser asks for `localhost` by either address.
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const DOCUMENT = `<!doctype html>
<meta charset="utf-8">
<title>Motte</title>
<link rel="icon" href="data:,">
<script src="/mqtt.min.js"></script>
<script type="module" src="/page/in-page.ts"></script>
`;

const SERVED: Readonly<Record<string, { readonly type: string; readonly text: () => string }>> = {
  '/': { type: 'text/html', text: () => DOCUMENT },
  '/mqtt.min.js': {
    type: 'text/javascript',
    text: () => readFileSync(createRequire(import.meta.url).resolve('mqtt/dist/mqtt.min'), 'utf8'),
  },
  '/page/in-page.ts': { type: 'text/javascript', text: () => withoutTypes('in-page.ts') },
  '/mqttjs-driver.ts': { type: 'text/javascript', text: () => withoutTypes('../mqttjs-driver.ts') },
};

function withoutTypes(file: string): string {
  return ts.transpileModule(readFileSync(fileURLToPath(new URL(file, import.meta.url)), 'utf8'), {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: true },
  }).outputText;
}
