"""Paho for Python, told what to do by lines on standard input; what happens is told on standard output.

The lines are those of line-coding.ts: a verb and name=value pairs, percent-encoded, payloads in hexadecimal.
"""
import ssl
import sys
import threading
from urllib.parse import quote, unquote

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

VERSIONS = {"3.1": mqtt.MQTTv31, "3.1.1": mqtt.MQTTv311, "5.0": mqtt.MQTTv5}
speaking = threading.Lock()


def say(verb, *fields):
    with speaking:
        sys.stdout.write(" ".join([verb] + [f"{name}={quote(str(value), safe='')}" for name, value in fields]) + "\n")
        sys.stdout.flush()


def code_of(reason):
    return getattr(reason, "value", reason)


def pairs(texts):
    return [tuple(text.split("=", 1)) for text in texts]


class Driver:
    def __init__(self):
        self.client = None
        self.version = None
        self.is_up = False

    @property
    def is_v5(self):
        return self.version == mqtt.MQTTv5

    def connect(self, one, many):
        self.version = VERSIONS[one["version"]]
        transport = one["transport"]
        clean = one.get("clean", "1") == "1"
        client = self.client = mqtt.Client(
            client_id=one["clientId"],
            clean_session=None if self.is_v5 else clean,
            protocol=self.version,
            transport="websockets" if transport in ("ws", "wss") else "tcp",
        )
        if transport in ("ws", "wss"):
            client.ws_set_options(path=one["path"])
        if transport in ("tls", "wss"):
            context = ssl.create_default_context(cafile=one["ca"])
            if "cert" in one:
                context.load_cert_chain(one["cert"], one["key"])
            client.tls_set_context(context)
        if "userName" in one:
            client.username_pw_set(one["userName"], one["password"])
        if "willTopic" in one:
            properties = None
            if self.is_v5:
                properties = Properties(PacketTypes.WILLMESSAGE)
                properties.UserProperty = pairs(many.get("willUser", []))
            client.will_set(
                one["willTopic"],
                bytes.fromhex(one.get("willPayload", "")),
                int(one.get("willQos", 0)),
                one.get("willRetain") == "1",
                properties,
            )
        client.on_connect = self.on_connect
        client.on_disconnect = self.on_disconnect
        client.on_message = self.on_message
        client.on_subscribe = self.on_subscribe
        client.on_unsubscribe = lambda *_: say("unsubscribed")
        client.on_publish = lambda *_: say("published")
        extra = {}
        if self.is_v5:
            properties = Properties(PacketTypes.CONNECT)
            if "sessionExpiry" in one:
                properties.SessionExpiryInterval = int(one["sessionExpiry"])
            if "topicAliasMaximum" in one:
                properties.TopicAliasMaximum = int(one["topicAliasMaximum"])
            if "authenticationMethod" in one:
                properties.AuthenticationMethod = one["authenticationMethod"]
                properties.AuthenticationData = bytes.fromhex(one["authenticationData"])
            extra = {"clean_start": clean, "properties": properties}
        try:
            client.connect(one["host"], int(one["port"]), 60, **extra)
        # What Paho makes of an HTTP answer that is no upgrade is a ValueError.
        except (OSError, mqtt.WebsocketConnectionError) as fault:
            say("failed", ("why", fault))
            return
        client.loop_start()

    def on_connect(self, _client, _data, flags, reason, properties=None):
        if code_of(reason) != 0:
            # Left to itself, its thread would connect again.
            self.client.disconnect()
            say("refused", ("code", code_of(reason)))
            return
        self.is_up = True
        assigned = getattr(properties, "AssignedClientIdentifier", None)
        say("connected", ("present", flags["session present"]), *([("assigned", assigned)] if assigned else []))

    def on_disconnect(self, _client, _data, reason, _properties=None):
        # Before it is up, on_connect or nobody has a say: a connection cut before CONNACK is one that failed.
        if self.is_up:
            self.is_up = False
            say("closed", *([("code", code_of(reason))] if self.is_v5 else []))
            self.client.disconnect()
        elif code_of(reason) == mqtt.MQTT_ERR_CONN_LOST:
            say("failed", ("why", "closed"))
            self.client.disconnect()

    def subscribe(self, one, _many):
        if not self.is_v5:
            self.client.subscribe(one["filter"], int(one.get("qos", 0)))
            return
        options = SubscribeOptions(
            qos=int(one.get("qos", 0)),
            noLocal=one.get("noLocal") == "1",
            retainAsPublished=one.get("retainAsPublished") == "1",
            retainHandling=int(one.get("retainHandling", 0)),
        )
        properties = Properties(PacketTypes.SUBSCRIBE)
        if "identifier" in one:
            properties.SubscriptionIdentifier = int(one["identifier"])
        self.client.subscribe(one["filter"], options=options, properties=properties)

    def on_subscribe(self, _client, _data, _mid, granted, _properties=None):
        say("granted", ("code", code_of(granted[0])))

    def unsubscribe(self, one, _many):
        self.client.unsubscribe(one["filter"])

    def publish(self, one, many):
        properties = None
        if self.is_v5:
            properties = Properties(PacketTypes.PUBLISH)
            for name, attribute, convert in PUBLISH_PROPERTIES:
                if name in one:
                    setattr(properties, attribute, convert(one[name]))
            if "user" in many:
                properties.UserProperty = pairs(many["user"])
        payload = bytes.fromhex(one.get("payload", ""))
        self.client.publish(one["topic"], payload, int(one.get("qos", 0)), one.get("retain") == "1", properties)

    def on_message(self, _client, _data, message):
        fields = [
            ("topic", message.topic),
            ("payload", message.payload.hex()),
            ("qos", message.qos),
            ("retain", int(message.retain)),
        ]
        properties = getattr(message, "properties", None)
        for name, attribute, _convert in PUBLISH_PROPERTIES:
            value = getattr(properties, attribute, None)
            if value is not None:
                fields.append((name, value.hex() if isinstance(value, bytes) else value))
        fields += [("user", f"{name}={value}") for name, value in getattr(properties, "UserProperty", [])]
        fields += [("identifier", number) for number in getattr(properties, "SubscriptionIdentifier", [])]
        say("message", *fields)

    def disconnect(self, _one, _many):
        self.client.disconnect()


PUBLISH_PROPERTIES = [
    ("responseTopic", "ResponseTopic", str),
    ("correlation", "CorrelationData", bytes.fromhex),
    ("contentType", "ContentType", str),
    ("payloadFormat", "PayloadFormatIndicator", int),
    ("messageExpiry", "MessageExpiryInterval", int),
    ("topicAlias", "TopicAlias", int),
]


def main():
    driver = Driver()
    # A TLS alert that comes with the first answer ends Paho's thread.
    threading.excepthook = lambda fault: say("closed" if driver.is_up else "failed", ("why", fault.exc_value))
    for line in sys.stdin:
        verb, *fields = line.rstrip("\n").split(" ")
        named = [(name, unquote(value)) for name, value in (field.split("=", 1) for field in fields)]
        many = {}
        for name, value in named:
            many.setdefault(name, []).append(value)
        getattr(driver, verb)({name: values[0] for name, values in many.items()}, many)


main()
