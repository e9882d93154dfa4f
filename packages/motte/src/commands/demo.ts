// `motte demo`: on a running broker, one message that goes through mTLS and three things that must be refused, each with
// its reason. Exit 0 only if all went as they must.

import { setTimeout as after } from 'node:timers/promises';
import { type Admin, MotteError, openAdmin } from '@motte/admin';
import type { MqttClient, TlsTransportOptions } from '@motte/client';
import { failureText } from '../client/failure-text.ts';
import type { CommandFile } from '../command.ts';
import type { DemoDevice } from '../demo/devices.ts';

interface Step {
  readonly step: string;
  readonly ok: boolean;
  readonly what: string;
}

export const command: CommandFile = {
  configure: () => {},
  async run(context) {
    const admin = openAdmin(context.data);
    const where = mtlsAddress((await admin.status()).listeners);
    const { enrolDemoDevice, foreignDevice } = await import('../demo/devices.ts');
    const steps: Step[] = [];
    const note = (step: Step) => {
      steps.push(step);
      if (!context.json) context.say(`${step.ok ? 'ok    ' : 'FAILED'}  ${step.step}\n        ${step.what}`);
    };
    const sensor = await enrolDemoDevice(context, 'demo-sensor', 'device');
    const panel = await enrolDemoDevice(context, 'demo-panel', 'operator');
    note({
      step: 'two devices are enrolled',
      ok: true,
      what: `${sensor.name} with role device, ${panel.name} with role operator`,
    });
    note(await messageGoesThrough(where, sensor, panel));
    note(await mustNotConnect(admin, where, 'a client without certificate is refused', { ca: sensor.ca }));
    const { cert, key } = await foreignDevice(sensor);
    note(await mustNotConnect(admin, where, 'a certificate of a foreign CA is refused', { ca: sensor.ca, cert, key }));
    note(await mustNotPublish(admin, where, sensor, panel));
    const ok = steps.every((step) => step.ok);
    if (context.json) context.document({ format: 1, ok, steps });
    else context.say(ok ? 'all went as it must' : 'something went as it must not');
    return ok ? 0 : 1;
  },
};

type Where = Pick<TlsTransportOptions, 'host' | 'port'>;
type Pem = Pick<TlsTransportOptions, 'ca' | 'cert' | 'key'>;

function mtlsAddress(listeners: Awaited<ReturnType<Admin['status']>>['listeners']): Where {
  const found = listeners.find(({ url, authentication, state }) => {
    return url.startsWith('mqtts:') && authentication === 'certificate' && state === 'open';
  });
  if (found === undefined) {
    throw new MotteError('MOT-0702', 'no mqtts listener with certificates is open', {
      remedy: 'the demo needs one in motte.yaml',
    });
  }
  const { hostname, port } = new URL(found.url.replace(/^mqtts:/, 'https:'));
  const host = hostname === '0.0.0.0' ? '127.0.0.1' : hostname === '[::]' ? '::1' : hostname.replace(/^\[|\]$/g, '');
  return { host, port: Number(port === '' ? 443 : port) };
}

async function open(where: Where, device: DemoDevice, suffix: string): Promise<MqttClient> {
  const { connectClient, tlsTransport } = await import('@motte/client');
  const { ca, cert, key, name } = device;
  return connectClient({ transport: tlsTransport({ ...where, ca, cert, key }), clientId: `${name}/${suffix}` });
}

async function messageGoesThrough(where: Where, sensor: DemoDevice, panel: DemoDevice): Promise<Step> {
  const step = 'a message goes from one device to the other through mTLS';
  const topic = `devices/${sensor.name}/up/greeting`;
  try {
    const receiver = await open(where, panel, 'demo');
    const sender = await open(where, sensor, 'demo');
    try {
      const arrived = new Promise<string>((resolve) => {
        receiver.onMessage((message) => resolve(`${message.topic} ${Buffer.from(message.payload).toString()}`));
      });
      await receiver.subscribe([{ filter: topic, qos: 1 }]);
      await sender.publish(topic, 'hello', { qos: 1 });
      const what = await Promise.race([arrived, after(ARRIVAL_DEADLINE_MS, 'it did not arrive', UNREFERENCED)]);
      return { step, ok: what === `${topic} hello`, what };
    } finally {
      await Promise.all([receiver.disconnect(), sender.disconnect()]);
    }
  } catch (fault) {
    return { step, ok: false, what: failureText(fault) };
  }
}

/** Connecting must fail, and the broker must know why. */
async function mustNotConnect(admin: Admin, where: Where, step: string, pem: Pem): Promise<Step> {
  const { connectClient, tlsTransport } = await import('@motte/client');
  const known = await latestRefusal(admin);
  try {
    const client = await connectClient({ transport: tlsTransport({ ...where, ...pem }), clientId: 'demo-intruder' });
    await client.disconnect();
    return { step, ok: false, what: 'it was let in' };
  } catch (fault) {
    return refusedStep(admin, step, known, failureText(fault));
  }
}

/** A device publishes where another may: the PUBACK must say no, and nothing may arrive. */
async function mustNotPublish(admin: Admin, where: Where, sensor: DemoDevice, panel: DemoDevice): Promise<Step> {
  const step = "publishing to another device's topic is refused";
  const topic = `devices/${panel.name}/up/greeting`;
  const known = await latestRefusal(admin);
  try {
    const sender = await open(where, sensor, 'demo');
    try {
      await sender.publish(topic, 'not mine', { qos: 1 });
      return { step, ok: false, what: `${topic} was accepted` };
    } catch (fault) {
      return await refusedStep(admin, step, known, failureText(fault));
    } finally {
      await sender.disconnect();
    }
  } catch (fault) {
    return { step, ok: false, what: failureText(fault) };
  }
}

/** The refusal must be in the ring: a failure that the broker knows nothing of does not count. */
async function refusedStep(admin: Admin, step: string, known: string, seen: string): Promise<Step> {
  for (const end = performance.now() + ARRIVAL_DEADLINE_MS; performance.now() < end; ) {
    const { refusals } = await admin.refusals('last');
    const [last] = refusals;
    if (last !== undefined && `${last.id} ${last.count}` !== known) {
      return { step, ok: true, what: `${last.layer}: ${last.because} (rule ${last.rule}; the client saw: ${seen})` };
    }
    await after(20);
  }
  return { step, ok: false, what: `it failed (${seen}), but the broker has no refusal for it` };
}

async function latestRefusal(admin: Admin): Promise<string> {
  const [last] = (await admin.refusals('last')).refusals;
  return last === undefined ? '' : `${last.id} ${last.count}`;
}

const ARRIVAL_DEADLINE_MS = 5_000;
/** A deadline that was met does not keep the program from ending. */
const UNREFERENCED = { ref: false };
