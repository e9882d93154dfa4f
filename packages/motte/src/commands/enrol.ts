// `motte enrol URL TOKEN`, on the device: no data directory, no broker. The same command renews what it enrolled.

import { resolve } from 'node:path';
import { MotteError } from '@motte/admin/errors';
import { type CommandFile, type Exit, type Options, textOption } from '../command.ts';
import { parseEnrolUrl } from '../config/enrol-url.ts';
import type { Context } from '../context.ts';

export const command: CommandFile = {
  configure: (command) => {
    command
      .argument('[url]', 'https://HOST:PORT, as `motte device add NAME --token` printed it')
      .argument('[token]', 'the token, whole')
      .option('--out <dir>', 'where the files go (default ./NAME)')
      .option('--name <name>', 'without a token: the name to ask for while a join window is open; needs --ca')
      .option('--ca <sha256>', "without a token: the CA's fingerprint, as `motte device join` printed it")
      .option(
        '--renew [dir]',
        'renew the certificate in this directory (default .) once two thirds of its life are over',
      )
      .option('--force', 'renew before it is due');
  },
  async run(context, [url, token], options) {
    if (options['renew'] !== undefined) return renew(context, url, options);
    if (url === undefined) throw new MotteError('MOT-0002', 'the address is missing: motte enrol URL TOKEN');
    checkUrl(url);
    const { name, fingerprint } = await whoOf(token, options);
    const directory = resolve(textOption(options, 'out') ?? name);
    const { enrolHere } = await import('../enrol/join.ts');
    const { notAfter, written } = await enrolHere({ url, name, fingerprint, token, directory });
    if (context.json) context.document({ format: 1, device: { name, notAfter, written } });
    else {
      context.say(`device ${name} is enrolled, certificate until ${notAfter}`);
      for (const path of written) context.say(`  ${path}`);
      context.say(`its client ids are ${name} and ${name}/anything`);
      context.say(`let this run once a day: motte enrol --renew ${directory}`);
    }
    return 0;
  },
};

async function whoOf(token: string | undefined, options: Options): Promise<{ name: string; fingerprint: string }> {
  const { decodeToken, parseDeviceName } = await import('@motte/pki');
  if (token !== undefined) {
    const known = decodeToken(token);
    if (known === undefined) throw new MotteError('MOT-0641', `${token.slice(0, 12)}… is none`);
    return known;
  }
  const [name, ca] = [textOption(options, 'name'), textOption(options, 'ca')];
  if (name === undefined || ca === undefined) {
    throw new MotteError('MOT-0002', 'a token is missing; without one --name and --ca have to be given');
  }
  const fingerprint = ca.replaceAll(':', '').toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(fingerprint)) throw new MotteError('MOT-0002', '--ca takes a SHA-256 in hexadecimal');
  return { name: parseDeviceName(name), fingerprint };
}

async function renew(context: Context, url: string | undefined, options: Options): Promise<Exit> {
  if (url !== undefined) checkUrl(url);
  const directory = resolve(textOption(options, 'renew') ?? '.');
  const { renewHere } = await import('../enrol/renew.ts');
  const done = await renewHere({ directory, url, force: options['force'] === true, nowMs: Date.now() });
  if (context.json) context.document({ format: 1, renewal: done });
  else if (done.state === 'not-due') {
    context.say(`the certificate of ${done.name} is renewed from ${done.dueAt} on; it ends on ${done.notAfter}`);
  } else {
    context.say(`device ${done.name} has a new certificate until ${done.notAfter}; the old one is kept as .old`);
    for (const path of done.written) context.say(`  ${path}`);
  }
  return 0;
}

function checkUrl(url: string): void {
  const address = parseEnrolUrl(url);
  if (typeof address === 'string') throw new MotteError('MOT-0002', `${url.slice(0, 80)}: ${address}`);
}
