// Every bundle by its name.

import { arduino } from './arduino.ts';
import type { Bundle } from './bundle.ts';
import { mosquitto } from './mosquitto.ts';
import { nodejs } from './nodejs.ts';
import { nodered } from './nodered.ts';
import { python } from './python.ts';

export const BUNDLES: ReadonlyMap<string, Bundle> = new Map([
  ['mosquitto', mosquitto],
  ['python', python],
  ['arduino', arduino],
  ['nodered', nodered],
  ['nodejs', nodejs],
]);
