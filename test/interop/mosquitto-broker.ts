// Debian's mosquitto as a broker that is asked what it allows: over the network, by clients that publish and subscribe.

import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { connectClient, type MqttClient, MqttError, tcpTransport } from '@motte/client';

/** Somebody who may do everything, and whose password is `password` as all have it. */
export const AUDITOR = 'auditor';
export const PASSWORD = 'as good as any';

/** What mosquitto retains of itself from its start on. */
export const VERSION_TOPIC = '$SYS/broker/version';
/** What `#` does not cover, and the auditor needs as well. */
export const DOLLAR_FILTERS = ['$SYS/#', '$local/#'] as const;

export interface Question {
  readonly user: string;
  /** `receive`: who subscribes to the topic's own name, is it sent what is published there? */
  readonly asked: 'publish' | 'receive' | 'subscribe';
  readonly topic: string;
  /** By a shared subscription of the user's own, `$share/USER/TOPIC`; not together with questions that are asked without. */
  readonly isShared?: boolean;
}

export class MosquittoBroker {
  readonly #child: ChildProcess;
  readonly #port: number;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.#port = port;
  }

  /** Runs it on a configuration whose listener is on this port; resolves when it accepts. */
  static async start(conf: string, port: number): Promise<MosquittoBroker> {
    const child = spawn('/usr/sbin/mosquitto', ['-c', conf], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    await new Promise<void>((resolve, reject) => {
      child.stderr?.on('data', (bytes) => {
        said += String(bytes);
        if (/mosquitto version \S+ running/.test(said)) resolve();
      });
      child.once('exit', () => reject(new Error(`mosquitto ended: ${said}`)));
    });
    return new MosquittoBroker(child, port);
  }

  async stop(): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill();
    await gone;
  }

  /** Its answers, in the order of the questions. */
  async ask(questions: readonly Question[]): Promise<boolean[]> {
    const auditor = await this.#connect(AUDITOR);
    const clients = new Map<string, MqttClient>();
    for (const { user } of questions) if (!clients.has(user)) clients.set(user, await this.#connect(user));
    const came = new Set<number>();
    const takeFrom = (client: MqttClient, user: string) =>
      client.onMessage(({ topic, payload }) => {
        // Nobody can publish it: it is the broker's own message that answers.
        const answered =
          topic === VERSION_TOPIC
            ? questions.flatMap((one, i) => (one.asked === 'receive' && one.topic === topic ? [i] : []))
            : [Number(Buffer.from(payload).toString())];
        for (const i of answered) {
          const one = questions[i];
          if (one?.topic === topic && (one.user === user || user === AUDITOR)) came.add(i);
        }
      });
    const answers: boolean[] = new Array(questions.length).fill(false);
    for (const [user, client] of clients) if (user !== AUDITOR) takeFrom(client, user);

    for (const [i, question] of questions.entries()) {
      const { user, asked, topic } = question;
      const client = clients.get(user) as MqttClient;
      const filter = filterOf(question);
      if (asked === 'receive') await grants(client, filter);
      if (asked !== 'subscribe' || !(await grants(client, filter))) continue;
      answers[i] = true;
      // At once undone: what it brings is another question.
      const isAskedMore = questions.some((one) => one.user === user && one.asked === 'receive' && one.topic === topic);
      if (!isAskedMore) await client.unsubscribe(filter);
    }
    // Of its message each question hears by its number.
    const receiving = questions.flatMap(({ asked, topic }, i) =>
      asked === 'receive' && topic !== VERSION_TOPIC ? [{ topic, i }] : [],
    );
    for (const some of portions(receiving))
      await Promise.all(some.map(({ topic, i }) => auditor.publish(topic, String(i), { qos: 1 })));
    for (const client of clients.values()) await client.ping();
    for (const i of came) answers[i] = true;
    came.clear();

    for (const filter of ['#', ...DOLLAR_FILTERS]) await auditor.subscribe(filter);
    takeFrom(auditor, AUDITOR);
    const publishing = questions.flatMap(({ user, asked, topic }, i) =>
      asked === 'publish' ? [{ user, topic, i }] : [],
    );
    for (const some of portions(publishing)) {
      const send = ({ user, topic, i }: (typeof some)[number]) =>
        (clients.get(user) as MqttClient).publish(topic, String(i), { qos: 1 }).catch(refusal);
      await Promise.all(some.map(send));
    }
    await auditor.ping();
    for (const i of came) answers[i] = true;
    for (const client of [auditor, ...clients.values()]) await client.disconnect();
    return answers;
  }

  #connect(user: string): Promise<MqttClient> {
    return connectClient({
      transport: tcpTransport({ host: '127.0.0.1', port: this.#port }),
      clientId: user,
      userName: user,
      password: Buffer.from(PASSWORD),
    });
  }
}

/** A port that nobody uses. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function filterOf({ user, topic, isShared = false }: Question): string {
  return isShared ? `$share/${user}/${topic}` : topic;
}

/** Not more than a client keeps waiting. */
function portions<T>(list: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(list.length / PORTION) }, (_, i) => list.slice(i * PORTION, (i + 1) * PORTION));
}

async function grants(client: MqttClient, filter: string): Promise<boolean> {
  return client.subscribe(filter).then(
    () => true,
    (fault) => refusal(fault) === undefined && false,
  );
}

/** What is refused is an answer; anything else is a fault of the test. */
function refusal(fault: unknown): undefined {
  if (fault instanceof MqttError && fault.code === NOT_AUTHORIZED) return undefined;
  throw fault;
}

const NOT_AUTHORIZED = 0x87;
const PORTION = 500;
