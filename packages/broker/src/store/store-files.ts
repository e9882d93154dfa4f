// The durable store's files without a broker, for backup and restore.
export { DamageFault } from './level/engine.ts';
export { FormatFault, STORE_FORMAT } from './level/format.ts';
export { checkRecord, createStoreFiles, readStoreFiles, recordKind, type StoreFiles } from './level/raw-files.ts';
