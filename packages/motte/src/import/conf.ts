// What mosquitto.conf says, settled: listeners with their settings, scopes of who may log in and do what, bridges. Which of
// two lines counts follows mosquitto 2.0; what its settings mean here is others' part.

import { resolve } from 'node:path';
import { MotteError } from '@motte/admin/errors';
import { confKey, type KeyScope } from './conf-keys.ts';
import type { ConfFile, ConfLine } from './conf-lines.ts';
import { IMPORT_LIMITS } from './limits.ts';
import type { ImportReport } from './report.ts';
import { type Mistake, type Place, SourceRefused } from './source.ts';

export type Settings = ReadonlyMap<string, ConfLine>;

export interface ConfPlugin {
  readonly path: string;
  readonly place: Place;
  /** By their names, without `plugin_opt_` and `auth_opt_`. */
  readonly options: Settings;
}

/** One set of users and rules, and the listeners it is for. */
export interface Scope {
  readonly settings: Settings;
  readonly plugins: readonly ConfPlugin[];
  readonly listeners: readonly ConfListener[];
  readonly allowsAnonymous: boolean;
}

export interface ConfListener {
  /** 0 = a Unix socket. */
  readonly port: number;
  /** Undefined = every address. */
  readonly host: string | undefined;
  /** Of a Unix socket. */
  readonly path: string | undefined;
  readonly place: Place;
  readonly settings: Settings;
}

export interface MosquittoConf {
  readonly scopes: readonly Scope[];
  readonly settings: Settings;
  readonly bridges: readonly Place[];
}

/** Throws SourceRefused for lines that mosquitto refuses. `main` is where a listener is said to stand that no line opens. */
export function settleConf(conf: ConfFile, report: ImportReport): MosquittoConf {
  const settling = new Settling(report);
  settling.take(conf);
  return settling.settled({ file: conf.file, line: 1 });
}

export function isTrue(setting: ConfLine | undefined): boolean {
  return setting?.value === 'true' || setting?.value === '1';
}

interface OpenScope {
  readonly settings: Map<string, ConfLine>;
  readonly plugins: { path: string; place: Place; options: Map<string, ConfLine> }[];
}

interface OpenListener {
  readonly port: number;
  readonly host: string | undefined;
  readonly path: string | undefined;
  readonly place: Place;
  readonly settings: Map<string, ConfLine>;
  readonly scope: OpenScope;
}

class Settling {
  readonly #report: ImportReport;
  readonly #mistakes: Mistake[] = [];
  readonly #global = new Map<string, ConfLine>();
  readonly #scope: OpenScope = { settings: new Map(), plugins: [] };
  readonly #default = {
    settings: new Map<string, ConfLine>(),
    scope: { settings: new Map(), plugins: [] } as OpenScope,
  };
  readonly #listeners: OpenListener[] = [];
  readonly #bridges: Place[] = [];
  #perListener = false;

  constructor(report: ImportReport) {
    this.#report = report;
  }

  /** In each file the default listener is the current one until another is opened. */
  take({ lines }: ConfFile): void {
    let current: { settings: Map<string, ConfLine>; scope: OpenScope } = this.#default;
    for (const line of lines) {
      if ('lines' in line) {
        this.take(line);
        continue;
      }
      const row = confKey(line.key);
      if (row === undefined) {
        this.#report.unsupported(line.place, line.key, 'mosquitto 2.0 has no such key');
        continue;
      }
      if (row.says?.kind === 'changed') this.#report.changed(line.place, line.key, undefined, row.says.why);
      else if (row.says !== undefined) this.#report.unsupported(line.place, line.key, row.says.why);
      else if (line.value === '') this.#mistakes.push({ place: line.place, why: `${line.key} has no value` });
      else if (line.key === 'listener') current = this.#open(line) ?? current;
      else this.#set(row.scope, line, current);
    }
  }

  settled(main: Place): MosquittoConf {
    const listeners: readonly OpenListener[] = [...this.#listeners, ...this.#defaultListener(main)];
    if (listeners.length > IMPORT_LIMITS.listenersMax)
      throw new MotteError('MOT-1004', `${listeners.length} listeners, ${IMPORT_LIMITS.listenersMax} are taken`);
    if (this.#mistakes.length > 0) throw new SourceRefused(this.#mistakes);
    const isLocalOnly =
      this.#listeners.length === 0 && ![...DEFAULT_ONLY].some((key) => this.#default.settings.has(key));
    if (this.#perListener) {
      for (const line of this.#scope.settings.values())
        this.#report.unsupported(line.place, line.key, 'mosquitto ignores it: it stands before per_listener_settings');
    }
    const scopeOf = ({ settings, plugins }: OpenScope, own: readonly ConfListener[]): Scope => ({
      settings,
      plugins,
      listeners: own,
      // Where nothing opens a listener mosquitto listens on loopback alone and lets everybody in.
      allowsAnonymous: isLocalOnly || isTrue(settings.get('allow_anonymous')),
    });
    const scopes = this.#perListener
      ? listeners.map((listener) => scopeOf(listener.scope, [listener]))
      : [scopeOf(this.#scope, listeners)];
    return { scopes, settings: this.#global, bridges: this.#bridges };
  }

  #open({ value, place }: ConfLine): OpenListener | undefined {
    const [digits = '', address] = value.split(/\s+/);
    const port = /^[0-9]{1,5}$/.test(digits) ? Number(digits) : PORT_MAX + 1;
    const target = address?.startsWith('#') === true ? undefined : address;
    if (port > PORT_MAX || (port === 0 && target === undefined)) {
      this.#mistakes.push({ place, why: 'listener needs a port of 1 to 65535, or 0 and the path of a Unix socket' });
      return undefined;
    }
    const [host, path] = port === 0 ? [undefined, target] : [target, undefined];
    const scope: OpenScope = { settings: new Map(), plugins: [] };
    const listener = { port, host, path, place, settings: new Map<string, ConfLine>(), scope };
    this.#listeners.push(listener);
    return listener;
  }

  #set(scope: KeyScope, line: ConfLine, current: { settings: Map<string, ConfLine>; scope: OpenScope }): void {
    const { key, value, place } = line;
    switch (scope) {
      case 'bridge':
        if (key === 'connection') this.#bridges.push(place);
        return;
      case 'global':
        if (key === 'per_listener_settings') this.#perListener = isTrue(line);
        this.#global.set(key, line);
        return;
      case 'listener':
        (DEFAULT_ONLY.has(key) ? this.#default : current).settings.set(key, line);
        return;
      case 'security': {
        const { settings, plugins } = this.#perListener ? current.scope : this.#scope;
        const option = /^(?:plugin|auth)_opt_(.+)$/.exec(key)?.[1];
        if (option !== undefined) plugins.at(-1)?.options.set(option, line);
        else if (key === 'plugin' || key === 'auth_plugin') plugins.push({ path: value, place, options: new Map() });
        else if (key.endsWith('_file') && settings.has(key))
          this.#mistakes.push({ place, why: `${key} stands there twice` });
        else settings.set(key, line);
        return;
      }
      default:
        scope satisfies never;
    }
  }

  /** The one that needs no `listener`: there as soon as something is set for it, and if nothing else is. */
  #defaultListener(main: Place): OpenListener[] {
    const { settings, scope } = this.#default;
    const isAsked = settings.size > 0 || scope.settings.size > 0 || scope.plugins.length > 0;
    if (!isAsked && this.#listeners.length > 0) return [];
    const port = settings.get('port');
    const number = Number(port?.value ?? DEFAULT_PORT);
    if (!Number.isInteger(number) || number < 1 || number > PORT_MAX) {
      this.#mistakes.push({ place: port?.place ?? main, why: 'port needs a port of 1 to 65535' });
    }
    const host = settings.get('bind_address')?.value ?? (isAsked ? undefined : 'localhost');
    const [first] = [...settings.values(), ...scope.settings.values()];
    return [{ port: number, host, path: undefined, place: port?.place ?? first?.place ?? main, settings, scope }];
  }
}

/** A path of a setting; relative ones count from mosquitto.conf. */
export function pathOf(conf: string, { value }: ConfLine): string {
  return resolve(conf, '..', value);
}

const DEFAULT_ONLY: ReadonlySet<string> = new Set(['port', 'bind_address']);
const DEFAULT_PORT = 1883;
const PORT_MAX = 65_535;
