// The bounds of mosquitto.conf as `limits` of motte.yaml. A bound that mosquitto has none of stays Motte's own.

import type { Limits } from '@motte/broker/ports/limits';
import { isTrue, type MosquittoConf, type Scope } from './conf.ts';
import type { ConfLine } from './conf-lines.ts';
import type { ImportReport } from './report.ts';

type LimitKey = keyof Limits;

interface Bound {
  readonly keys: readonly LimitKey[];
  readonly range: readonly [minimum: number, maximum: number];
  /** From mosquitto's number to Motte's. */
  readonly from?: (value: number) => number;
}

const BOUNDS: Readonly<Record<string, Bound>> = {
  max_inflight_messages: { keys: ['inFlightMax', 'receiveMaximum'], range: [1, 65_535] },
  max_queued_messages: { keys: ['queueMessagesMax'], range: [1, 10_000_000] },
  max_queued_bytes: { keys: ['queueBytesMax'], range: [1, 16 * 1024 ** 3] },
  max_packet_size: { keys: ['packetBytesMax'], range: [128, 268_435_460] },
  // Of the payload alone, where Motte bounds the packet.
  message_size_limit: { keys: ['packetBytesMax'], range: [128, 268_435_460], from: (value) => value + 66 * 1024 },
  max_keepalive: { keys: ['keepAliveSecondsMax'], range: [5, 65_535] },
  memory_limit: { keys: ['memoryBytesMax'], range: [1, 16_384 * 1024 ** 3] },
};

/** The values for motte.yaml. */
export function limitsSection({ settings }: MosquittoConf, report: ImportReport): Partial<Record<LimitKey, number>> {
  const limits: Partial<Record<LimitKey, number>> = {};
  for (const [key, { keys, range, from = (value: number) => value }] of Object.entries(BOUNDS)) {
    const line = settings.get(key);
    if (line === undefined) continue;
    const given = Number(line.value);
    const value = from(given);
    const [minimum, maximum] = range;
    if (!Number.isInteger(given) || given <= 0 || value < minimum || value > maximum) {
      report.changed(
        line.place,
        `${key} ${line.value}`,
        undefined,
        'no bound, or none that Motte takes: its own default holds',
      );
      continue;
    }
    for (const limit of keys) limits[limit] = value;
    const becomes = keys.map((limit) => `limits.${limit}: ${value}`).join(', ');
    if (value === given) report.same(line.place, `${key} ${line.value}`, becomes);
    else report.changed(line.place, `${key} ${line.value}`, becomes, 'Motte bounds the whole packet');
  }
  const expiry = settings.get('persistent_client_expiration');
  if (expiry !== undefined) {
    const seconds = secondsOf(expiry);
    if (seconds === undefined)
      report.changed(expiry.place, expiry.key, undefined, 'not a time that is known: the default of Motte holds');
    else {
      limits.sessionExpirySecondsMax = seconds;
      report.same(expiry.place, `${expiry.key} ${expiry.value}`, `limits.sessionExpirySecondsMax: ${seconds}`);
    }
  }
  return limits;
}

/** What every rule to publish is bound to: mosquitto bounds it by listener or for all. */
export function publishingConditions({ settings }: MosquittoConf, { listeners }: Scope, report: ImportReport): string {
  const conditions: string[] = [];
  const qos = listeners.flatMap(
    (listener) => listener.settings.get('max_qos') ?? listener.settings.get('maximum_qos') ?? [],
  );
  const most = Math.min(...qos.map(({ value }) => Number(value)));
  if (most === 0 || most === 1) {
    conditions.push(` qos<=${most}`);
    for (const { key, value, place } of qos)
      report.changed(
        place,
        `${key} ${value}`,
        `qos<=${most} behind each right to publish`,
        'a message of a higher QoS is refused, where mosquitto ended the connection',
      );
  }
  const retain = settings.get('retain_available');
  if (retain !== undefined && !isTrue(retain)) {
    conditions.push(' no-retain');
    report.changed(retain.place, retain.key, 'no-retain behind each right to publish', 'a retained message is refused');
  }
  return conditions.join('');
}

/** Such as `2w`; of an hour to a year. */
function secondsOf({ value }: ConfLine): number | undefined {
  const [, digits = '', unit = ''] = /^([1-9][0-9]{0,5})([hdwmy])$/.exec(value) ?? [];
  const seconds = Number(digits) * (UNITS.get(unit) ?? 0);
  return seconds > 0 && seconds <= 4_294_967_295 ? seconds : undefined;
}

const UNITS: ReadonlyMap<string, number> = new Map([
  ['h', 3_600],
  ['d', 86_400],
  ['w', 604_800],
  ['m', 2_592_000],
  ['y', 31_536_000],
]);
