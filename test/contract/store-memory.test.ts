import { MemoryStore } from '../../packages/broker/src/store/memory/memory-store.ts';
import { storeContract } from './store-contract.ts';

storeContract('memory', () => {
  const deferred: (() => void)[] = [];
  return {
    store: new MemoryStore({ defer: (run) => deferred.push(run) }),
    settle() {
      for (let run = deferred.shift(); run !== undefined; run = deferred.shift()) run();
    },
  };
});
