import { expect, it } from 'vitest';
import { hostsFileNames, mergeNames, serverNames } from './server-names.ts';

it('loopback comes first, then names and addresses, each once and sorted', () => {
  const names = mergeNames(
    ['Plant', 'plant', 'a.example', 'LOCALHOST'],
    ['10.0.0.2', '10.0.0.1', '10.0.0.2', '127.0.0.1', '::1'],
  );
  expect(names.map(({ type, value }) => `${type} ${value}`)).toEqual([
    'dns localhost',
    'ip 127.0.0.1',
    'ip ::1',
    'dns a.example',
    'dns plant',
    'ip 10.0.0.1',
    'ip 10.0.0.2',
  ]);
});

it('what cannot stand in a certificate is left out, and there is an end to it', () => {
  expect(mergeNames(['', 'a b', '*.x', '10.0.0.1'], ['', 'fe80::1%eth0', 'x'])).toHaveLength(3);
  expect(
    mergeNames(
      Array.from({ length: 200 }, (_, index) => `h${index}`),
      ['10.0.0.1'],
    ),
  ).toHaveLength(64);
});

it('a hosts file gives the names of our own addresses only', () => {
  const text =
    '127.0.0.1 localhost\n127.0.1.1\tplant.example plant # own\n# 127.0.1.1 old\n0.0.0.0 ads.example\n10.0.0.1 gw\n\n10.0.0.9 other';
  expect(hostsFileNames(text, new Set(['127.0.1.1', '10.0.0.1']))).toEqual(['plant.example', 'plant', 'gw']);
});

it('this host has at least its loopback names', () => {
  expect(
    serverNames()
      .slice(0, 3)
      .map(({ value }) => value),
  ).toEqual(['localhost', '127.0.0.1', '::1']);
});
