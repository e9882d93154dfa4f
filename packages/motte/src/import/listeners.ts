// Which listeners of Motte those of mosquitto become. Whatever would let in more than mosquitto did, or send passwords in the
// clear, is not opened: it arrives as a comment with the waiver it would need, or on a Unix socket of this host.

import { isIP } from 'node:net';
import { basename, join, resolve } from 'node:path';
import type { AuthenticationMode } from '@motte/broker/ports/connection-facts';
import { Certificates } from './certificates.ts';
import { type ConfListener, isTrue, type Scope } from './conf.ts';
import type { ImportReport } from './report.ts';
import { type Place, placeText } from './source.ts';

/** A listener as motte.yaml has it; the keys are its own. */
export interface PlannedListener {
  readonly name: string;
  readonly url: string;
  readonly authentication: AuthenticationMode;
  clientIds?: 'any';
  role?: string;
  readonly clientCa?: readonly string[];
  readonly maxConnections?: number;
  readonly waiver?: { readonly reason: string; readonly until: string };
}

export interface PlannedDoor {
  readonly listener: PlannedListener;
  /** Undefined = it is opened; else why it arrives as a comment. */
  readonly disabled: string | undefined;
  /** True where the name of whoever comes in is the one that the rules speak of. */
  readonly provesName: boolean;
  readonly place: Place;
}

export interface ListenerPlanParts {
  /** Path of mosquitto.conf. */
  readonly conf: string;
  /** The data directory, absolute. */
  readonly data: string;
  /** Day, YYYY-MM-DD. */
  readonly until: string;
  readonly report: ImportReport;
}

/** What a scope has to let people in by. */
export interface WaysIn {
  readonly passwords: boolean;
  readonly keys: boolean;
}

export class ListenerPlan {
  readonly certificates: Certificates;
  readonly #parts: ListenerPlanParts;
  readonly #names = new Set<string>();
  readonly #ports = new Set<number>(OWN_PORTS);

  constructor(parts: ListenerPlanParts, scopes: readonly Scope[]) {
    this.#parts = parts;
    this.certificates = new Certificates(parts.conf, parts.report);
    for (const { listeners } of scopes) for (const { port } of listeners) this.#ports.add(port);
  }

  /** What the listeners of a scope become. */
  doorsOf({ listeners, allowsAnonymous, settings }: Scope, ways: WaysIn): PlannedDoor[] {
    const doors: PlannedDoor[] = [];
    for (const listener of listeners) {
      const proven = this.#provenDoor(listener, ways);
      if (proven !== undefined) doors.push(...this.#guarded(proven, listener));
      if (
        allowsAnonymous &&
        proven?.listener.authentication !== 'certificate' &&
        proven?.listener.authentication !== 'psk'
      )
        doors.push(this.#anonymousDoor(listener, settings.get('allow_anonymous')?.place ?? listener.place));
      if (proven === undefined && !allowsAnonymous)
        this.#parts.report.unsupported(
          listener.place,
          addressOf(listener),
          'nobody could log in there: it is left out',
        );
    }
    return [...doors, ...this.#encryptedTwin(doors, listeners)];
  }

  /** The listener with the proof that mosquitto demanded there; undefined if it let in nobody but strangers. */
  #provenDoor(listener: ConfListener, ways: WaysIn): PlannedDoor | undefined {
    const { report } = this.#parts;
    const { settings, place } = listener;
    const named = isTrue(settings.get('use_identity_as_username'));
    const common = { disabled: undefined, place };
    if (settings.has('psk_hint') && ways.keys) {
      if (!named)
        report.changed(
          place,
          'psk_hint without use_identity_as_username',
          'the key proves who it is',
          'mosquitto asked for a user name beside it: the keys have no role yet',
        );
      return { ...common, listener: this.#listener(listener, 'mqtts', 'psk'), provesName: named };
    }
    const isTls = settings.has('certfile') && settings.has('keyfile');
    if (isTls) this.certificates.take(settings);
    if (isTls && isTrue(settings.get('require_certificate'))) {
      const id = this.certificates.authorityOf(settings);
      const certificate = this.#listener(listener, 'mqtts', 'certificate');
      if (!named)
        report.changed(
          place,
          'require_certificate without use_identity_as_username',
          'the certificate proves who it is',
          'mosquitto took the name from elsewhere: whoever comes in here has no right yet',
        );
      if (id !== undefined) return { ...common, listener: { ...certificate, clientCa: [id] }, provesName: named };
      return {
        ...common,
        listener: certificate,
        disabled: 'its cafile is not there, and certificates of Motte’s own would be taken',
        provesName: named,
      };
    }
    if (!ways.passwords) return undefined;
    return { ...common, listener: this.#listener(listener, isTls ? 'mqtts' : 'mqtt', 'password'), provesName: true };
  }

  /** A door that is shut where mosquitto's was narrower than Motte can make it, or would show passwords. */
  #guarded(door: PlannedDoor, listener: ConfListener): PlannedDoor[] {
    const { report } = this.#parts;
    const { settings, place } = listener;
    const { url } = door.listener;
    const narrower = settings.get('mount_point');
    const disabled =
      door.disabled ??
      (narrower !== undefined ? 'mount_point is not supported: its clients would see all topics' : undefined) ??
      (OWN_PORTS.has(listener.port) ? `Motte itself uses port ${listener.port}` : undefined);
    if (disabled !== undefined) {
      report.unsupported(narrower?.place ?? place, addressOf(listener), `it arrives disabled: ${disabled}`);
      return [{ ...door, disabled }];
    }
    if (door.listener.authentication !== 'password' || !/^wss?:|^mqtt:/.test(url) || url.startsWith('wss:')) {
      if (url.startsWith('mqtt+unix:'))
        report.changed(
          place,
          addressOf(listener),
          url,
          `with a waiver until ${this.#parts.until}, and only on this host`,
        );
      else report.same(place, addressOf(listener), `${url}, ${door.listener.authentication}`);
      return [door];
    }
    return this.#socketInstead(door, listener);
  }

  /** Passwords on a plain port: local clients move to a socket, the port is not opened. */
  #socketInstead(door: PlannedDoor, { place }: ConfListener): PlannedDoor[] {
    const { data, report } = this.#parts;
    const { url } = door.listener;
    const path = join(data, 'run', `${door.listener.name}.sock`);
    const shut: PlannedDoor = { ...door, disabled: 'passwords would be sent in the clear, and no waiver allows that' };
    if (Buffer.byteLength(path) > SOCKET_PATH_MAX || url.startsWith('ws:')) {
      report.insecure(place, url, undefined, 'it would send passwords in the clear: use the encrypted listener');
      return [shut];
    }
    const socket = {
      ...door.listener,
      name: `${door.listener.name}-local`,
      url: `mqtt+unix://${path}`,
      waiver: this.#waiver(place),
    };
    report.insecure(
      place,
      url,
      socket.url,
      `it would send passwords in the clear: clients of this host use the socket, until ${this.#parts.until} by its waiver`,
    );
    return [shut, { ...door, listener: socket }];
  }

  /** Where every port with passwords was a plain one, an encrypted one to move to. */
  #encryptedTwin(doors: readonly PlannedDoor[], listeners: readonly ConfListener[]): PlannedDoor[] {
    const { report } = this.#parts;
    const withPasswords = doors.filter(({ listener }) => listener.authentication === 'password');
    if (withPasswords.some(({ listener }) => /^(mqtts|wss):/.test(listener.url))) return [];
    const [plain] = withPasswords.filter(({ listener }) => /^(mqtt|ws):/.test(listener.url));
    if (plain === undefined) return [];
    const port = TWIN_PORTS.find((one) => !this.#ports.has(one));
    const own = listeners.find(({ place }) => place === plain.place);
    const host = own === undefined ? undefined : hostOf(own);
    if (port === undefined || host === undefined || plain.disabled?.startsWith('passwords') !== true) {
      report.unsupported(
        plain.place,
        'an encrypted listener beside it',
        'no port for it is free, or its address is not known: add one by hand',
      );
      return [];
    }
    this.#ports.add(port);
    const isWeb = plain.listener.url.startsWith('ws:');
    const url = `${isWeb ? 'wss' : 'mqtts'}://${host}:${port}${isWeb ? WEB_PATH : ''}`;
    report.changed(
      plain.place,
      plain.listener.url,
      url,
      'encrypted, for the same users: clients need ca.crt and this port',
    );
    const { maxConnections } = plain.listener;
    const listener: PlannedListener = {
      name: this.#name(`${isWeb ? 'wss' : 'mqtts'}-${port}`),
      url,
      authentication: 'password',
      ...(maxConnections === undefined ? {} : { maxConnections }),
    };
    return [{ listener, disabled: undefined, provesName: true, place: plain.place }];
  }

  #anonymousDoor(listener: ConfListener, place: Place): PlannedDoor {
    const isTls = listener.settings.has('certfile') && listener.settings.has('keyfile');
    const planned = this.#listener(listener, isTls ? 'mqtts' : 'mqtt', 'none');
    const disabled = 'everybody who reaches it would be let in without any proof';
    this.#parts.report.insecure(
      place,
      `allow_anonymous on ${addressOf(listener)}`,
      'disabled',
      `${disabled}; see motte.yaml for the waiver that it would need`,
    );
    const named = { ...planned, name: this.#name(`${planned.name}-anonymous`), waiver: this.#waiver(place) };
    return { listener: named, disabled, provesName: false, place };
  }

  #listener(listener: ConfListener, scheme: 'mqtts' | 'mqtt', authentication: AuthenticationMode): PlannedListener {
    const { conf, report } = this.#parts;
    const { port, settings, place } = listener;
    const path = listener.path === undefined ? undefined : resolve(conf, '..', listener.path);
    const isWeb = settings.get('protocol')?.value === 'websockets';
    const shownScheme = path !== undefined ? 'mqtt+unix' : isWeb ? (scheme === 'mqtts' ? 'wss' : 'ws') : scheme;
    const host = hostOf(listener) ?? UNKNOWN_HOST;
    if (host === UNKNOWN_HOST || settings.has('bind_interface'))
      report.changed(
        settings.get('bind_interface')?.place ?? place,
        addressOf(listener),
        `address ${host}`,
        'Motte listens on addresses: name the right one',
      );
    if (isWeb && authentication !== 'none')
      report.changed(
        place,
        addressOf(listener),
        `path ${WEB_PATH}`,
        'only this path is answered, and pages of browsers only from the origins that are listed',
      );
    const url = path === undefined ? `${shownScheme}://${host}:${port}${isWeb ? WEB_PATH : ''}` : `mqtt+unix://${path}`;
    const wanted =
      path === undefined
        ? `${shownScheme}-${port}`
        : `socket-${basename(path)
            .replace(/[^A-Za-z0-9._-]/g, '-')
            .slice(0, 40)}`;
    const most = Number(settings.get('max_connections')?.value ?? '-1');
    return {
      name: authentication === 'none' ? wanted : this.#name(wanted),
      url,
      authentication,
      ...(Number.isInteger(most) && most > 0 && most <= CONNECTIONS_MAX ? { maxConnections: most } : {}),
      ...(path === undefined ? {} : { waiver: this.#waiver(place) }),
    };
  }

  #waiver(place: Place): { reason: string; until: string } {
    return { reason: `as mosquitto had it, ${placeText(place)}`, until: this.#parts.until };
  }

  #name(wanted: string): string {
    for (let i = 1; ; i++) {
      const name = i === 1 ? wanted : `${wanted}-${i}`;
      if (this.#names.has(name)) continue;
      this.#names.add(name);
      return name;
    }
  }
}

function addressOf({ port, host, path }: ConfListener): string {
  return path === undefined ? `listener ${port}${host === undefined ? '' : ` ${host}`}` : `listener 0 ${path}`;
}

/** As a url has it; undefined for one that is none. */
function hostOf({ host, settings }: ConfListener): string | undefined {
  // An interface by name is no address: nobody else is let in by mistake.
  if (settings.has('bind_interface')) return UNKNOWN_HOST;
  if (host === undefined) return '0.0.0.0';
  if (host === 'localhost') return '127.0.0.1';
  const kind = isIP(host);
  if (kind !== 0) return kind === 6 ? `[${host}]` : host;
  return /^(?=.*[A-Za-z])[A-Za-z0-9.-]+$/.test(host) ? host : undefined;
}

const UNKNOWN_HOST = '127.0.0.1';
const WEB_PATH = '/mqtt';
/** Console and enrolment. */
const OWN_PORTS: ReadonlySet<number> = new Set([8443, 8446]);
const TWIN_PORTS = [8883, 8884, 8885, 8886];
const CONNECTIONS_MAX = 1_000_000;
/** Of `sockaddr_un`, with the byte that ends it. */
const SOCKET_PATH_MAX = 103;
