// `--bundle nodejs`: a program for MQTT.js.

import { type Bundle, type BundleFacts, clientIdRule, downFilter, inDirectory, upTopic } from './bundle.ts';

export const nodejs: Bundle = {
  files: [{ name: () => 'client.mjs', render }],
  needs: ['Node, and MQTT.js in this directory or one above: npm install mqtt'],
  snippet: (place) => [inDirectory(place), 'node client.mjs'],
  limits: ['the program reads the certificate once: start it again after it was renewed'],
};

function render({ name, host, port }: BundleFacts): string {
  return `// ${clientIdRule(name)}
import { readFileSync } from 'node:fs';
import mqtt from 'mqtt';

const NAME = '${name}';
const file = (name) => readFileSync(new URL(name, import.meta.url));

const client = mqtt.connect({
  protocol: 'mqtts',
  host: '${host}',
  port: ${port},
  protocolVersion: 5,
  clientId: NAME,
  ca: file('ca.crt'),
  cert: file(\`\${NAME}.crt\`),
  key: file(\`\${NAME}.key\`),
});
client.on('connect', () => {
  console.log(\`connected as \${NAME}\`);
  client.subscribe('${downFilter(name)}', { qos: 1 });
  client.publish('${upTopic(name)}', '21.5', { qos: 1 });
});
client.on('message', (topic, payload) => console.log(topic, payload.toString()));
client.on('error', (fault) => console.error(\`\${fault.message}; on the broker, motte why \${NAME} says the cause\`));
`;
}
