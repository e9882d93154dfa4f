// The programs and libraries outside npm that tests and benchmarks meet the broker with. As root on Debian what is missing
// is installed; anywhere else it is named, and the tests that need it are skipped.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { runProgram } from './programs.mjs';

/** Debian's package names, which tests use too, and how each shows that it is there. */
const PACKAGES = {
  mosquitto: () => onPath('mosquitto', '/usr/sbin'),
  'mosquitto-clients': () => onPath('mosquitto_pub') && onPath('mosquitto_sub') && onPath('mosquitto_rr'),
  // The system's own Python, which Debian's package is for, and not another one that stands before it on the path.
  'python3-paho-mqtt': () =>
    spawnSync('/usr/bin/python3', ['-c', 'import paho.mqtt.client'], { stdio: 'ignore' }).status === 0,
  'libpaho-mqtt-dev': () => existsSync('/usr/include/MQTTClient.h') || existsSync('/usr/local/include/MQTTClient.h'),
  'libssl-dev': () => existsSync('/usr/include/openssl/ssl.h') || existsSync('/usr/local/include/openssl/ssl.h'),
  gcc: () => onPath('gcc'),
  'g++': () => onPath('g++'),
  'libc6-dev': () => existsSync('/usr/include/stdio.h'),
  chromium: () => onPath('chromium'),
  openssl: () => onPath('openssl'),
  python3: () => existsSync('/usr/bin/python3'),
  systemd: () => onPath('systemd-notify') && onPath('systemd-analyze'),
  softhsm2: () => onPath('softhsm2-util'),
  opensc: () => onPath('pkcs11-tool'),
  // Where processes may not be traced it is as good as missing.
  strace: () => spawnSync('strace', ['-qq', '-o', '/dev/null', 'true'], { stdio: 'ignore' }).status === 0,
  sslscan: () => onPath('sslscan'),
  age: () => onPath('age') && onPath('age-keygen'),
};

/** Debian asks this file whether a freshly installed service may be started; 101 is its "no". */
const SERVICE_POLICY = '/usr/sbin/policy-rc.d';

/** @returns {string[]} the Debian names of what is not on this machine */
export function lackingPrograms() {
  return Object.keys(PACKAGES).filter((name) => !PACKAGES[name]());
}

/** Installs what is missing where that is possible without asking: as root on Debian. Anything else is left as it is. */
export function provideSystemPackages() {
  const lacking = lackingPrograms();
  if (lacking.length === 0 || process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) return;
  console.log(`motte: installing for the tests: ${lacking.join(' ')}`);
  withoutStartingServices(() => {
    if (aptGet('install', ...lacking) !== 0 && aptGet('update') === 0) aptGet('install', ...lacking);
  });
}

function aptGet(verb, ...names) {
  const quiet = ['-qq', '-o', 'DPkg::Lock::Timeout=60'];
  const parameters = verb === 'install' ? [verb, '-y', '--no-install-recommends', ...names] : [verb];
  return runProgram('apt-get', [...quiet, ...parameters], {
    environment: { DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** mosquitto's package would start a broker on port 1883; tests start their own on free ports. */
function withoutStartingServices(act) {
  const ours = !existsSync(SERVICE_POLICY);
  if (ours) writeFileSync(SERVICE_POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    act();
  } finally {
    if (ours) rmSync(SERVICE_POLICY);
  }
}

function onPath(program, ...further) {
  return [...(process.env.PATH ?? '').split(delimiter), ...further].some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
