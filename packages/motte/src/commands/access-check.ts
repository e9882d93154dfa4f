// `motte access check CLIENT publish|subscribe|receive TOPIC`: may it, by which rule, and where that stands. 0 yes · 1 no.

import { isIP } from 'node:net';
import type { AccessChecked, AccessHolders } from '@motte/admin';
import { MotteError } from '@motte/admin/errors';
import type { AccessQuestion } from '@motte/broker/ports/access-desk';
import { type CommandFile, textOption } from '../command.ts';
import type { Context } from '../context.ts';
import { withPolicies } from '../policy/open-policies.ts';

export const command: CommandFile = {
  configure: (command) => {
    command
      .argument('<client>', 'a client id, or an identity: NAME, NAME/anything, NAME@REALM')
      .argument('<action>', 'publish, subscribe or receive')
      .argument('<topic>', 'a topic; with subscribe a filter')
      .option('--qos <n>', 'of the message: 0, 1 or 2', '0')
      .option('--retain', 'the message is to be retained')
      .option('--from <ip>', 'the address it comes from; without one no rule with `from` holds')
      .option('--via <listener>', 'the listener it comes by (default: the first that takes it)')
      .option('--explain', 'every rule that speaks of the topic, and who else may do it');
  },
  async run(context, [client = '', action = '', topic = ''], options) {
    const question: AccessQuestion = {
      client,
      action: parseAction(action),
      topic,
      qos: parseQos(textOption(options, 'qos')),
      retain: options['retain'] === true,
      from: parseFrom(textOption(options, 'from')),
      via: textOption(options, 'via') ?? '',
    };
    const wantsMore = options['explain'] === true;
    const { answer, holders } = await withPolicies(
      context,
      async (policies) => ({
        answer: await policies.ask(question),
        holders: wantsMore && question.action !== 'subscribe' ? await policies.who(topic) : undefined,
      }),
      { writes: false },
    );
    if (context.json) context.document({ format: 1, ...answer, ...(holders === undefined ? {} : { holders }) });
    else say(context, answer, wantsMore);
    if (!context.json && holders !== undefined) {
      const who = others(holders, question, answer.identity);
      context.say(`  others who may ${action} it: ${who === '' ? 'nobody' : who}`);
    }
    return answer.allow ? 0 : 1;
  },
};

type Answer = Omit<AccessChecked, 'format'>;

function say(context: Context, answer: Answer, wantsMore: boolean): void {
  context.say(`${answer.allow ? 'allow' : 'deny'}: ${answer.because}`);
  const lines = [
    ['rule', answer.rule],
    ['identity', `${answer.identity}${answer.registered ? '' : notRegistered(answer)}`],
    ['roles', answer.roles.length === 0 ? 'none' : answer.roles.join(', ')],
    ['listener', answer.listener === '' ? 'none that takes it' : answer.listener],
  ];
  for (const [label = '', text = ''] of lines) context.say(`  ${label.padEnd(LABEL_WIDTH)}${text}`);
  if (!wantsMore) return;
  if (answer.considered.length === 0) context.say('  no rule of its roles speaks of it');
  for (const { rule, text, because } of answer.considered) {
    context.say(`  ${because === '' ? '*' : ' '} ${rule}: ${text}${because === '' ? '' : ` (${because})`}`);
  }
}

function notRegistered({ identity, listener }: Answer): string {
  if (identity === `anonymous@${listener}`) return ', who everybody is on a listener without authentication';
  return ', which is not registered here';
}

function others(holders: AccessHolders['holders'], { action }: AccessQuestion, self: string): string {
  if (action === 'subscribe') return '';
  const names = holders
    .filter((one) => one[action] !== 'no' && one.identity !== self)
    .map((one) => (one[action] === 'some' ? `${one.identity} (some)` : one.identity));
  return names.length > OTHERS_MAX
    ? `${names.slice(0, OTHERS_MAX).join(', ')}, and ${names.length - OTHERS_MAX} more`
    : names.join(', ');
}

function parseAction(text: string): AccessQuestion['action'] {
  if (text === 'publish' || text === 'subscribe' || text === 'receive') return text;
  throw new MotteError('MOT-0002', `${JSON.stringify(text.slice(0, 80))} is not publish, subscribe or receive`);
}

function parseQos(text: string | undefined): AccessQuestion['qos'] {
  if (text === '0' || text === '1' || text === '2') return Number(text) as AccessQuestion['qos'];
  throw new MotteError('MOT-0002', '--qos takes 0, 1 or 2');
}

function parseFrom(text = ''): string {
  if (text === '' || isIP(text) !== 0) return text;
  throw new MotteError('MOT-0002', '--from takes an address, such as 10.1.2.3');
}

const LABEL_WIDTH = 10;
const OTHERS_MAX = 20;
