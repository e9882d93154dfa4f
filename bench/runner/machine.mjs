// Where the figures come from.
import { cpus, release, totalmem, type } from 'node:os';

/** @returns {Record<string, string>} facts to print above the figures */
export function describeMachine() {
  const processors = cpus();
  return {
    Date: new Date().toISOString().slice(0, 10),
    Processor: `${processors[0]?.model.trim() ?? 'unknown'}, ${processors.length} cores`,
    Memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    Kernel: `${type()} ${release()}`,
    Node: `${process.version}, OpenSSL ${process.versions.openssl}`,
  };
}
