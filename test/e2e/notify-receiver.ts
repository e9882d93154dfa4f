// The service manager's end of sd_notify(3), in a small program of Python: Node has no datagrams over Unix sockets.

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const SCRIPT = `
import json, socket, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
print(json.dumps(["listening"]), flush=True)
while True:
    print(json.dumps(receiver.recv(4096).decode().split("\\n")), flush=True)
`;

export class NotifyReceiver {
  /** Each datagram as its assignments. */
  readonly heard: string[][] = [];
  readonly #child: ChildProcess;
  #wake: () => void = () => undefined;

  constructor(path: string) {
    const child = spawn('/usr/bin/python3', ['-c', SCRIPT, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child = child;
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.heard.push(JSON.parse(line) as string[]);
      this.#wake();
    });
  }

  /** Resolves with the first datagram at or behind this place that has the assignment; gives its place. */
  async hears(assignment: string, from = 0): Promise<number> {
    for (;;) {
      const at = this.heard.findIndex((said, place) => place >= from && said.includes(assignment));
      if (at !== -1) return at;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  end(): void {
    this.#child.kill();
  }
}
