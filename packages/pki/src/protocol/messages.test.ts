import fc from 'fast-check';
import { expect, it } from 'vitest';
import { AuthorityFault } from './faults.ts';
import { parseAnswer, parseRequest } from './messages.ts';

it('a request is parsed, with what it leaves out filled in', () => {
  expect(parseRequest('{"id":1,"method":"device.issue","params":{"name":"a","csr":"b"}}')).toEqual({
    id: 1,
    method: 'device.issue',
    params: { name: 'a', csr: 'b', force: false, profile: '' },
  });
  expect(parseRequest('{"id":0,"method":"ca.info"}')).toEqual({ id: 0, method: 'ca.info', params: {} });
});

it.each([
  ['', 'not JSON'],
  ['[]', 'not an object'],
  ['null', 'not an object'],
  ['{"id":1,"method":"ca.info","extra":1}', 'unknown field "extra"'],
  ['{"id":1,"method":"ca.info","params":{"extra":1}}', 'unknown field "extra"'],
  ['{"id":1,"method":"ca.info","__proto__":{}}', 'unknown field "__proto__"'],
  ['{"id":1,"method":"device.show","params":{"name":"a","__proto__":{}}}', 'unknown field "__proto__"'],
  ['{"id":1,"method":"device.show","params":{"__proto__":{"name":"a"}}}', 'unknown field "__proto__"'],
  ['{"id":1,"method":"device.show","params":{}}', 'name is not a string'],
  ['{"id":1,"method":"device.show","params":{"name":["a"]}}', 'name is not a string'],
  ['{"id":1,"method":"device.show","params":[]}', 'params is not an object'],
  ['{"id":1,"method":"device.issue","params":{"name":"a","csr":"b","force":1}}', 'force is not a boolean'],
  ['{"id":1,"method":"toString"}', 'no such method'],
  ['{"id":1,"method":["ca.info"]}', 'no such method'],
  ['{"id":-1,"method":"ca.info"}', 'id is not a whole number from 0'],
  ['{"id":1.5,"method":"ca.info"}', 'id is not a whole number from 0'],
  ['{"id":1e99,"method":"ca.info"}', 'id is not a whole number from 0'],
  ['{"id":"1","method":"ca.info"}', 'id is not a whole number from 0'],
  ['{"method":"ca.info"}', 'id is not a whole number from 0'],
])('%s is refused: %s', (line, why) => {
  expect(() => parseRequest(line)).toThrow(expect.objectContaining({ code: 'MOT-0426', why }));
});

it('depth is no way in', () => {
  expect(() => parseRequest('['.repeat(65_000))).toThrow(AuthorityFault);
  expect(() => parseRequest('{"id":'.repeat(10_000))).toThrow(AuthorityFault);
});

it('whatever the line, a parser throws a refusal or nothing', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
      for (const parse of [parseRequest, parseAnswer]) {
        try {
          parse(line);
        } catch (fault) {
          expect(fault).toBeInstanceOf(AuthorityFault);
        }
      }
    }),
  );
});

it('an answer is a result or one of our errors', () => {
  expect(parseAnswer('{"id":1,"result":{"a":1}}')).toEqual({ id: 1, result: { a: 1 } });
  expect(parseAnswer('{"id":1,"error":{"code":"MOT-0431","why":"w"}}')).toEqual({
    id: 1,
    error: { code: 'MOT-0431', why: 'w' },
  });
  for (const line of [
    '{"result":1}',
    '{"id":1,"error":{"code":"toString","why":"w"}}',
    '{"id":1,"error":null}',
    '{"id":1,"x":1}',
  ]) {
    expect(() => parseAnswer(line)).toThrow(expect.objectContaining({ code: 'MOT-0426' }));
  }
});
