// `motte ca show`: the CA, where its keys are, and which devices have not moved while it is being replaced.

import type { CaDetails, CaGeneration } from '@motte/pki/protocol';
import { groupFingerprint } from '@motte/pki/protocol';
import type { CommandFile } from '../command.ts';
import type { Context } from '../context.ts';
import { askAuthority } from '../data/ask-authority.ts';
import { renderFields } from '../table.ts';

export const command: CommandFile = {
  configure: () => {},
  async run(context) {
    const { ca, unmoved } = await askAuthority(context, async (authority) => ({
      ca: await authority.showCa(),
      unmoved: await authority.unmovedDevices(),
    }));
    if (context.json) context.document({ format: 1, ca, unmoved });
    else sayCa(context, ca, unmoved);
    return 0;
  },
};

export function sayCa(context: Context, ca: CaDetails, unmoved: readonly string[]): void {
  context.say(renderFields(fieldsOf(ca.current)));
  context.say(
    renderFields([
      ['certificates', `${ca.issued} issued so far, the CA's own included`],
      ['devices', ca.devices],
    ]),
  );
  if (ca.old === null) return;
  context.say('\nit replaces this CA, which certifies the broker and is trusted until `motte ca rotate --finish`:');
  context.say(renderFields([...fieldsOf(ca.old), ['meant until', ca.old.until]]));
  if (unmoved.length === 0) context.say('every device has moved');
  else context.say(`not moved yet, ${unmoved.length} of ${ca.devices}:`);
  for (const name of unmoved) context.say(`  ${name}`);
}

function fieldsOf({ root, issuing, rootKey, issuingKey, fingerprint }: CaGeneration): [string, string][] {
  return [
    ['root', root.subject],
    ['fingerprint', groupFingerprint(fingerprint)],
    ['root ends', root.notAfter],
    ['root key', `${root.keyType}, ${PLACES[rootKey]}`],
    ['issuing CA', issuing.subject],
    ['issuing ends', issuing.notAfter],
    ['issuing key', `${issuing.keyType}, ${PLACES[issuingKey]}`],
  ];
}

const PLACES = {
  file: 'in a file that only its owner can read',
  passphrase: 'in a file, under a passphrase',
  signer: 'behind the signer',
} as const;
