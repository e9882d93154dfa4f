// CRC-32C (Castagnoli), which LevelDB puts on every piece it writes, in the masked form in which it writes it down.

/** The checksum of a range, masked as LevelDB stores it. */
export function maskedCrc32c(bytes: Uint8Array, from: number, to: number): number {
  let crc = -1;
  let at = from;
  for (; at + 8 <= to; at += 8) {
    const word =
      crc ^
      ((bytes[at] as number) |
        ((bytes[at + 1] as number) << 8) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 3] as number) << 24));
    crc =
      (TABLES[1792 + (word & 0xff)] as number) ^
      (TABLES[1536 + ((word >>> 8) & 0xff)] as number) ^
      (TABLES[1280 + ((word >>> 16) & 0xff)] as number) ^
      (TABLES[1024 + (word >>> 24)] as number) ^
      (TABLES[768 + (bytes[at + 4] as number)] as number) ^
      (TABLES[512 + (bytes[at + 5] as number)] as number) ^
      (TABLES[256 + (bytes[at + 6] as number)] as number) ^
      (TABLES[bytes[at + 7] as number] as number);
  }
  for (; at < to; at++) crc = (crc >>> 8) ^ (TABLES[(crc ^ (bytes[at] as number)) & 0xff] as number);
  crc = ~crc;
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0;
}

/** Eight tables, so that eight bytes are taken at a time. */
function tables(): Int32Array {
  const all = new Int32Array(8 * 256);
  for (let value = 0; value < 256; value++) {
    let crc = value;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ POLYNOMIAL;
    all[value] = crc;
  }
  for (let at = 256; at < all.length; at++) {
    const before = all[at - 256] as number;
    all[at] = (before >>> 8) ^ (all[before & 0xff] as number);
  }
  return all;
}

const POLYNOMIAL = 0x82f63b78;
const MASK_DELTA = 0xa282ead8;
const TABLES = tables();
