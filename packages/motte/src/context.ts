// What every command gets: the global options and where to write. Commands never touch process.argv or process.exit.

import { join, resolve } from 'node:path';
import type { ConfigSource } from './config/config.ts';

export interface GlobalOptions {
  readonly data?: string;
  readonly config?: string;
  readonly json?: boolean;
  readonly debug?: boolean;
}

export interface Context {
  /** Absolute. */
  readonly data: string;
  /** As people typed it, or undefined for the default: what a printed command repeats. */
  readonly dataGiven: string | undefined;
  readonly config: ConfigSource;
  readonly json: boolean;
  readonly debug: boolean;
  /** One line, or several, to standard output. */
  say(text: string): void;
  /** One JSON document to standard output. */
  document(value: unknown): void;
  /** To standard error. */
  warn(text: string): void;
}

export function createContext(options: GlobalOptions, env: NodeJS.ProcessEnv): Context {
  const dataGiven = options.data ?? env['MOTTE_DATA'];
  const data = resolve(dataGiven ?? DATA_DEFAULT);
  return {
    data,
    dataGiven,
    config:
      options.config === undefined
        ? { path: join(data, 'motte.yaml'), explicit: false }
        : { path: resolve(options.config), explicit: true },
    json: options.json === true,
    debug: options.debug === true,
    say: (text) => void process.stdout.write(`${text}\n`),
    document: (value) => void process.stdout.write(`${JSON.stringify(value, null, 2)}\n`),
    warn: (text) => void process.stderr.write(`${text}\n`),
  };
}

const DATA_DEFAULT = './motte-data';
