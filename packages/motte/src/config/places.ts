// Where in a file an offset is, for people: FILE:LINE:COLUMN, both from 1.

import { LineCounter } from 'yaml';

export class Places {
  readonly #lines = new LineCounter();
  readonly #file: string;

  constructor(text: string, file: string) {
    this.#file = file;
    this.#lines.addNewLine(0);
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) this.#lines.addNewLine(at + 1);
  }

  at(offset: number): { readonly line: number; readonly column: number } {
    const { line, col } = this.#lines.linePos(offset);
    return { line, column: col };
  }

  of(offset: number): string {
    const { line, column } = this.at(offset);
    return `${this.#file}:${line}:${column}`;
  }
}
