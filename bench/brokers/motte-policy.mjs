// Motte's broker as motte-open has it, with authorisation by a role of a thousand rules.
import { startLibrary } from './start-library.mjs';

/** @type {import('./broker.mjs').Broker} */
export const broker = startLibrary('motte-policy', 'policy');
