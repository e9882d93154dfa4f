// The log: events and a few words of the program, as JSON lines or, on a terminal, as lines for people. Levels come
// from EVENTS; nothing is logged that does not stand there or that the program says itself. Secrets are never in an event.

import { pino } from 'pino';
import { type BrokerEvent, EVENTS, type Level } from '../events.ts';
import { printable, printableFields } from './printable.ts';

export type LogLevel = Level | 'off';

export interface LogOptions {
  readonly level: LogLevel;
  /** `json`: one object a line; `text`: one line for people. */
  readonly shape: 'json' | 'text';
  /** Takes one line without its end. */
  readonly write: (line: string) => void;
}

export interface Log {
  /** The observer to hang on the broker. */
  observe(event: BrokerEvent): void;
  /** What the program itself has to say. */
  say(level: Level, text: string, fields?: Readonly<Record<string, unknown>>): void;
  level: LogLevel;
}

/** A log that hands finished lines to `write`. */
export function createLog(options: LogOptions): Log {
  const emit = options.shape === 'json' ? jsonLines(options.write) : textLines(options.write);
  const log: Log = {
    level: options.level,
    observe(event) {
      const { level, text } = EVENTS[event.name];
      if (!reaches(log.level, level)) return;
      const { name, atMs, ...fields } = event;
      emit({ level, atMs, event: name, text, fields: printableFields(fields) });
    },
    say(level, text, fields = {}) {
      if (!reaches(log.level, level)) return;
      emit({ level, atMs: Date.now(), event: undefined, text: printable(text, 4096), fields: printableFields(fields) });
    },
  };
  return log;
}

interface Line {
  readonly level: Level;
  readonly atMs: number;
  readonly event: string | undefined;
  readonly text: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

function jsonLines(write: (line: string) => void): (line: Line) => void {
  const logger = pino(
    {
      base: null,
      level: 'debug',
      timestamp: false,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => write(line.trimEnd()) },
  );
  return ({ level, atMs, event, text, fields }) => {
    logger[level]({ time: new Date(atMs).toISOString(), ...(event === undefined ? {} : { event }), ...fields }, text);
  };
}

function textLines(write: (line: string) => void): (line: Line) => void {
  return ({ level, atMs, event, text, fields }) => {
    const time = new Date(atMs).toISOString().slice(11, 19);
    const rest = Object.entries(fields)
      .filter(([, value]) => value !== undefined && value !== '')
      .map(([key, value]) => `${key}=${fieldText(value)}`)
      .join(' ');
    const name = event === undefined ? '' : `${event} `;
    write(`${time} ${level.padEnd(5)} ${name}${text}${rest === '' ? '' : `  ${rest}`}`);
  };
}

function fieldText(value: unknown): string {
  const text = Array.isArray(value) ? value.join(',') : String(value);
  return /[\s"=]/.test(text) ? JSON.stringify(text) : text;
}

function reaches(threshold: LogLevel, level: Level): boolean {
  return threshold !== 'off' && ORDER.indexOf(level) >= ORDER.indexOf(threshold);
}

const ORDER: readonly Level[] = ['debug', 'info', 'warn', 'error'];
