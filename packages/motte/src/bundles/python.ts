// `--bundle python`: a program for Paho, versions 1.6 and 2.

import { type Bundle, type BundleFacts, clientIdRule, downFilter, inDirectory, upTopic } from './bundle.ts';

export const python: Bundle = {
  files: [{ name: () => 'client.py', render }],
  needs: ['Paho for Python; on Debian: apt-get install python3-paho-mqtt, elsewhere: pip install paho-mqtt'],
  snippet: (place) => [inDirectory(place), 'python3 client.py'],
  limits: [
    'Paho reads the certificate once: start the program again after it was renewed',
    'Paho knows no AUTH packet: certificates, passwords and tokens as passwords, but no SCRAM',
  ],
};

function render({ name, host, port }: BundleFacts): string {
  return `# ${clientIdRule(name)}
import os

import paho.mqtt.client as mqtt

NAME = "${name}"
HERE = os.path.dirname(os.path.abspath(__file__))


def on_connect(client, userdata, flags, reason, properties):
    if reason != 0:
        print(f"refused: {reason}; on the broker, motte why {NAME} says the cause", flush=True)
        return
    print(f"connected as {NAME}", flush=True)
    client.subscribe("${downFilter(name)}", qos=1)
    client.publish("${upTopic(name)}", "21.5", qos=1)


def on_message(client, userdata, message):
    print(message.topic, message.payload.decode(), flush=True)


options = {"client_id": NAME, "protocol": mqtt.MQTTv5}
if hasattr(mqtt, "CallbackAPIVersion"):  # since Paho 2
    options["callback_api_version"] = mqtt.CallbackAPIVersion.VERSION2
client = mqtt.Client(**options)
client.tls_set(
    ca_certs=os.path.join(HERE, "ca.crt"),
    certfile=os.path.join(HERE, f"{NAME}.crt"),
    keyfile=os.path.join(HERE, f"{NAME}.key"),
)
client.on_connect = on_connect
client.on_message = on_message
client.connect("${host}", ${port})
client.loop_forever()
`;
}
