// A policy as the YAML that would say the same: of the built-in one, which no file was ever written for.

import type { Policy } from '@motte/broker/policy';
import { stringify } from 'yaml';

/** Roles alone: the built-in policy has neither groups nor tests. */
export function renderRoles({ roles }: Policy): string {
  const document = Object.fromEntries(
    [...roles.values()].map(({ name, rules, listenerOnly }) => {
      const lines = rules.map(({ text }) => text);
      return [name, listenerOnly ? { listenerOnly, rules: lines } : lines];
    }),
  );
  return stringify({ roles: document }, { lineWidth: 0 });
}
