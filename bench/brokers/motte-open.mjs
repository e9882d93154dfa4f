// Motte's broker without authorisation, which no program of it offers: to see what authorisation costs.
import { startLibrary } from './start-library.mjs';

/** @type {import('./broker.mjs').Broker} */
export const broker = startLibrary('motte-open', 'open');
