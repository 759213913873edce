// Running license servers, and listening to them with a stock NATS client.
import path from 'node:path';
import { connect, JSONCodec } from 'nats';
import { temporaryFolder } from './folders.mjs';
import { get, untilAnswer } from './http.mjs';
import { startLsys } from './lsys.mjs';
import { until } from './wait.mjs';

const json = JSONCodec();

/// Heartbeats of servers under test, unless told otherwise.
export const HEARTBEAT_MS = 300;

export class LicenseServer {
  /// Starts `lsys license-server` on free ports. Without `nats` it brings its own broker along. `license` may be a path
  /// that does not exist yet; `flags` come last.
  static async start(t, vendor, { license, nats, dataDir, flags = [], wait = true } = {}) {
    const server = new LicenseServer();
    server.dataDir = dataDir ?? path.join(temporaryFolder(t), 'data');
    const where = nats ? ['--nats', nats] : ['--nats-listen', '127.0.0.1:0'];
    server.process = startLsys(t, ['license-server', ...(license ? ['--license', license] : []),
      ...(vendor ? ['--keys', vendor.keys] : []), '--data-dir', server.dataDir, '--http', '127.0.0.1:0',
      '--heartbeat-interval', `${HEARTBEAT_MS}ms`, ...where, ...flags]);
    if (!wait) return server;
    server.url = (await server.process.untilOutput(/url=(http:\S+)/))[1];
    server.nats = nats ?? (await server.process.untilOutput(/url=(nats:\S+)/))[1];
    if (!nats) await server.process.untilOutput(/connected to NATS/);
    return server;
  }

  async license() {
    return (await get(`${this.url}/v1/license`)).json;
  }

  /// Waits until /v1/license is as wanted.
  untilLicense(condition, deadline_ms) {
    return untilAnswer(`${this.url}/v1/license`, condition, deadline_ms);
  }

  untilStatus(status, deadline_ms) {
    return this.untilLicense((license) => license.status === status, deadline_ms);
  }

  /// The value of a series, 0 when there is none.
  async metric(name, label = '') {
    const { text } = await get(`${this.url}/metrics`);
    const line = text.split('\n').find((row) => row.startsWith(name) && row.includes(label));
    return line ? Number(line.split(' ').at(-1)) : 0;
  }

  stop(signal) {
    return this.process.stop(signal);
  }
}

/// A stock client that keeps what it hears on `license.status` and `license.alert`.
export class Listener {
  static async start(t, url) {
    const listener = new Listener();
    listener.connection = await connect({ servers: url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
    t.after(() => listener.connection.close());
    listener.messages = listener.collect('license.status');
    listener.alerts = listener.collect('license.alert');
    await listener.connection.flush();
    return listener;
  }

  collect(subject) {
    const heard = [];
    this.connection.subscribe(subject, {
      callback: (error, message) => {
        if (!error) heard.push(json.decode(message.data));
      },
    });
    return heard;
  }

  /// Waits for a message for which `condition` holds, from index `from` on, and gives it.
  untilMessage(what, condition, { from = 0, deadline_ms } = {}) {
    return until(`a message on license.status: ${what}`, () => this.messages.slice(from).find(condition), deadline_ms);
  }

  untilAlert(code, deadline_ms) {
    return until(`the alert ${code}`, () => this.alerts.find((alert) => alert.code === code), deadline_ms);
  }

  /// Asks for the status; gives the answer of whoever is first.
  async ask(nonce) {
    const request = nonce === undefined ? new Uint8Array() : json.encode({ nonce });
    return json.decode((await this.connection.request('license.status.get', request, { timeout: 3000 })).data);
  }

  /// The answers of all servers.
  async askAll(nonce, count) {
    const answers = [];
    const many = await this.connection.requestMany('license.status.get', json.encode({ nonce }),
      { strategy: 'count', maxMessages: count, maxWait: 3000 });
    for await (const answer of many) answers.push(json.decode(answer.data));
    return answers;
  }

  publish(subject, value) {
    this.connection.publish(subject, json.encode(value));
    return this.connection.flush();
  }
}
