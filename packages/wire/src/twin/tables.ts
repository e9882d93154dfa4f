// The tables of MQTT 5.0 once more, typed in from the standard in its own order and words, so that a slip in the tables that
// ship is noticed. Only tests read this.

/** Table 2-4 (2.2.2.2): identifier, our name, type, packets. */
const TABLE_2_4 = `
0x01 payloadFormatIndicator byte publish will
0x02 messageExpiryInterval uint32 publish will
0x03 contentType string publish will
0x08 responseTopic string publish will
0x09 correlationData binary publish will
0x0B subscriptionIdentifier varint publish subscribe
0x11 sessionExpiryInterval uint32 connect connack disconnect
0x12 assignedClientIdentifier string connack
0x13 serverKeepAlive uint16 connack
0x15 authenticationMethod string connect connack auth
0x16 authenticationData binary connect connack auth
0x17 requestProblemInformation byte connect
0x18 willDelayInterval uint32 will
0x19 requestResponseInformation byte connect
0x1A responseInformation string connack
0x1C serverReference string connack disconnect
0x1F reasonString string connack puback pubrec pubrel pubcomp suback unsuback disconnect auth
0x21 receiveMaximum uint16 connect connack
0x22 topicAliasMaximum uint16 connect connack
0x23 topicAlias uint16 publish
0x24 maximumQoS byte connack
0x25 retainAvailable byte connack
0x26 userProperty pair connect connack publish will puback pubrec pubrel pubcomp subscribe suback unsubscribe unsuback disconnect auth
0x27 maximumPacketSize uint32 connect connack
0x28 wildcardSubscriptionAvailable byte connack
0x29 subscriptionIdentifierAvailable byte connack
0x2A sharedSubscriptionAvailable byte connack`;

export interface TwinProperty {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  readonly packets: readonly string[];
}

export const TWIN_PROPERTIES: readonly TwinProperty[] = TABLE_2_4.trim()
  .split('\n')
  .map((line) => {
    const [id, name, type, ...packets] = line.split(' ');
    return { id: Number(id), name: name ?? '', type: type ?? '', packets };
  });

/**
 * The reason codes that each packet lists (3.2.2.2, 3.4.2.1, 3.5.2.1, 3.6.2.1, 3.7.2.1, 3.9.3, 3.11.3, 3.14.2.1, 3.15.2.1);
 * of 0x8C on DISCONNECT 2.4 says yes and 3.14.2.1 nothing.
 */
export const TWIN_CODES: Readonly<Record<string, readonly number[]>> = {
  connack: [
    0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c, 0x90, 0x95, 0x97, 0x99, 0x9a, 0x9b,
    0x9c, 0x9d, 0x9f,
  ],
  puback: [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99],
  pubrec: [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99],
  pubrel: [0x00, 0x92],
  pubcomp: [0x00, 0x92],
  suback: [0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2],
  unsuback: [0x00, 0x11, 0x80, 0x83, 0x87, 0x8f, 0x91],
  disconnect: [
    0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97,
    0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2,
  ],
  auth: [0x00, 0x18, 0x19],
};
