// The demo's certificates: two real ones from the running broker's authority, one of an authority nobody here knows.
// Their keys stay in memory.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAdmin } from '@motte/admin';
import { createKeyAndCsr, startAuthority } from '@motte/pki';
import { askAuthority, type Place } from '../data/ask-authority.ts';

export interface DemoDevice {
  readonly name: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Enrols a device, or certifies it anew if an earlier demo did. */
export async function enrolDemoDevice(place: Place, name: string, role: string): Promise<DemoDevice> {
  const { key, csr } = await createKeyAndCsr(name, { type: 'ec' });
  const issued = await askAuthority(place, (ca) => ca.issueDevice({ name, csr, force: true }));
  const admin = openAdmin(place.data);
  const known = (await admin.devices()).devices.some((device) => device.name === name);
  if (!known) await admin.addDevice({ name, roles: [role] });
  return { name, ca: issued.root, cert: issued.certificate, key };
}

/** A certificate for the same name from a CA made for the moment and thrown away. */
export async function foreignDevice(real: DemoDevice): Promise<DemoDevice> {
  const data = mkdtempSync(join(tmpdir(), 'motte-demo-'));
  try {
    const authority = await startAuthority({ data });
    try {
      const { key, csr } = await createKeyAndCsr(real.name, { type: 'ec' });
      const issued = await authority.administrator.issueDevice({ name: real.name, csr });
      return { name: real.name, ca: real.ca, cert: issued.certificate, key };
    } finally {
      await authority.close();
    }
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
}
