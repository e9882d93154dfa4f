// `motte device requests`: who waits for approval, with the fingerprint that the device shows; and tokens that are open.

import type { CommandFile } from '../command.ts';
import { askAuthority } from '../data/ask-authority.ts';
import { renderTable } from '../table.ts';

export const command: CommandFile = {
  configure: () => {},
  async run(context) {
    const { groupFingerprint } = await import('@motte/pki');
    const list = await askAuthority(context, (ca) => ca.enrolments());
    if (context.json) {
      context.document({ format: 1, ...list });
      return 0;
    }
    const kinds = { join: 'joins', expired: 'renews after its end', 'new-key': 'renews with a new key' };
    context.say(
      renderTable(
        ['REQUEST', 'DEVICE', 'WHAT', 'STATE', 'ASKED', 'KEY, SHA-256'],
        list.requests.map(({ id, name, kind, state, askedAt, fingerprint }) => {
          return [id, name, kinds[kind], state, askedAt, groupFingerprint(fingerprint)];
        }),
      ),
    );
    context.say(
      renderTable(
        ['TOKEN FOR', 'ROLES', 'STATE', 'WRONG TRIES', 'UNTIL'],
        list.tokens.map(({ name, roles, state, wrongTries, endsAt }) => [
          name,
          roles.join(','),
          state,
          wrongTries,
          endsAt,
        ]),
      ),
    );
    if (list.joinUntil !== '') context.say(`devices may ask without a token until ${list.joinUntil}`);
    return 0;
  },
};
