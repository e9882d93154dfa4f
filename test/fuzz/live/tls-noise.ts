// TLS gone wrong: ClientHellos damaged, cut and drawn out, garbage before, in and behind the handshake.

import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { joined } from '../../harness/bytes.ts';
import type { Chance } from '../chance.ts';
import { damaged } from '../mutations.ts';
import type { DeviceFiles } from './broker-process.ts';

let hello: Uint8Array | undefined;

/** A ClientHello of this runtime. */
export async function clientHello(): Promise<Uint8Array> {
  if (hello !== undefined) return hello;
  const sink = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      sink.emit('hello', new Uint8Array(chunk));
      done();
    },
  });
  const seen = once(sink, 'hello');
  const socket = connectTls({ socket: sink, servername: 'localhost' });
  socket.on('error', () => undefined);
  [hello] = (await seen) as [Uint8Array];
  socket.destroy();
  return hello;
}

/** Bytes for a connection that never becomes TLS. */
export async function tlsNoise(chance: Chance): Promise<Uint8Array[]> {
  const whole = await clientHello();
  switch (chance.int(7)) {
    case 0:
      return [chance.bytes(chance.between(1, 600))];
    case 1:
      return [whole.slice(0, chance.int(whole.length))];
    case 2:
      return [whole, chance.bytes(chance.between(1, 300))];
    case 3:
      return Array.from(whole.slice(0, chance.int(whole.length)), (byte) => Uint8Array.of(byte));
    case 4:
      return [joined([0x16, 3, 1, chance.pick(['4000', 'ffff', '0000', '0001']), chance.bytes(50)])];
    case 5:
      return [Uint8Array.from(Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'))];
    default:
      return [damaged(whole, chance)];
  }
}

/** A handshake that goes well, then bytes below TLS that are no record. */
export async function garbageBehindHandshake(raw: Socket, files: DeviceFiles, chance: Chance): Promise<TLSSocket> {
  const socket = connectTls({ socket: raw, ...files, servername: 'localhost' });
  socket.on('error', () => undefined);
  await Promise.race([once(socket, 'secureConnect'), once(raw, 'close')]).catch(() => undefined);
  if (!raw.destroyed) raw.write(chance.bytes(chance.between(1, 200)));
  return socket;
}
