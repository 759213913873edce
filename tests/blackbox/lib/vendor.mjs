// A vendor for tests: keys and licenses made with the shipped tools.
import path from 'node:path';
import { lsysOk } from './lsys.mjs';

export class Vendor {
  constructor(folder) {
    this.folder = folder;
    this.key = path.join(folder, 'vendor.key.jwk');
    this.keys = path.join(folder, 'vendor.jwks');
    this.serial = 0;
  }

  /// Makes a key pair in `folder`. `flags` go to `lsys keygen`.
  static async create(folder, flags = []) {
    await lsysOk(['keygen', '--out', folder, ...flags]);
    return new Vendor(folder);
  }

  /// Issues a license to `file` (a name in the vendor's folder, or a path) with a serial one higher than the last one's,
  /// and gives its path. `flags` go to `lsys issue` and come last.
  async issue(file, flags = []) {
    const out = path.resolve(this.folder, file);
    this.serial += 1;
    const own = (name, ...value) => (flags.includes(name) ? [] : [name, ...value]);
    const validity = flags.includes('--expires') ? [] : own('--valid-for', '30d');
    await lsysOk(['issue', '--key', this.key, '--out', out, ...own('--customer', 'ACME'),
      ...own('--edition', 'enterprise'), ...own('--serial', String(this.serial)), ...validity, ...flags]);
    return out;
  }
}
