// How much of another broker's set-up is read. What is beyond is refused before anything is written.

export const IMPORT_LIMITS = {
  /** Of each configuration file. */
  confBytesMax: 1024 * 1024,
  includedFilesMax: 256,
  confLinesMax: 20_000,
  listenersMax: 64,
  aclBytesMax: 4 * 1024 * 1024,
  /** Of a file of passwords or keys. */
  passwordBytesMax: 16 * 1024 * 1024,
  dynamicSecurityBytesMax: 8 * 1024 * 1024,
  dynamicSecurityDepthMax: 16,
  /** Users and pre-shared keys together. */
  peopleMax: 20_000,
  entriesMax: 20_000,
  /** Characters of what a report shows of somebody else's text. */
  shownMax: 200,
} as const;
