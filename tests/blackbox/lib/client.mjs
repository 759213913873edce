// Running a license client, with a vendor and a broker, and asking it.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { temporaryFolder } from './folders.mjs';
import { get, untilAnswer } from './http.mjs';
import { binary, start } from './lsys.mjs';
import { freePort } from './ports.mjs';

/// Long enough for a busy machine to send several heartbeats in, short enough for a test to wait for.
export const TIMEOUT = '2s';
export const TIMEOUT_MS = 2000;

/// The token inside a license file.
export function bareToken(file) {
  return readFileSync(file, 'utf8').split('\n').filter((line) => !line.startsWith('-----')).join('').trim();
}

export class Client {
  /// Starts `lsys license-client`. `flags` come last; `dataDir` and `port` are chosen unless given. `wrapper` is a
  /// program and its arguments that runs lsys.
  static async start(t, vendor, natsUrl,
    { flags = [], timeout = TIMEOUT, dataDir, port, env, wrapper = [] } = {}) {
    const client = new Client();
    client.dataDir = dataDir ?? path.join(temporaryFolder(t), 'data');
    client.port = port ?? await freePort();
    client.url = `http://127.0.0.1:${client.port}`;
    const [program, ...args] = [...wrapper, binary, 'license-client', '--keys', vendor.keys, '--nats', natsUrl,
      '--data-dir', client.dataDir, '--http', `127.0.0.1:${client.port}`, '--heartbeat-timeout', timeout, ...flags];
    client.process = start(t, program, args, { env });
    await client.process.untilOutput(/msg=listening url=/);
    return client;
  }

  async license() {
    return (await get(`${this.url}/v1/license`)).json;
  }

  feature(name) {
    return get(`${this.url}/v1/features/${encodeURIComponent(name)}`);
  }

  /// Waits until the state is as wanted: untilState((state) => state.edition === 'enterprise').
  untilState(condition, deadline_ms) {
    return untilAnswer(`${this.url}/v1/license`, condition, deadline_ms);
  }

  untilEdition(edition, deadline_ms) {
    return this.untilState((state) => state.edition === edition, deadline_ms);
  }

  /// The value of one series, 0 when there is none: metric('lsys_client_messages_total', 'verdict="good"').
  async metric(name, label = '') {
    const { text } = await get(`${this.url}/metrics`);
    const line = text.split('\n').find((row) => row.startsWith(name) && row.includes(label));
    return line ? Number(line.split(' ').at(-1)) : 0;
  }

  heard(verdict) {
    return this.metric('lsys_client_messages_total', `verdict="${verdict}"`);
  }

  stop(signal) {
    return this.process.stop(signal);
  }
}
