// Every way to prove who one is, by every client, over mqtts and wss: one table says which of them there are, and why the
// others cannot be. What a client must not do is shown elsewhere; here everybody is let in, and the broker knows as whom.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWith } from './counterparts.ts';
import { type Connect, mosquitto, mqttJs, openssl, PahoC, pahoPython } from './proofs/clients.ts';
import { METHODS, type Method, ProofStage, TRANSPORTS, type Transport } from './proofs/methods.ts';

const pahoC = new PahoC();

const CLIENTS = {
  openssl: { connect: openssl, needs: ['openssl'] },
  mosquitto: { connect: mosquitto, needs: ['mosquitto-clients'] },
  'Paho C': { connect: pahoC.connect, needs: ['libpaho-mqtt-dev', 'gcc', 'libc6-dev'] },
  'Paho Python': { connect: pahoPython, needs: ['python3-paho-mqtt'] },
  'MQTT.js': { connect: mqttJs, needs: [] },
} as const satisfies Readonly<Record<string, { readonly connect: Connect; readonly needs: readonly string[] }>>;
type ClientName = keyof typeof CLIENTS;

/** What cannot be; the first row that fits gives the reason. */
const CANNOT: readonly {
  readonly client?: ClientName;
  readonly method?: Method;
  readonly transport?: Transport;
  readonly why: string;
}[] = [
  { method: 'PSK', transport: 'wss', why: 'a listener for pre-shared keys is never wss: browsers have none' },
  { client: 'openssl', transport: 'wss', why: 's_client speaks TLS alone, no HTTP' },
  { client: 'mosquitto', transport: 'wss', why: "mosquitto's clients 2.0 speak no WebSocket" },
  { client: 'mosquitto', method: 'SCRAM', why: 'they are sent an AUTH packet and never answer it' },
  { client: 'Paho C', method: 'SCRAM', why: 'nothing in its interface answers an AUTH packet' },
  { client: 'Paho Python', method: 'SCRAM', why: 'it takes an AUTH packet for a mistake' },
  { client: 'Paho Python', method: 'PSK', why: 'Python has TLS-PSK since 3.13, and Paho no option for it' },
];

const NAMES = Object.keys(CLIENTS) as ClientName[];
const WAYS = Object.keys(METHODS) as Method[];

function reasonAgainst(client: ClientName, method: Method, transport: Transport): string | undefined {
  return CANNOT.find(
    (row) =>
      (row.client ?? client) === client &&
      (row.method ?? method) === method &&
      (row.transport ?? transport) === transport,
  )?.why;
}

const stage = new ProofStage();
beforeAll(() => stage.start(), 60_000);
afterAll(() => stage.stop());

describe.each(NAMES)('%s', (name) => {
  const { connect, needs } = CLIENTS[name];
  describeWith(needs, 'proves who it is', () => {
    if (name === 'Paho C') {
      beforeAll(() => pahoC.build());
      afterAll(() => pahoC.remove());
    }
    const ways = WAYS.flatMap((method) => TRANSPORTS.map((transport) => [method, transport] as const));
    it.each(ways.filter(([method, transport]) => reasonAgainst(name, method, transport) === undefined))(
      'by %s over %s',
      async (method, transport) => {
        const task = stage.task(method, transport, name.replace(/[^A-Za-z]/g, ''));
        const end = await connect(task);
        try {
          expect(await stage.identityOf(task.clientId)).toBe(METHODS[method].identity);
        } finally {
          end();
        }
      },
    );
  });
});

describe('the matrix', () => {
  it('is this', () => {
    const cell = (client: ClientName, method: Method): string =>
      TRANSPORTS.filter((transport) => reasonAgainst(client, method, transport) === undefined).join(' ') || '-';
    const rows = WAYS.map((method) => [method, ...NAMES.map((client) => cell(client, method))]);
    const widths = [16, 8, 10, 10, 12, 10];
    const line = (cells: readonly string[]) =>
      cells
        .map((text, at) => text.padEnd(widths[at] ?? 0))
        .join('')
        .trimEnd();
    expect(`\n${[['', ...NAMES], ...rows].map(line).join('\n')}\n`).toBe(`
                openssl mosquitto Paho C    Paho Python MQTT.js
certificate EC  mqtts   mqtts     mqtts wss mqtts wss   mqtts wss
certificate RSA mqtts   mqtts     mqtts wss mqtts wss   mqtts wss
password        mqtts   mqtts     mqtts wss mqtts wss   mqtts wss
token           mqtts   mqtts     mqtts wss mqtts wss   mqtts wss
method JWT      mqtts   mqtts     mqtts wss mqtts wss   mqtts wss
SCRAM           mqtts   -         -         -           mqtts wss
PSK             mqtts   mqtts     mqtts     -           mqtts
`);
  });

  it.each(CANNOT)('has a reason for every gap, and no reason that is not one: $why', (row) => {
    const gaps = NAMES.flatMap((client) =>
      WAYS.flatMap((method) => TRANSPORTS.map((transport) => reasonAgainst(client, method, transport))),
    );
    expect(gaps).toContain(row.why);
  });
});
