// MQTT.js as a driver, in Node and in a page alike: nothing is imported but types, so that the text can be served to a
// browser once its types are taken away.

import type { Fields, Words } from '../line-coding.ts';

/** What both generations of MQTT.js have in common and a driver needs. */
export interface MqttJsClient {
  on(event: string, listener: (...args: never[]) => void): unknown;
  subscribe(filters: object, options: object, done: (fault: Fault, granted: { qos: number }[]) => void): unknown;
  unsubscribe(filter: string, done: (fault: Fault) => void): unknown;
  publish(topic: string, payload: Uint8Array, options: object, done: (fault: Fault, packet?: Packet) => void): unknown;
  end(force: boolean): unknown;
  readonly stream: { destroy(): unknown };
}

type Fault = (Error & { code?: number | string; packet?: { granted?: number[] } }) | null | undefined;
interface Packet {
  readonly reasonCode?: number;
  readonly sessionPresent?: boolean;
  readonly qos?: number;
  readonly retain?: boolean;
  readonly properties?: Readonly<Record<string, unknown>>;
}

export interface MqttJsDriver {
  send(words: Words): void;
  kill(): void;
}

/** `pem` reads a file of a certificate or key; a page has none. `toBytes` makes what this MQTT.js takes for bytes. */
export function createMqttJsDriver(
  connect: (options: object) => MqttJsClient,
  onWords: (words: Words) => void,
  pem: (path: string) => unknown,
  toBytes: (bytes: Uint8Array) => Uint8Array,
): MqttJsDriver {
  let client: MqttJsClient | undefined;
  let ended = false;
  const emit = (verb: string, fields: Fields = []): void => onWords({ verb, fields });
  const hexToBytes = (hex: string): Uint8Array => {
    const bytes = new Uint8Array(hex.length / 2);
    for (let at = 0; at < bytes.length; at += 1) bytes[at] = Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16);
    return toBytes(bytes);
  };

  const verbs: Record<string, (get: Get, all: (name: string) => string[]) => void> = {
    connect(get, all) {
      let failure: Fault;
      let reason: number | undefined;
      let isUp = false;
      const opened = connect({ ...connectOptions(get, all, pem, hexToBytes) });
      client = opened;
      opened.on('connect', (packet: Packet) => {
        isUp = true;
        const assigned = packet.properties?.['assignedClientIdentifier'] as string | undefined;
        emit('connected', [
          ['present', packet.sessionPresent === true ? '1' : '0'],
          ...(assigned === undefined ? [] : [['assigned', assigned] as const]),
        ]);
      });
      opened.on('error', (fault: Fault) => {
        failure ??= fault;
      });
      opened.on('disconnect', (packet: Packet) => {
        reason = packet.reasonCode;
      });
      opened.on('message', (topic: string, payload: Uint8Array, packet: Packet) =>
        emit('message', messageFields(topic, payload, packet)),
      );
      opened.on('close', () => {
        if (ended) return;
        ended = true;
        if (isUp) emit('closed', reason === undefined ? [] : [['code', String(reason)]]);
        else if (typeof failure?.code === 'number') emit('refused', [['code', String(failure.code)]]);
        else emit('failed', [['why', String(failure?.message ?? 'closed')]]);
      });
    },
    subscribe(get) {
      const identifier = get('identifier');
      const options = {
        qos: Number(get('qos') ?? 0),
        nl: get('noLocal') === '1',
        rap: get('retainAsPublished') === '1',
        rh: Number(get('retainHandling') ?? 0),
      };
      const properties = identifier === undefined ? {} : { properties: { subscriptionIdentifier: Number(identifier) } };
      client?.subscribe({ [get('filter') ?? '']: options }, properties, (fault, granted) => {
        // The newer MQTT.js tells a refusal by its error, the older one by the code it was granted.
        emit('granted', [['code', String(fault?.packet?.granted?.[0] ?? granted[0]?.qos)]]);
      });
    },
    unsubscribe: (get) => client?.unsubscribe(get('filter') ?? '', () => emit('unsubscribed')),
    publish(get, all) {
      const properties = messageProperties(get, all, hexToBytes);
      const options = { qos: Number(get('qos') ?? 0), retain: get('retain') === '1', ...properties };
      let isAnswered = false;
      client?.publish(get('topic') ?? '', hexToBytes(get('payload') ?? ''), options, (fault, packet) => {
        // The older MQTT.js calls again, without the fault, when it has forgotten the message.
        if (isAnswered) return;
        isAnswered = true;
        const code = typeof fault?.code === 'number' ? fault.code : (packet?.reasonCode ?? 0);
        emit('published', [['code', String(code)]]);
      });
    },
    disconnect() {
      ended = true;
      client?.on('close', () => emit('closed'));
      client?.end(false);
    },
  };
  return {
    send({ verb, fields }) {
      const get = (name: string) => fields.find(([one]) => one === name)?.[1];
      const all = (name: string) => fields.filter(([one]) => one === name).map(([, value]) => value);
      verbs[verb]?.(get, all);
    },
    kill() {
      ended = true;
      client?.stream.destroy();
      client?.end(true);
    },
  };
}

type Get = (name: string) => string | undefined;

function connectOptions(
  get: Get,
  all: (name: string) => string[],
  pem: (path: string) => unknown,
  hexToBytes: (hex: string) => Uint8Array,
): object {
  const version = get('version');
  const tls = ['ca', 'cert', 'key'].flatMap((name) => {
    const path = get(name);
    return path === undefined ? [] : [[name, pem(path)]];
  });
  const properties = {
    ...(get('sessionExpiry') === undefined ? {} : { sessionExpiryInterval: Number(get('sessionExpiry')) }),
    ...(get('topicAliasMaximum') === undefined ? {} : { topicAliasMaximum: Number(get('topicAliasMaximum')) }),
  };
  const willTopic = get('willTopic');
  const willProperties =
    all('willUser').length === 0 ? {} : { properties: { userProperties: pairsToObject(all('willUser')) } };
  return {
    protocol: { tls: 'mqtts', wss: 'wss', tcp: 'mqtt', ws: 'ws' }[get('transport') ?? ''],
    host: get('host'),
    port: Number(get('port')),
    path: get('path'),
    ...Object.fromEntries(tls),
    clientId: get('clientId'),
    clean: get('clean') !== '0',
    keepalive: 60,
    reconnectPeriod: 0,
    connectTimeout: 20_000,
    resubscribe: false,
    protocolVersion: version === '5.0' ? 5 : version === '3.1' ? 3 : 4,
    protocolId: version === '3.1' ? 'MQIsdp' : 'MQTT',
    // The older MQTT.js looks for the maximum outside the properties.
    ...(version === '5.0' ? { properties, ...properties } : {}),
    ...(willTopic === undefined
      ? {}
      : {
          will: {
            topic: willTopic,
            payload: hexToBytes(get('willPayload') ?? ''),
            qos: Number(get('willQos') ?? 0),
            retain: get('willRetain') === '1',
            ...willProperties,
          },
        }),
  };
}

function messageProperties(get: Get, all: (name: string) => string[], hexToBytes: (hex: string) => Uint8Array): object {
  const [responseTopic, correlation, contentType, payloadFormat, messageExpiry, topicAlias] = [
    get('responseTopic'),
    get('correlation'),
    get('contentType'),
    get('payloadFormat'),
    get('messageExpiry'),
    get('topicAlias'),
  ];
  const properties = {
    ...(all('user').length === 0 ? {} : { userProperties: pairsToObject(all('user')) }),
    ...(responseTopic === undefined ? {} : { responseTopic }),
    ...(correlation === undefined ? {} : { correlationData: hexToBytes(correlation) }),
    ...(contentType === undefined ? {} : { contentType }),
    ...(payloadFormat === undefined ? {} : { payloadFormatIndicator: payloadFormat === '1' }),
    ...(messageExpiry === undefined ? {} : { messageExpiryInterval: Number(messageExpiry) }),
    ...(topicAlias === undefined ? {} : { topicAlias: Number(topicAlias) }),
  };
  return Object.keys(properties).length === 0 ? {} : { properties };
}

function messageFields(topic: string, payload: Uint8Array, { qos, retain, properties = {} }: Packet): Fields {
  const toHex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const plain = (name: string, property: string, show: (value: unknown) => string = String): [string, string][] =>
    properties[property] === undefined ? [] : [[name, show(properties[property])]];
  const identifiers = [(properties['subscriptionIdentifier'] ?? []) as number | number[]].flat();
  const users = Object.entries((properties['userProperties'] ?? {}) as Record<string, string | string[]>);
  return [
    ['topic', topic],
    ['payload', toHex(payload)],
    ['qos', String(qos)],
    ['retain', retain === true ? '1' : '0'],
    ...users.flatMap(([name, values]) =>
      [values].flat().map((value): [string, string] => ['user', `${name}=${value}`]),
    ),
    ...plain('responseTopic', 'responseTopic'),
    ...plain('correlation', 'correlationData', (bytes) => toHex(bytes as Uint8Array)),
    ...plain('contentType', 'contentType'),
    ...plain('payloadFormat', 'payloadFormatIndicator', (flag) => (flag === true ? '1' : '0')),
    ...plain('messageExpiry', 'messageExpiryInterval'),
    ...plain('topicAlias', 'topicAlias'),
    ...identifiers.map((one): [string, string] => ['identifier', String(one)]),
  ];
}

/** MQTT.js has no place for the order of equal names that are apart. */
function pairsToObject(pairs: readonly string[]): Record<string, string[]> {
  const object: Record<string, string[]> = {};
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    (object[pair.slice(0, at)] ??= []).push(pair.slice(at + 1));
  }
  return object;
}
