// Learning on a running broker: who may be watched, and the proposal when the watch is over. What is kept meanwhile is the
// broker's part.

import { MotteError } from '@motte/admin/errors';
import type { Broker } from '@motte/broker';
import { parseWho, type Registered } from '@motte/broker/policy';
import type { IdentityDirectory } from '@motte/broker/ports/directory';
import { identityLabel } from '@motte/broker/ports/identity';
import type { Learning } from '@motte/broker/ports/learning';
import type { LivePolicies } from '../policies.ts';
import { propose } from './propose.ts';
import { renderProposal } from './render-proposal.ts';

export interface LearningParts {
  readonly broker: Pick<Broker, 'watch' | 'watchOf' | 'clients'>;
  readonly directory: Pick<IdentityDirectory, 'find'>;
  readonly policies: Pick<LivePolicies, 'policy'>;
}

export function createLearning({ broker, directory, policies }: LearningParts): Learning {
  const registered: Registered = ({ realm, name }) => directory.find(realm, name);
  return {
    begin({ identity: text, seconds }) {
      const identity = whoIs(text);
      const label = identityLabel(identity);
      const isThere = registered(identity) !== undefined || broker.clients().some((row) => row.identity === label);
      if (!isThere) throw new MotteError('MOT-0910', label);
      const watch = broker.watch(identity, seconds);
      if (watch === undefined) throw new MotteError('MOT-0911', label);
      const done = watch.done.then((ended) => {
        const draft = propose(ended, { identity, policy: policies.policy, registered });
        return { ...draft, text: renderProposal(draft) };
      });
      // Told to whoever waits for it; where nobody does any more a fault is nobody's, and would end the process.
      done.catch(() => undefined);
      return {
        get seen() {
          return watch.seen;
        },
        done,
        abandon: () => watch.end('gone'),
      };
    },
    end(text) {
      const identity = whoIs(text);
      const watch = broker.watchOf(identity);
      if (watch === undefined) throw new MotteError('MOT-0910', `${identityLabel(identity)} is not watched`);
      watch.end('asked');
      return identityLabel(identity);
    },
  };
}

function whoIs(text: string): { readonly realm: string; readonly name: string } {
  const who = parseWho(text);
  if (typeof who === 'string') throw new MotteError('MOT-0910', who);
  return who;
}
