// What is measured and what must be reached: data only. The runner turns each entry into a table.

/**
 * Options of the generator without their dashes (`bench/build/load --help`).
 * @typedef {Record<string, string | number | boolean>} Load
 *
 * A ratio (or, with `against: 'absolute'`, a figure) that Motte must reach. `against` is `mosquitto` or the id of the
 * scenario whose figure of the same broker and transport is the divisor. `max20` replaces `max` against Mosquitto 2.0,
 * which costs more CPU than 2.1.
 * @typedef {{metric: MetricName, against: string, min?: number, max?: number, max20?: number}} Target
 *
 * @typedef {object} Scenario
 * @property {string} id
 * @property {string} title
 * @property {('tcp' | 'tls')[]} transports
 * @property {Load} load
 * @property {MetricName[]} metrics columns of the table
 * @property {Target[]} targets
 * @property {boolean} [persistence]
 * @property {boolean} [long] only with --long
 *
 * @typedef {keyof typeof METRICS} MetricName
 */

/** Figures of the generator's JSON line that tables show: heading, digits, and which way is better. */
export const METRICS = {
  rate: { title: 'messages/s', digits: 0, better: 'more' },
  cpu_us_per_message: { title: 'CPU µs/message', digits: 2, better: 'less' },
  p50_us: { title: 'p50 µs', digits: 0, better: 'less' },
  p99_us: { title: 'p99 µs', digits: 0, better: 'less' },
  connect_rate: { title: 'connects/s', digits: 0, better: 'more' },
  connect_cpu_us: { title: 'CPU µs/connect', digits: 0, better: 'less' },
  rss_per_client_bytes: { title: 'RSS bytes/client', digits: 0, better: 'less' },
  wire_bytes_per_message: { title: 'wire bytes/message', digits: 1, better: 'less' },
  segments_per_message: { title: 'segments/message', digits: 3, better: 'less' },
  disk_bytes_per_message: { title: 'disk bytes/message', digits: 0, better: 'less' },
};

const BOTH = /** @type {('tcp' | 'tls')[]} */ (['tcp', 'tls']);
const TLS = /** @type {('tcp' | 'tls')[]} */ (['tls']);
const TCP = /** @type {('tcp' | 'tls')[]} */ (['tcp']);

/** @param {number} min @returns {Target} */
const throughput = (min) => ({ metric: 'rate', against: 'mosquitto', min });
/** @param {number} max @param {number} [max20] @returns {Target} */
const cpu = (max, max20 = max) => ({ metric: 'cpu_us_per_message', against: 'mosquitto', max, max20 });
/** @param {string} small @returns {Target} */
const growth = (small) => ({ metric: 'cpu_us_per_message', against: small, max: 1.3 });

const FLOOD = { warm: 1, seconds: 4 };
const PACED = { warm: 1, seconds: 5, rate: 10_000 };
/** @type {MetricName[]} */
const FLOOD_METRICS = ['rate', 'cpu_us_per_message'];
/** @type {MetricName[]} */
const PACED_METRICS = ['cpu_us_per_message', 'p50_us', 'p99_us'];
/** @type {MetricName[]} */
const CONNECT_METRICS = ['connect_cpu_us', 'connect_rate'];

/** @type {Scenario[]} */
export const SCENARIOS = [
  {
    id: 'pairs-qos0',
    title: '50 publishers to 50 subscribers, QoS 0, one packet per write',
    transports: BOTH,
    load: { mode: 'pairs', publishers: 50, ...FLOOD },
    metrics: FLOOD_METRICS,
    targets: [throughput(1.2), cpu(0.7, 0.35)],
  },
  {
    id: 'pairs-qos0-burst',
    title: '50 publishers to 50 subscribers, QoS 0, 50 packets per write',
    transports: BOTH,
    load: { mode: 'pairs', publishers: 50, burst: 50, ...FLOOD },
    metrics: FLOOD_METRICS,
    targets: [throughput(1.2), cpu(0.7, 0.35)],
  },
  {
    id: 'fan-in',
    title: '200 publishers to 1 subscriber, QoS 0',
    transports: BOTH,
    load: { mode: 'fan-in', publishers: 200, ...FLOOD },
    metrics: FLOOD_METRICS,
    targets: [throughput(1.2), cpu(1.0, 0.5)],
  },
  {
    id: 'fan-out',
    title: '1 publisher to 500 subscribers, QoS 0',
    transports: BOTH,
    load: { mode: 'fan-out', subscribers: 500, inflight: 50_000, ...FLOOD },
    metrics: FLOOD_METRICS,
    targets: [throughput(5), cpu(0.1, 0.06)],
  },
  {
    id: 'pairs-qos1',
    title: '50 publishers to 50 subscribers, QoS 1, window 20',
    transports: BOTH,
    load: { mode: 'pairs', publishers: 50, qos: 1, window: 20, ...FLOOD },
    metrics: FLOOD_METRICS,
    targets: [throughput(1.2), cpu(0.9, 0.45)],
  },
  {
    id: 'pairs-qos2',
    title: '50 publishers to 50 subscribers, QoS 2, window 20',
    transports: BOTH,
    load: { mode: 'pairs', publishers: 50, qos: 2, window: 20, ...FLOOD },
    metrics: FLOOD_METRICS,
    targets: [throughput(1.2), cpu(0.9, 0.45)],
  },
  ...[50, 1000].flatMap((publishers) =>
    BOTH.map((transport) => ({
      id: `paced-${publishers * 2}`,
      title: `10,000 messages/s over ${publishers * 2} connections, QoS 0`,
      transports: [transport],
      load: { mode: 'pairs', publishers, ...PACED },
      metrics: PACED_METRICS,
      targets: [
        cpu(transport === 'tls' ? 1.5 : 1.2),
        { metric: /** @type {const} */ ('p99_us'), against: 'mosquitto', max: 1.5 },
      ],
    })),
  ),
  {
    id: 'qos1-online',
    title: '50 pairs, QoS 1, 200 bytes, persistent sessions that are online, durable',
    transports: TCP,
    load: { mode: 'pairs', publishers: 50, qos: 1, size: 200, persistent: true, ...FLOOD },
    persistence: true,
    metrics: ['rate', 'cpu_us_per_message', 'disk_bytes_per_message'],
    targets: [throughput(1.0)],
  },
  ...[200, 800].map((pairs) => ({
    id: pairs === 200 ? 'qos1-away' : 'qos1-away-800',
    title: `${pairs} pairs, QoS 1, 200 bytes, persistent sessions that are away: messages taken over, ${pairs * 900} in all`,
    transports: TCP,
    ...(pairs === 200 ? {} : { long: true }),
    load: {
      mode: 'pairs',
      publishers: pairs,
      qos: 1,
      size: 200,
      persistent: true,
      away: true,
      // Below the thousand that a session may owe, so that none is given up.
      total: pairs * 900,
      seconds: 60,
    },
    persistence: true,
    metrics: ['rate', 'cpu_us_per_message', 'disk_bytes_per_message'],
    targets: [throughput(0.5), { metric: 'disk_bytes_per_message', against: 'absolute', max: 512 }],
  })),
  {
    id: 'handshake-full',
    title: '2,000 clients connect again, 50 at a time, full handshakes',
    transports: TLS,
    load: { mode: 'storm', idle: 2000 },
    metrics: CONNECT_METRICS,
    targets: [{ metric: 'connect_cpu_us', against: 'mosquitto', max: 1.3 }],
  },
  {
    id: 'handshake-resumed',
    title: '2,000 clients connect again, 50 at a time, resumed handshakes',
    transports: TLS,
    load: { mode: 'storm', idle: 2000, resume: true },
    metrics: CONNECT_METRICS,
    targets: [{ metric: 'connect_cpu_us', against: 'handshake-full', max: 0.4 }],
  },
  {
    id: 'idle-1000',
    title: '1,000 idle clients, 10 s after the last connected',
    transports: TLS,
    load: { mode: 'idle', idle: 1000, seconds: 10 },
    metrics: ['rss_per_client_bytes', ...CONNECT_METRICS],
    targets: [],
  },
  {
    id: 'idle-10000',
    title: '10,000 idle clients, 30 s after the last connected',
    transports: TLS,
    load: { mode: 'idle', idle: 10_000, seconds: 30, 'max-seconds': 300 },
    metrics: ['rss_per_client_bytes', ...CONNECT_METRICS],
    targets: [{ metric: 'rss_per_client_bytes', against: 'mosquitto', max: 1.5 }],
    long: true,
  },
  ...[1, 10].map((burst) => ({
    id: burst === 1 ? 'wire' : `wire-burst-${burst}`,
    title: `1,000 messages/s from 10 publishers to 1 subscriber, ${burst === 1 ? 'one packet' : `${burst} packets`} per write`,
    transports: TLS,
    load: { mode: 'fan-in', publishers: 10, rate: 1000, burst, warm: 1, seconds: 5 },
    metrics: /** @type {MetricName[]} */ (['wire_bytes_per_message', 'segments_per_message', ...PACED_METRICS]),
    targets: [{ metric: /** @type {const} */ ('wire_bytes_per_message'), against: 'mosquitto', max: 0.999 }],
  })),
  {
    id: 'clients-100',
    title: '10,000 messages/s over 100 connections (base of the next)',
    transports: TCP,
    load: { mode: 'pairs', publishers: 50, ...PACED },
    metrics: ['cpu_us_per_message'],
    targets: [],
    long: true,
  },
  {
    id: 'clients-10000',
    title: '10,000 messages/s over 10,000 connections',
    transports: TCP,
    load: { mode: 'pairs', publishers: 5000, ...PACED },
    metrics: ['cpu_us_per_message'],
    targets: [growth('clients-100')],
    long: true,
  },
  ...[10, 100_000].map((subscriptions) => ({
    id: `subscriptions-${subscriptions}`,
    title: `50 pairs, QoS 0, beside ${subscriptions.toLocaleString('en')} wildcard subscriptions`,
    transports: TCP,
    load: {
      mode: 'pairs',
      publishers: 50,
      idle: subscriptions === 10 ? 10 : 100,
      'idle-subscriptions': subscriptions,
      ...FLOOD,
    },
    metrics: FLOOD_METRICS,
    targets: subscriptions === 10 ? [] : [growth('subscriptions-10')],
    long: true,
  })),
  ...[1, 1_000_000].map((retained) => ({
    id: `retained-${retained}`,
    title: `50 pairs, QoS 0, beside ${retained.toLocaleString('en')} retained topics`,
    transports: TCP,
    load: { mode: 'pairs', publishers: 50, retained, 'max-seconds': 600, ...FLOOD },
    metrics: FLOOD_METRICS,
    targets: retained === 1 ? [] : [growth('retained-1')],
    long: true,
  })),
];

/**
 * The same scenario, short: to see that everything works, not to learn anything.
 * @param {Scenario} scenario
 * @returns {Scenario}
 */
export function shorten(scenario) {
  const load = { ...scenario.load };
  if (load.warm) load.warm = 0.3;
  if (load.seconds && !load.away) load.seconds = 1;
  if (load.total) load.total = 20_000;
  if ((load.mode === 'storm' || load.mode === 'idle') && Number(load.idle) > 200) load.idle = 200;
  return { ...scenario, load };
}
