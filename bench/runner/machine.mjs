// Where the figures come from.
import { spawnSync } from 'node:child_process';
import { cpus, release, tmpdir, totalmem, type } from 'node:os';

/** @returns {Record<string, string>} facts to print above the figures */
export function describeMachine() {
  const processors = cpus();
  return {
    Date: new Date().toISOString().slice(0, 10),
    Processor: `${processors[0]?.model.trim() ?? 'unknown'}, ${processors.length} cores`,
    Memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    'File system of the brokers': fileSystem(),
    Kernel: `${type()} ${release()}`,
    Node: `${process.version}, OpenSSL ${process.versions.openssl}`,
  };
}

// Bytes written to the device are 0 on a file system in memory.
function fileSystem() {
  const { stdout } = spawnSync('df', ['--output=fstype', tmpdir()], { encoding: 'utf8' });
  return stdout?.trim().split('\n').at(-1) ?? 'unknown';
}
