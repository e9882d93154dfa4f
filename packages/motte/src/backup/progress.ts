// How far a long command has come, in one line of standard error that is written over. Where that is no terminal, nothing.

export interface Progress {
  /** `of` = bytes there will be; 0 = nobody knows, and there is no bar. */
  show(step: string, bytes: number, of: number, records?: number): void;
  /** Takes the line away. */
  end(): void;
}

export function createProgress(output: { readonly isTTY?: boolean; write(text: string): unknown }): Progress {
  if (output.isTTY !== true) return { show: () => undefined, end: () => undefined };
  let shownAtMs = Number.NEGATIVE_INFINITY;
  let shown = '';
  return {
    show(step, bytes, of, records) {
      const nowMs = performance.now();
      if (nowMs - shownAtMs < BETWEEN_MS && bytes < of) return;
      shownAtMs = nowMs;
      const text = renderProgress(step, bytes, of, records);
      output.write(`\r${text}${' '.repeat(Math.max(0, shown.length - text.length))}`);
      shown = text;
    },
    end() {
      if (shown !== '') output.write(`\r${' '.repeat(shown.length)}\r`);
      shown = '';
    },
  };
}

/** One line, without its end. */
export function renderProgress(step: string, bytes: number, of: number, records?: number): string {
  const counted = records === undefined ? '' : `  ${records} records`;
  if (of <= 0) return `${step.padEnd(STEP_WIDTH)} ${renderBytes(bytes)}${counted}`;
  const share = Math.min(1, bytes / of);
  const full = Math.floor(share * BAR_WIDTH);
  const bar = '#'.repeat(full).padEnd(BAR_WIDTH, '.');
  return `${step.padEnd(STEP_WIDTH)} [${bar}] ${String(Math.floor(share * 100)).padStart(3)} %  ${renderBytes(bytes)}${counted}`;
}

/** `12.3 MiB`. */
export function renderBytes(bytes: number): string {
  let rest = bytes;
  let unit = 0;
  while (rest >= 1024 && unit < UNITS.length - 1) {
    rest /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? rest : rest.toFixed(1)} ${UNITS[unit]}`;
}

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
const BAR_WIDTH = 24;
const STEP_WIDTH = 10;
const BETWEEN_MS = 100;
