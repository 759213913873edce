// Running cache masters and slaves, and a master that misbehaves.
import { once } from 'node:events';
import http from 'node:http';
import path from 'node:path';
import { bareToken } from './client.mjs';
import { temporaryFolder } from './folders.mjs';
import { get, untilAnswer } from './http.mjs';
import { lsysOk, startLsys } from './lsys.mjs';

export const KEY = 'a-shared-key-for-tests-0123456789';

/// Times that a test can wait for. `overrides` are environment variables.
export function fastTimes(overrides = {}) {
  return { LICENSE_CACHE_TTL: '400', STALE_GRACE_PERIOD: '1500', BACKGROUND_SYNC_INTERVAL: '300', SYNC_RETRY_DELAY: '100',
    MAX_SYNC_RETRIES: '1', SYNC_TIMEOUT: '700', ...overrides };
}

/// Stops a process in its tracks until the test ends; gives what lets it go on.
export function freeze(t, { pid }) {
  process.kill(pid, 'SIGSTOP');
  const thaw = () => { try { process.kill(pid, 'SIGCONT'); } catch { /* it has ended */ } };
  t.after(thaw);
  return thaw;
}

class Role {
  async metric(name, label = '') {
    const { text } = await get(`${this.url}/metrics`);
    const line = text.split('\n').find((row) => row.startsWith(name) && row.includes(label));
    return line ? Number(line.split(' ').at(-1)) : 0;
  }

  /// All that this role tells its slaves: {id: {token, deleted, revoked}}.
  async feed() {
    const changes = {};
    for (let page = { more: true, through: 0 }; page.more;) {
      const answer = await get(`${this.url}/api/licenses?since=${page.through}`, { headers: { 'X-API-Key': this.key } });
      if (answer.status !== 200) throw new Error(`the feed answers ${answer.status}: ${answer.text}`);
      page = answer.json;
      for (const { license_id: id, ...change } of page.changes) changes[id] = change;
    }
    return changes;
  }

  stop(signal) {
    return this.process.stop(signal);
  }
}

export class Master extends Role {
  static async start(t, vendor, { dataDir, port = 0, key = KEY, flags = [] } = {}) {
    const master = new Master();
    master.key = key;
    master.dataDir = dataDir ?? path.join(temporaryFolder(t), 'master');
    master.process = startLsys(t, ['cache-master', '--keys', vendor.keys, '--data-dir', master.dataDir,
      '--http', `127.0.0.1:${port}`, ...flags], { env: { SECRET_INTERNAL_API_KEY: key } });
    master.url = (await master.process.untilOutput(/url=(https?:\S+)/))[1];
    master.port = Number(new URL(master.url).port);
    return master;
  }

  /// `lsys licenses ...` on this master.
  licenses(...args) {
    return lsysOk(['licenses', ...args, '--master', this.url], { env: { SECRET_INTERNAL_API_KEY: this.key } });
  }

  ask(path, { key = this.key, headers, ...options } = {}) {
    return get(`${this.url}${path}`, { headers: { ...(key && { 'X-API-Key': key }), ...headers }, ...options });
  }
}

export class Slave extends Role {
  static async start(t, vendor, masterUrl, { dataDir, times = fastTimes(), key = KEY, flags = [], port = 0, wrapper } = {}) {
    const slave = new Slave();
    slave.key = key;
    slave.dataDir = dataDir ?? path.join(temporaryFolder(t), 'slave');
    slave.process = startLsys(t, ['cache-slave', '--master', masterUrl, '--keys', vendor.keys, '--data-dir', slave.dataDir,
      '--http', `127.0.0.1:${port}`, ...flags], { env: { SECRET_INTERNAL_API_KEY: key, ...times }, wrapper });
    slave.url = (await slave.process.untilOutput(/url=(https?:\S+)/))[1];
    return slave;
  }

  async current() {
    const { status, json } = await get(`${this.url}/api/licenses/current`);
    if (status !== 200) throw new Error(`current answers ${status}`);
    return json;
  }

  untilCurrent(condition, deadline_ms) {
    return untilAnswer(`${this.url}/api/licenses/current`, condition, deadline_ms);
  }

  async syncStatus() {
    return (await get(`${this.url}/api/licenses/sync-status`)).json;
  }

  manualSync() {
    return get(`${this.url}/api/licenses/manual-sync`, { method: 'POST' });
  }

  check(body) {
    return get(`${this.url}/api/licenses/check`, { method: 'POST', body: JSON.stringify(body) });
  }

  async outcome(name) {
    return this.metric('lsys_cache_syncs_total', `outcome="${name}"`);
  }
}

/// A page of the feed with these license files, as a master would tell it.
export function page(files, { stream = 'AAAAAAAAAAAAAAAAAAAAAA', ...rest } = {}) {
  const changes = files.map((file, index) => {
    const token = bareToken(file);
    const { jti } = JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
    return { change: index + 1, license_id: jti, token };
  });
  return { v: 1, stream, sequence: changes.length, through: changes.length, more: false, changes, ...rest };
}

/// A master that is not ours: answers every request with `answer(request, response)`, which can be replaced.
export class FakeMaster {
  static async start(t, answer) {
    const master = new FakeMaster();
    master.answer = answer;
    master.requests = [];
    master.server = http.createServer((request, response) => {
      if (request.url.endsWith('/stream')) { // no push: the slave polls
        status(404)(request, response);
        return;
      }
      master.requests.push({ time: performance.now(), url: request.url, headers: request.headers });
      master.answer(request, response);
    });
    master.server.listen(0, '127.0.0.1');
    await once(master.server, 'listening');
    t.after(() => {
      master.server.closeAllConnections();
      master.server.close();
    });
    master.url = `http://127.0.0.1:${master.server.address().port}`;
    return master;
  }
}

/// Answers for FakeMaster.
export const json = (body, status = 200, headers = {}) => (request, response) => {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
};
export const status = (code, headers = {}) => (request, response) => {
  response.writeHead(code, headers);
  response.end('{}');
};
