// @motte/admin/backup: the stream of GET /api/v1/backup, which is also the broker's part of a backup's file.
export { BACKUP_ID, BackupFault, type BackupManifest, checkManifest, STREAM_FORMAT } from './manifest.ts';
export { type BackupPiece, BackupReader } from './reader.ts';
export { type BackupEnd, type BackupRecord, BackupWriter } from './writer.ts';
