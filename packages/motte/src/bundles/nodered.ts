// `--bundle nodered`: a flow for Node-RED to import. It names the files of certificate and key and does not hold them.

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type Bundle, type BundleFacts, clientIdRule, downFilter, inDirectory, upTopic } from './bundle.ts';

export const nodered: Bundle = {
  files: [{ name: () => 'nodered.json', render }],
  needs: [
    'in a Node-RED that runs: menu, Import, select nodered.json, then Deploy',
    'on another machine: take the directory there and correct the three paths in the node of TLS',
  ],
  snippet: (place) => [inDirectory(place), 'node-red --userDir . ./nodered.json'],
  limits: [
    'Node-RED reads the certificate once: restart it after it was renewed',
    'with tlsConfigDisableLocalFiles in its settings it takes no paths: upload the three files in the node of TLS',
    'its nodes for MQTT know no enhanced authentication: certificates and passwords, but no SCRAM',
  ],
};

function render(facts: BundleFacts): string {
  const { name, directory, host, port } = facts;
  const id = (part: string): string => createHash('sha256').update(`${name}/${part}`).digest('hex').slice(0, 16);
  const tab = id('tab');
  const at = (x: number, y: number) => ({ z: tab, x, y });
  const flow = [
    { id: tab, type: 'tab', label: name, disabled: false, info: clientIdRule(name) },
    {
      id: id('tls'),
      type: 'tls-config',
      name: `certificate of ${name}`,
      cert: join(directory, `${name}.crt`),
      key: join(directory, `${name}.key`),
      ca: join(directory, 'ca.crt'),
      certname: '',
      keyname: '',
      caname: '',
      servername: '',
      verifyservercert: true,
      alpnprotocol: '',
    },
    {
      id: id('broker'),
      type: 'mqtt-broker',
      name: `Motte as ${name}`,
      broker: host,
      port: String(port),
      tls: id('tls'),
      clientid: name,
      autoConnect: true,
      usetls: true,
      protocolVersion: '5',
      keepalive: '60',
      cleansession: true,
      autoUnsubscribe: true,
    },
    {
      id: id('inject'),
      type: 'inject',
      name: '',
      props: PAYLOAD,
      once: true,
      onceDelay: 1,
      wires: [[id('out')]],
      ...at(140, 80),
    },
    {
      id: id('out'),
      type: 'mqtt out',
      name: '',
      topic: upTopic(name),
      qos: '1',
      broker: id('broker'),
      wires: [],
      ...at(420, 80),
    },
    {
      id: id('in'),
      type: 'mqtt in',
      name: '',
      topic: downFilter(name),
      qos: '1',
      datatype: 'auto-detect',
      broker: id('broker'),
      inputs: 0,
      wires: [[id('debug')]],
      ...at(140, 160),
    },
    {
      id: id('debug'),
      type: 'debug',
      name: '',
      active: true,
      tosidebar: true,
      console: true,
      complete: 'false',
      wires: [],
      ...at(420, 160),
    },
  ];
  return `${JSON.stringify(flow, null, 2)}\n`;
}

const PAYLOAD = [{ p: 'payload', v: '21.5', vt: 'str' }];
