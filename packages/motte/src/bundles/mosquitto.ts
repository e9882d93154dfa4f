// `--bundle mosquitto`: lines for mosquitto's own clients.

import { type Bundle, type BundlePlace, clientIdRule, downFilter, inDirectory, upTopic } from './bundle.ts';

export const mosquitto: Bundle = {
  files: [
    {
      name: () => 'mosquitto.txt',
      render: (facts) =>
        [
          `# ${clientIdRule(facts.name)}`,
          `# ${facts.host} must be a name or address that the server certificate carries.`,
          ...lines(facts),
          '',
        ].join('\n'),
    },
  ],
  needs: ["mosquitto's clients; on Debian: apt-get install mosquitto-clients"],
  snippet: (place) => [inDirectory(place), ...lines(place)],
  limits: [
    'version 2.0 speaks no WebSocket: it needs a listener with mqtts',
    'they answer no AUTH packet: certificates, passwords, keys and tokens, but no SCRAM',
  ],
};

function lines({ name, host, port }: BundlePlace): string[] {
  const common = `-h ${host} -p ${port} --cafile ca.crt --cert ${name}.crt --key ${name}.key -i ${name} -V mqttv5 -q 1`;
  return [`mosquitto_pub ${common} -t ${upTopic(name)} -m 21.5`, `mosquitto_sub ${common} -t '${downFilter(name)}'`];
}
