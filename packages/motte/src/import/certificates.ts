// The files of certificates that mosquitto.conf names: what the server shows, and which authorities prove its clients. They stay
// where they are.

import { statSync } from 'node:fs';
import { pathOf } from './conf.ts';
import type { ConfLine } from './conf-lines.ts';
import type { ImportReport } from './report.ts';
import type { Place } from './source.ts';

export interface ClientAuthority {
  readonly id: string;
  readonly file: string;
  readonly crl: string | undefined;
}

export class Certificates {
  readonly authorities: ClientAuthority[] = [];
  /** The certificates of the servers, in the order of their listeners. */
  readonly servers: { readonly cert: string; readonly key: string; readonly place: Place }[] = [];
  readonly #conf: string;
  readonly #report: ImportReport;

  /** `conf`: path of mosquitto.conf. */
  constructor(conf: string, report: ImportReport) {
    this.#conf = conf;
    this.#report = report;
  }

  /** Of a listener with TLS. */
  take(settings: ReadonlyMap<string, ConfLine>): void {
    const [conf, report] = [this.#conf, this.#report];
    const [certLine, keyLine] = [settings.get('certfile'), settings.get('keyfile')];
    if (certLine === undefined || keyLine === undefined) return;
    const [cert, key] = [pathOf(conf, certLine), pathOf(conf, keyLine)];
    const missing = [cert, key].find((file) => !isFile(file));
    const { place } = certLine;
    if (this.servers.some((one) => one.cert === cert && one.key === key)) return;
    if (missing !== undefined)
      report.unsupported(place, 'certfile', `${missing} is not there: Motte’s own authority certifies this server`);
    else if (this.servers.length > 0)
      report.changed(place, 'certfile', 'the first one of the file', 'all listeners show one certificate');
    else {
      this.servers.push({ cert, key, place });
      report.same(place, 'certfile and keyfile', 'tls.certificate, where they are');
    }
  }

  /** The authority of a listener that demands certificates, by its file. */
  authorityOf(settings: ReadonlyMap<string, ConfLine>): string | undefined {
    const [conf, report] = [this.#conf, this.#report];
    const line = settings.get('cafile');
    if (line === undefined) return undefined;
    const file = pathOf(conf, line);
    if (!isFile(file)) return undefined;
    const crlLine = settings.get('crlfile');
    const crl = crlLine === undefined ? undefined : pathOf(conf, crlLine);
    const known = this.authorities.find((one) => one.file === file && one.crl === crl);
    if (known !== undefined) return known.id;
    const id = this.authorities.length === 0 ? 'mosquitto' : `mosquitto-${this.authorities.length + 1}`;
    this.authorities.push({ id, file, crl });
    report.same(line.place, 'cafile', `tls.clientCa ${id}`);
    if (crlLine !== undefined) report.same(crlLine.place, 'crlfile', `tls.crl of ${id}`);
    return id;
  }
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
