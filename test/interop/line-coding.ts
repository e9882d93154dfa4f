// The words that a test and a driver exchange: a verb and named values, one line each, every name and value
// percent-encoded. Simple enough for a few lines in Python and C. A name may stand several times, in order.

export type Fields = readonly (readonly [name: string, value: string])[];

export interface Words {
  readonly verb: string;
  readonly fields: Fields;
}

export function encodeLine({ verb, fields }: Words): string {
  return `${[verb, ...fields.map(([name, value]) => `${name}=${encodeURIComponent(value)}`)].join(' ')}\n`;
}

export function decodeLine(line: string): Words {
  const [verb = '', ...parts] = line.split(' ');
  const fields = parts.map((part): [string, string] => {
    const at = part.indexOf('=');
    return [part.slice(0, at), decodeURIComponent(part.slice(at + 1))];
  });
  return { verb, fields };
}

/** The first value of that name. */
export function valueOf(fields: Fields, name: string): string | undefined {
  return fields.find(([one]) => one === name)?.[1];
}

export function valuesOf(fields: Fields, name: string): string[] {
  return fields.filter(([one]) => one === name).map(([, value]) => value);
}
