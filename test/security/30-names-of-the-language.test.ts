// Names that mean something to the language (prototype pollution): as topic level, filter, client identifier, user name,
// group, user property; they are text like any other.

import { describe, expect, it } from 'vitest';
import { startTestBroker, will } from '../harness/index.ts';

const NAMES = [
  '__proto__',
  'constructor',
  'prototype',
  'hasOwnProperty',
  'toString',
  'valueOf',
  'then',
  'length',
  '__defineGetter__',
];

describe.each(NAMES)('%s', (name) => {
  it.each([4, 5] as const)('is a name like any other, version %i', async (version) => {
    const before = Object.getOwnPropertyNames(Object.prototype).sort();
    const broker = startTestBroker();
    const watcher = await broker.connect('w');
    await watcher.subscribe(`will/${name}`);
    const client = await broker.connect(name, {
      version,
      userName: name,
      cleanStart: false,
      will: will(`will/${name}`, name),
    });
    expect(client.connack?.sessionPresent).toBe(false);
    const filters = [name, `${name}/+`, `+/${name}`, `$share/${name}/${name}/x`];
    expect((await client.subscribe(filters)).reasonCodes).toEqual([2, 2, 2, 2]);
    const publisher = await broker.connect('p');
    for (const topic of [name, `${name}/y`, `y/${name}`, `${name}/x`]) {
      publisher.publish(topic, name, { retain: true, properties: { userProperty: [[name, name]], contentType: name } });
    }
    const packets = await client.receiveAll();
    expect(packets).toHaveLength(5);
    if (version === 5) expect(packets[0]).toMatchObject({ properties: { userProperty: [[name, name]] } });
    const late = await broker.connect('late');
    await late.subscribe('#');
    expect(await late.receiveAll()).toHaveLength(4);
    expect((await client.unsubscribe(...filters, `not/${name}`)).type).toBe('unsuback');
    await client.cut();
    await watcher.expectMessage(`will/${name}`, name);
    expect(Object.getOwnPropertyNames(Object.prototype).sort()).toEqual(before);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
