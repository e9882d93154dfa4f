// Mosquitto without Nagle's algorithm, which is on by default and makes small writes wait for acknowledgements: it costs
// throughput and latency and saves CPU. Not among the default brokers; `--brokers` shows it beside the plain one.
import { mosquittoWith } from './mosquitto.mjs';

/** @type {import('./broker.mjs').Broker} */
export const broker = mosquittoWith('mosquitto-nodelay', ['set_tcp_nodelay true']);
