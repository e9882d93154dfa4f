// What the authority has revoked, as the broker knows it: read whole before anybody is let in, then followed by questions
// that wait for news. Only ever grows. While the authority cannot be asked, what is known stays in force.

import type { HealthFinding } from '@motte/broker/ports/admin-view';
import { type RevokedCertificate, revokedKey } from '@motte/broker/ports/trust';
import type { BrokerAuthority } from '@motte/pki';
import { OWN_REALM } from '@motte/pki/protocol';

export interface RevocationFeed {
  find(key: string): RevokedCertificate | undefined;
  /** From now on `onNews` is called whenever something was revoked. */
  follow(onNews: () => void): void;
  /** Resolves when everything up to this number is known and `onNews` has been called for it. */
  catchUp(number: number): Promise<void>;
  findings(): readonly HealthFinding[];
  close(): void;
}

/** Reads all there is; rejects with an AuthorityFault. */
export async function openRevocationFeed(authority: BrokerAuthority): Promise<RevocationFeed> {
  const revoked = new Map<string, RevokedCertificate>();
  let number = 0;
  let onNews = (): void => undefined;
  let isClosed = false;
  let silentSinceMs: number | undefined;

  /** One question; true if there is more to be had at once. */
  const read = async (wait: boolean): Promise<boolean> => {
    const news = await authority.revocations({ after: number, wait });
    let isNew = false;
    for (const { serial, superseded } of news.revoked) {
      const key = revokedKey(OWN_REALM, serial);
      if (revoked.has(key)) continue;
      revoked.set(key, { superseded });
      isNew = true;
    }
    number = Math.max(number, news.number);
    if (isNew) onNews();
    return news.more;
  };
  const follow = async (): Promise<void> => {
    while (!isClosed) {
      try {
        await read(true);
        silentSinceMs = undefined;
      } catch {
        silentSinceMs ??= performance.now();
        // A program that ends does not wait for it.
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS).unref());
      }
    }
  };

  while (await read(false));
  return {
    find: (key) => revoked.get(key),
    follow(listener) {
      onNews = listener;
      void follow();
    },
    async catchUp(wanted) {
      while (number < wanted && (await read(false)));
    },
    findings() {
      if (silentSinceMs === undefined || performance.now() - silentSinceMs < SILENT_MS) return [];
      return [{ subject: 'revocation', why: 'the authority does not say what was revoked; what is known stays so' }];
    },
    close: () => void (isClosed = true),
  };
}

const RETRY_MS = 250;
/** An authority that is started again is no finding of its own. */
const SILENT_MS = 5_000;
