// Which name a certificate of a foreign CA proves: the part of it that the listener reads, which must be there exactly once and
// be PREFIX, NAME, SUFFIX and nothing else. Motte's own certificates say their name in a form of their own.

import { createHash, type X509Certificate } from 'node:crypto';
import type { CertificateName } from '../ports/connection-facts.ts';
import { type Refusal, refuse } from '../ports/verdict.ts';
import { shown } from './provable-names.ts';

/** The one value, without prefix and suffix; whether it may be a name is asked afterwards. */
export function certificateNameOf(leaf: X509Certificate, rule: CertificateName): string | Refusal {
  const { from, prefix = '', suffix = '' } = rule;
  const values = valuesOf(leaf, from);
  const [value] = values;
  if (value === undefined || values.length > 1) {
    const count = value === undefined ? 'has none' : `has ${values.length}`;
    return bad(`the listener reads the name from ${WORDS[from]}; the certificate ${count}, it must have one`);
  }
  if (value.length < prefix.length + suffix.length || !value.startsWith(prefix) || !value.endsWith(suffix)) {
    return bad(`the ${from} ${shown(value)} of the certificate is not ${prefix}NAME${suffix}`);
  }
  return value.slice(prefix.length, value.length - suffix.length);
}

function valuesOf(leaf: X509Certificate, from: CertificateName['from']): string[] {
  switch (from) {
    case 'cn':
      return lines(leaf.subject)
        .filter((line) => line.startsWith('CN='))
        .map((line) => line.slice('CN='.length));
    case 'subject':
      // Commas within a value are escaped, so the text tells one subject from every other.
      return leaf.subject === undefined || leaf.subject === '' ? [] : [lines(leaf.subject).join(', ')];
    case 'fingerprint':
      return [createHash('sha256').update(leaf.raw).digest('hex').slice(0, FINGERPRINT_DIGITS)];
    case 'san-dns':
      return alternativeNames(leaf.subjectAltName, 'DNS:');
    case 'san-uri':
      return alternativeNames(leaf.subjectAltName, 'URI:');
    case 'san-email':
      return alternativeNames(leaf.subjectAltName, 'email:');
    default:
      return from satisfies never;
  }
}

function lines(name: string | undefined): string[] {
  return name === undefined ? [] : name.split('\n');
}

/** `DNS:a, URI:b, email:c`; node:crypto puts a value with anything special in it in quotes, as JSON. */
function alternativeNames(text: string | undefined, kind: string): string[] {
  const found = text?.match(/(?:[^,"]|"(?:[^"\\]|\\.)*")+/g) ?? [];
  return found
    .map((entry) => entry.trimStart())
    .filter((entry) => entry.startsWith(kind))
    .map((entry) => unquoted(entry.slice(kind.length)));
}

function unquoted(value: string): string {
  if (!value.startsWith('"')) return value;
  try {
    return String(JSON.parse(value));
  } catch {
    return value;
  }
}

function bad(because: string): Refusal {
  return refuse('not-authorized', because, 'listeners.identity');
}

const WORDS: Readonly<Record<CertificateName['from'], string>> = {
  cn: 'the common name of the subject',
  'san-dns': 'the DNS name among the alternative names',
  'san-uri': 'the URI among the alternative names',
  'san-email': 'the e-mail address among the alternative names',
  subject: 'the subject',
  fingerprint: 'the fingerprint',
};
/** Of SHA-256 in hexadecimal: as many as a name can have with room to spare. */
const FINGERPRINT_DIGITS = 40;
