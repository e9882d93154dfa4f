// Everything that a counterpart is tried with, for one version.

import { describe } from 'vitest';
import { Stage, type StageOptions } from '../stage.ts';
import { messages } from './messages.ts';
import { refusals } from './refusals.ts';
import { sessions } from './sessions.ts';
import { version5 } from './version5.ts';

/** The other ways in, with what a transport could break: frames large and small, both directions. */
export function describeTransport(options: StageOptions): void {
  describe(`${options.counterpart.name}, MQTT ${options.version}, ${options.transport ?? 'tls'}`, () => {
    messages(new Stage(options));
  });
}

/** Every feature of the version. */
export function describeFeatures(options: StageOptions): void {
  describe(`${options.counterpart.name}, MQTT ${options.version}, ${options.transport ?? 'tls'}`, () => {
    const stage = new Stage(options);
    messages(stage);
    sessions(stage);
    refusals(stage);
    if (options.version === '5.0') version5(stage);
  });
}
