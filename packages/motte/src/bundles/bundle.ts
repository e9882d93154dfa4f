// What a bundle is: files beside a device's certificate that make one kind of client connect, the lines that try it, and
// what that kind of client cannot do.

import type { KeyType } from '@motte/pki';

/** Whose bundle, where it is, and whom it calls. Name and host need no quoting anywhere; the directory does. */
export interface BundlePlace {
  readonly name: string;
  /** Where the files are; absolute. */
  readonly directory: string;
  readonly host: string;
  readonly port: number;
}

export interface BundleFacts extends BundlePlace {
  /** PEM. */
  readonly root: string;
  readonly certificate: string;
  /** PEM; empty where the device keeps its key itself. */
  readonly key: string;
}

export interface BundleFile {
  name(device: string): string;
  render(facts: BundleFacts): string;
}

export interface Bundle {
  readonly files: readonly BundleFile[];
  /** What somebody does first, once. */
  readonly needs: readonly string[];
  /** Lines for a shell, as they are. */
  snippet(place: BundlePlace): readonly string[];
  /** What this kind of client cannot do, or does otherwise. */
  readonly limits: readonly string[];
  /** Why it cannot be made for such a key; undefined = it can. */
  refuses?(key: { readonly type: KeyType; readonly madeHere: boolean }): string | undefined;
}

export function upTopic(name: string): string {
  return `devices/${name}/up/temperature`;
}

export function downFilter(name: string): string {
  return `devices/${name}/down/#`;
}

/** The rule that every bundle tells, since a client library would make up an id of its own. */
export function clientIdRule(name: string): string {
  return `The client id must be ${name} or ${name}/anything; everything else is refused with 0x85 (MQTT 3: 2).`;
}

export function inDirectory({ directory }: BundlePlace): string {
  return `cd '${directory.replaceAll("'", `'\\''`)}'`;
}
