// What the thread runs that judges a policy; judge-thread.ts begins it and says what goes between the two.

import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { type Policy, type Who } from '@motte/broker/policy';
import { identityKey } from '@motte/broker/ports/identity';
import { PolicyRefused, parsePolicy } from './document.ts';
import { judgePolicy } from './judge.ts';
import type { FromThread, JudgeJob, ToThread } from './judge-thread.ts';
import { outlineOf } from './outline.ts';

const port = parentPort as MessagePort;
const { source, listeners } = workerData as JudgeJob;
const say = (said: FromThread): void => port.postMessage(said);

const policy = policyOrRefusal();
if (policy !== undefined) {
  const whom = whomTestsName(policy);
  port.once('message', (known: ToThread) => {
    const found = new Map([...whom.keys()].map((key, i) => [key, known[i]]));
    const judgement = judgePolicy(policy, { registered: (who) => found.get(identityKey(who)), listeners });
    say({ kind: 'judged', outline: outlineOf(policy), judgement });
  });
  say({ kind: 'whom', whom: [...whom.values()] });
}

function policyOrRefusal(): Policy | undefined {
  try {
    return parsePolicy(source.text, source.file);
  } catch (fault) {
    if (!(fault instanceof PolicyRefused)) throw fault;
    const { file, mistakes, count } = fault;
    say({ kind: 'refused', file, mistakes, count });
    return undefined;
  }
}

function whomTestsName({ tests }: Policy): Map<string, Who> {
  return new Map(tests.map(({ who }) => [identityKey(who), who]));
}
