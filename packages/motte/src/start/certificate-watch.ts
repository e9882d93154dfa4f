// Looks whether files of server certificates have changed, so that whoever renews them need not tell us. By their dates and
// sizes and not by the kernel's notices: those are lost on network file systems and where a directory is swapped for another.

import { stat } from 'node:fs/promises';

export interface CertificateWatchParts {
  /** The files that are in force. */
  readonly files: () => readonly string[];
  /** Called once the files have changed and then been left alone for a while; one call at a time. */
  readonly changed: () => Promise<void>;
  readonly everyMs?: number;
}

/** Starts it; call the answer to end it. */
export function watchCertificates({ files, changed, everyMs = EVERY_MS }: CertificateWatchParts): () => void {
  let ended = false;
  let timer: NodeJS.Timeout;
  let taken: string | undefined;
  let before: string | undefined;
  const look = async (): Promise<void> => {
    const seen = await signatureOf(files());
    taken ??= seen;
    // Certificate and key are two files: what is still being written is looked at again.
    const isQuiet = seen === before;
    before = seen;
    if (seen === taken || !isQuiet || ended) return;
    taken = seen;
    await changed();
  };
  const again = (): void => {
    if (ended) return;
    timer = setTimeout(
      () =>
        void look()
          .catch(() => undefined)
          .finally(again),
      everyMs,
    );
    timer.unref();
  };
  again();
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}

async function signatureOf(files: readonly string[]): Promise<string> {
  const each = await Promise.all(
    files.map((path) =>
      stat(path).then(
        ({ mtimeMs, size, ino }) => `${path} ${mtimeMs} ${size} ${ino}`,
        (fault: NodeJS.ErrnoException) => `${path} ${fault.code}`,
      ),
    ),
  );
  return each.join('\n');
}

const EVERY_MS = 2_000;
