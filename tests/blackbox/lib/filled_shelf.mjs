// A cache-slave's state with very many licenses, written row by row as lsys would (src/app/license_shelf_record.h,
// src/store/record.c), because bringing them in over the API verifies each: with ES256 that takes minutes.
import { spawn } from 'node:child_process';
import { createHash, createPrivateKey, sign } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

const NAMESPACE = 'cache-slave';
const CHECKSUM_BYTES = 16;

/// Why there is no sqlite3 here, or false: for the option `skip` of a test.
export function whyNoSqlite() {
  const there = process.env.PATH.split(':').some((folder) => existsSync(path.join(folder, 'sqlite3')));
  return !there && 'the program sqlite3 is not installed';
}

/// Signs licenses like the bare token `model`, with the key in a JWK file.
export class Signer {
  constructor(keyFile, model) {
    this.key = createPrivateKey({ key: JSON.parse(readFileSync(keyFile, 'utf8')), format: 'jwk' });
    [this.header, this.payload] = model.split('.').slice(0, 2);
    this.claims = JSON.parse(Buffer.from(this.payload, 'base64url'));
  }

  /// A token with some claims replaced. `header` stands for the signer's own: a kid that it has no right to.
  sign(claims, header = this.header) {
    const payload = Buffer.from(JSON.stringify({ ...this.claims, ...claims })).toString('base64url');
    const input = `${header}.${payload}`;
    return `${input}.${sign('sha256', Buffer.from(input), { key: this.key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  }
}

function checksum(...parts) {
  const hash = createHash('sha256');
  for (const part of parts) {
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(part.length));
    hash.update(length).update(part);
  }
  return hash.digest().subarray(0, CHECKSUM_BYTES);
}

function row({ id, serial, change, token }) {
  const key = Buffer.from(`license/${id}`);
  const line = { change, serial, deployment_id: '', deleted: false, revoked_at_ms: 0, revoked_reason: null };
  const value = Buffer.from(`${JSON.stringify(line)}\n${token}`);
  const sum = checksum(Buffer.from(NAMESPACE), key, value).toString('hex');
  return `INSERT OR REPLACE INTO record VALUES('${NAMESPACE}','${key}',X'${value.toString('hex')}',X'${sum}');\n`;
}

/// Puts rows {id, serial, change, token}, any iterable of them, into the state of a slave that is stopped.
export async function fillShelf(dataDir, rows) {
  const sqlite = spawn('sqlite3', ['-bail', path.join(dataDir, 'state.db')], { stdio: ['pipe', 'ignore', 'inherit'] });
  const ended = once(sqlite, 'close');
  sqlite.stdin.write('BEGIN;\n');
  for (const one of rows) {
    if (!sqlite.stdin.write(row(one))) await once(sqlite.stdin, 'drain');
  }
  sqlite.stdin.end('COMMIT;\n');
  const [code] = await ended;
  if (code !== 0) throw new Error(`sqlite3 ended with ${code}`);
}
