import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BackupFault, type BackupManifest, checkManifest } from './manifest.ts';
import { type BackupPiece, BackupReader } from './reader.ts';
import { type BackupRecord, BackupWriter } from './writer.ts';

const MANIFEST: BackupManifest = {
  format: 1,
  id: '0123456789abcdef0123456789abcdef',
  motte: '0.1.0',
  made: '2026-01-01T00:00:00.000Z',
  ca: 'ab'.repeat(32),
  store: 1,
};

const bytes = fc.uint8Array({ maxLength: 40 });
const pages = fc.array(fc.array(fc.tuple(bytes, bytes), { maxLength: 5 }), { maxLength: 5 });

function write(pagesOf: readonly (readonly BackupRecord[])[], manifest = MANIFEST): Buffer {
  const writer = new BackupWriter();
  const parts = [writer.start(manifest), writer.file('registry.json', Buffer.from('{}'))];
  for (const page of pagesOf) parts.push(writer.records(page));
  return Buffer.concat([...parts, writer.end()]);
}

function read(chunks: readonly Uint8Array[]): BackupPiece[] {
  const reader = new BackupReader();
  const pieces = chunks.flatMap((chunk) => reader.push(chunk));
  reader.finish();
  return pieces;
}

const SAMPLE = write([
  [
    [Buffer.from('key'), Buffer.from('value')],
    [Buffer.from('other'), Buffer.alloc(0)],
  ],
]);

describe('the stream of a backup', () => {
  it('is read as it was written, in whatever chunks it comes', () => {
    fc.assert(
      fc.property(pages, fc.array(fc.nat(50)), (written, cuts) => {
        const whole = write(written);
        const chunks: Uint8Array[] = [];
        let at = 0;
        for (const cut of cuts) {
          chunks.push(whole.subarray(at, at + cut));
          at += cut;
        }
        chunks.push(whole.subarray(at));
        const [manifest, file, ...rest] = read(chunks);
        expect(manifest).toEqual({ kind: 'manifest', manifest: MANIFEST });
        expect(file).toEqual({ kind: 'file', name: 'registry.json', content: Buffer.from('{}') });
        const end = rest.pop();
        const hex = (records: readonly BackupRecord[]) =>
          records.map((one) => one.map((part) => Buffer.from(part).toString('hex')));
        expect(rest.map((piece) => (piece.kind === 'records' ? hex(piece.records) : piece))).toEqual(written.map(hex));
        expect(end).toMatchObject({ kind: 'end', end: { files: 1, records: written.flat().length } });
      }),
    );
  });

  it('cut off at any byte is not whole', () => {
    for (let length = 0; length < SAMPLE.length; length++) {
      expect(() => read([SAMPLE.subarray(0, length)]), `after ${length} bytes`).toThrow(BackupFault);
    }
  });

  it('with any bit changed is refused', () => {
    for (let bit = 0; bit < SAMPLE.length * 8; bit++) {
      const changed = Buffer.from(SAMPLE);
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(() => read([changed]), `bit ${bit}`).toThrow(BackupFault);
    }
  });

  it('with something behind its end is refused', () => {
    expect(() => read([SAMPLE, Buffer.of(0)])).toThrow('something stands behind its end');
  });

  it('whatever bytes come, nothing but a BackupFault is thrown', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), (chunks) => {
        expect(() => read([Buffer.from('motte broker part\n'), ...chunks])).toThrow(BackupFault);
      }),
    );
  });
});

describe('a manifest', () => {
  it('of a newer format is refused as such', () => {
    let fault: unknown;
    try {
      read([write([], { ...MANIFEST, format: 2 as never })]);
    } catch (thrown) {
      fault = thrown;
    }
    expect(fault).toMatchObject({ newer: true, message: 'its records have format 2, this version reads 1' });
  });

  it.each([
    null,
    {},
    'text',
    { ...MANIFEST, id: '../../x' },
    { ...MANIFEST, ca: '' },
    { ...MANIFEST, store: '1' },
    { ...MANIFEST, format: 0 },
  ])('%j is none', (value) => {
    expect(() => checkManifest(value)).toThrow(BackupFault);
  });
});
