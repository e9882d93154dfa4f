// `--bundle mosquitto`: what to tell mosquitto's own clients, as lines to copy.

/** Options for mosquitto_pub and mosquitto_sub, to be run in the directory of the files. */
export function renderMosquittoText(name: string): string {
  const common = `-h BROKER -p 8883 --cafile ca.crt --cert ${name}.crt --key ${name}.key -i ${name}`;
  return [
    `# The client id (-i) must be ${name} or ${name}/anything; everything else is refused with 0x85 (MQTT 3: 2).`,
    '# BROKER is a name or address that the server certificate carries: localhost, a host name, an address.',
    `mosquitto_pub ${common} -V mqttv5 -q 1 -t devices/${name}/up/temperature -m 21.5`,
    `mosquitto_sub ${common} -V mqttv5 -q 1 -t 'devices/${name}/down/#'`,
    '',
  ].join('\n');
}
