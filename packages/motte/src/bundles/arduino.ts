// `--bundle arduino`: a sketch for boards with an ESP32, the commonest that have Wi-Fi and room for TLS with a client
// certificate, with the core's own TLS (WiFiClientSecure) and PubSubClient.

import { type Bundle, type BundleFacts, clientIdRule, downFilter, upTopic } from './bundle.ts';

const HEADER = 'motte-device.h';

export const arduino: Bundle = {
  files: [
    { name: (device) => `${device}.ino`, render: renderSketch },
    { name: () => HEADER, render: renderHeader },
  ],
  needs: [
    'Arduino IDE with the ESP32 core (esp32 by Espressif) and the library PubSubClient 2.8',
    'the directory must be called as the sketch is, or the IDE does not open it',
    'write the name and the password of the Wi-Fi into the sketch, choose the board, upload',
  ],
  snippet: () => [],
  limits: [
    'the key is on P-256: this bundle is not made for others',
    `the key is in ${HEADER} and in the flash of the board, readable for whoever holds either`,
    'TLS 1.2; the core does not look at the dates of the certificates that the broker shows',
    'a host name for the broker: cores before 3 do not find an address in a certificate',
    'a TLS connection takes more than 20 KB of RAM for its buffers alone',
    'PubSubClient speaks MQTT 3.1.1 and publishes with QoS 0 only: nothing tells it that a message was refused',
  ],
  refuses({ type, madeHere }) {
    if (!madeHere) return 'it compiles the key into the sketch, and with --csr there is none here';
    if (type !== 'ec') return `it is made for keys on P-256, not for --key-type ${type}`;
    return undefined;
  },
};

function renderHeader({ name, host, port, root, certificate, key }: BundleFacts): string {
  return `// ${clientIdRule(name)}
// This file holds the key of ${name}: keep it out of repositories and mails.
#pragma once
#include <stdint.h>

static const char MOTTE_HOST[] = "${host}";
static const uint16_t MOTTE_PORT = ${port};
static const char MOTTE_CLIENT_ID[] = "${name}";

static const char MOTTE_CA[] = ${rawString(root)};

static const char MOTTE_CERTIFICATE[] = ${rawString(certificate)};

static const char MOTTE_KEY[] = ${rawString(key)};
`;
}

function renderSketch({ name }: BundleFacts): string {
  return `// Connects ${name} to Motte: publishes once after every connection, prints what comes down.
#include <PubSubClient.h>
#include <WiFi.h>
#include <WiFiClientSecure.h>

#include "${HEADER}"

static const char WIFI_SSID[] = "";
static const char WIFI_PASSWORD[] = "";

WiFiClientSecure tls;
PubSubClient mqtt(tls);

void onMessage(char *topic, uint8_t *payload, unsigned int length) {
  Serial.printf("%s %.*s\\n", topic, (int)length, (const char *)payload);
}

void setup() {
  Serial.begin(115200);
  WiFi.begin(WIFI_SSID, WIFI_PASSWORD);
  tls.setCACert(MOTTE_CA);
  tls.setCertificate(MOTTE_CERTIFICATE);
  tls.setPrivateKey(MOTTE_KEY);
  mqtt.setServer(MOTTE_HOST, MOTTE_PORT);
  mqtt.setBufferSize(1024);
  mqtt.setCallback(onMessage);
}

void loop() {
  if (WiFi.status() != WL_CONNECTED) {
    delay(500);
    return;
  }
  if (!mqtt.connected()) {
    if (!mqtt.connect(MOTTE_CLIENT_ID)) {
      // 2: the client id is not the device's; 5: not let in; below 0: no connection.
      Serial.printf("not connected: %d\\n", mqtt.state());
      // Boards that were cut off together do not come back together.
      delay(2000 + random(8000));
      return;
    }
    mqtt.subscribe("${downFilter(name)}", 1);
    mqtt.publish("${upTopic(name)}", "21.5");
  }
  mqtt.loop();
}
`;
}

/** PEM has nothing in it that could end one. */
function rawString(pem: string): string {
  return `R"PEM(${pem.trim()}\n)PEM"`;
}
