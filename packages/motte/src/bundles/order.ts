// `--bundle KIND` with `--url`: which bundle was asked for, and for which address of the broker.

import { MotteError } from '@motte/admin/errors';
import type { KeyType } from '@motte/pki';
import { type Options, textOption } from '../command.ts';
import type { Context } from '../context.ts';
import { type DeviceAddress, deviceAddress } from '../data/device-address.ts';
import type { Bundle } from './bundle.ts';
import { BUNDLES } from './bundles.ts';

export interface BundleOrder extends DeviceAddress {
  readonly kind: string;
  readonly bundle: Bundle;
}

export interface KeyChoice {
  readonly type: KeyType;
  /** False where the device brings a request of its own. */
  readonly madeHere: boolean;
}

/** Undefined where none was asked for. Throws MOT-0002 for a bundle that there is not, or not for such a key. */
export async function orderBundle(
  context: Context,
  options: Options,
  key: KeyChoice,
): Promise<BundleOrder | undefined> {
  const kind = textOption(options, 'bundle');
  const url = textOption(options, 'url');
  if (kind === undefined) {
    if (url !== undefined) throw new MotteError('MOT-0002', '--url goes with --token or --bundle');
    return undefined;
  }
  const bundle = BUNDLES.get(kind);
  if (bundle === undefined) throw new MotteError('MOT-0002', `--bundle ${kind}: there is ${bundleKinds()}`);
  const refusal = bundle.refuses?.(key);
  if (refusal !== undefined) throw new MotteError('MOT-0002', `--bundle ${kind}: ${refusal}`);
  return { kind, bundle, ...(await deviceAddress(context, url)) };
}

export function bundleKinds(): string {
  return [...BUNDLES.keys()].join(', ');
}
