// What to say of a device that is not there: another authority may well have one of that name.

import { MotteError } from '@motte/admin/errors';
import type { Registered } from './registered.ts';

/** MOT-0603 for a name that was looked for without `--ca`. */
export async function noSuchDevice(registry: Pick<Registered, 'list'>, name: string): Promise<MotteError> {
  const others = (await registry.list()).filter((device) => device.name === name && device.realm.startsWith(CA));
  const [first] = others.map(({ realm }) => realm.slice(CA.length));
  if (first === undefined) return new MotteError('MOT-0603', name);
  return new MotteError('MOT-0603', `${name}, certified here`, {
    remedy: `the authority ${first} has one of this name: add --ca ${first}`,
  });
}

const CA = 'ca:';
