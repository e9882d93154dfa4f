// Cross-site WebSocket: a browser sends the visitor's certificate with whatever page asks, and says truly where the page is
// from. Only an origin that is listed, letter by letter, comes through.

import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestListener, type TestListener, untilClosed } from '../fixtures/test-listener.ts';

const LISTED = 'https://panel.example:8443';

let listener: TestListener;
beforeAll(async () => {
  listener = await openTestListener({
    config: { scheme: 'ws', url: 'ws://127.0.0.1:0/mqtt', path: '/mqtt', authentication: 'none', origins: [LISTED] },
    onConnection: (stream) => stream.destroy(),
  });
});
afterAll(() => listener.close());

/** The status of an upgrade with these further header lines. */
async function upgrade(...lines: string[]): Promise<string | undefined> {
  const socket = connect(listener.port, '127.0.0.1');
  const head = [
    'GET /mqtt HTTP/1.1',
    'Host: 127.0.0.1',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Protocol: mqtt',
    ...lines,
  ];
  socket.on('error', () => undefined).write(`${head.join('\r\n')}\r\n\r\n`);
  return (await untilClosed(socket)).split(' ', 2)[1];
}

describe('a page', () => {
  it('whose origin is listed comes through, as does a client that is no browser', async () => {
    expect(await upgrade(`Origin: ${LISTED}`)).toBe('101');
    expect(await upgrade()).toBe('101');
  });

  it.each([
    ['of another host', ['Origin: https://elsewhere.example']],
    ['in a sandbox', ['Origin: null']],
    ['without a name', ['Origin:']],
    ['of another port', ['Origin: https://panel.example']],
    ['of another scheme', ['Origin: http://panel.example:8443']],
    ['of a longer host', [`Origin: ${LISTED}.elsewhere.example`]],
    ['of a shorter host', ['Origin: https://panel.exampl']],
    ['with a path', [`Origin: ${LISTED}/`]],
    ['with credentials', ['Origin: https://panel.example:8443@elsewhere.example']],
    ['that names two, the listed one first', [`Origin: ${LISTED}`, 'Origin: https://elsewhere.example']],
    ['that names the listed one in a list', [`Origin: ${LISTED}, https://elsewhere.example`]],
  ])('%s is refused', async (_how, lines) => {
    const before = listener.refusals.length;
    expect(await upgrade(...lines)).toBe('403');
    expect((await listener.refusal(before)).rule).toBe('listeners.origins');
  });
});
