// Looks whether files have changed, so that whoever replaces them need not tell us. By their dates and
// sizes and not by the kernel's notices: those are lost on network file systems and where a directory is swapped for another.

import { stat } from 'node:fs/promises';

export interface FileWatchParts {
  /** The files that are in force. */
  readonly files: () => readonly string[];
  /** Called once the files have changed and then been left alone for a while; one call at a time. */
  readonly changed: () => Promise<void>;
  readonly everyMs?: number;
}

/** Starts it; call the answer to end it. */
export function watchFiles({ files, changed, everyMs = EVERY_MS }: FileWatchParts): () => void {
  let ended = false;
  let timer: NodeJS.Timeout;
  let taken: string | undefined;
  let before: string | undefined;
  const look = async (): Promise<void> => {
    const seen = await signatureOf(files());
    taken ??= seen;
    // Of several that belong together one may still be missing: what is being written is looked at again.
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

/** A text that changes with date, size or place of any of the files. */
export async function signatureOf(files: readonly string[]): Promise<string> {
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
