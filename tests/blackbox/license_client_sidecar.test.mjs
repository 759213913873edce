// license-client and the application beside it: HTTP, events, a unix socket, a file, a program.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { describe, test } from 'node:test';
import { Client, TIMEOUT_MS, bareToken } from './lib/client.mjs';
import { temporaryFolder } from './lib/folders.mjs';
import { ForeignServer } from './lib/foreign_server.mjs';
import { get } from './lib/http.mjs';
import { lsys } from './lib/lsys.mjs';
import { NatsServer } from './lib/nats_server.mjs';
import { freePort } from './lib/ports.mjs';
import { Vendor } from './lib/vendor.mjs';
import { until } from './lib/wait.mjs';

async function makeScene(t, licenseFlags = []) {
  const nats = await NatsServer.start(t);
  const vendor = await Vendor.create(path.join(temporaryFolder(t), 'vendor'));
  const token = bareToken(await vendor.issue('acme.lic', ['--valid-for', '90d', '--feature', 'sso', '--feature',
    'nodes=50', ...licenseFlags]));
  const server = await ForeignServer.create(t, nats.url, token);
  return { nats, vendor, server };
}

describe('answers over HTTP', () => {
  test('the state, a feature, and why not', async (t) => {
    const { nats, vendor, server } = await makeScene(t, ['--degrade', 'sso=advise']);
    const client = await Client.start(t, vendor, nats.url);
    const before = await client.license();
    assert.deepEqual([before.edition, before.status, before.licensed, before.features, before.license_id,
      before.customer, before.expires_at, before.source], ['community', 'missing', false, {}, null, null, null, 'none']);
    assert.equal(before.explain.rule, 'never_heard');
    assert.equal((await client.feature('sso')).status, 403);

    await server.start();
    const state = await client.untilEdition('enterprise');
    assert.equal(state.customer, 'ACME');
    assert.equal(state.licensed, true);
    assert.equal(state.license_id, server.claims.jti);
    assert.equal(Date.parse(state.expires_at), server.claims.exp * 1000);
    assert.ok(Date.parse(state.valid_until) > Date.now());
    assert.ok(state.reason.length > 10);
    assert.equal(state.explain.inputs.server.key_id, server.kid);
    assert.equal(state.explain.without_heartbeat.to, 'community');

    const nodes = await client.feature('nodes');
    assert.deepEqual([nodes.status, nodes.json.limit, nodes.json.mode, nodes.json.allowed], [200, 50, 'full', true]);
    assert.equal((await client.feature('sso')).json.limit, true);
    const absent = await client.feature('gold');
    assert.equal(absent.status, 403);
    assert.match(absent.headers.get('content-type'), /application\/problem\+json/);
    assert.equal(absent.json.code, 'not_licensed');
    assert.ok(absent.json.detail.length > 10);

    await server.stop();
    await client.untilEdition('community', 3 * TIMEOUT_MS + 5000);
    const degraded = await client.license();
    assert.deepEqual(degraded.degraded, { sso: 'advise' });
    assert.deepEqual([degraded.features, degraded.explain.cause], [{}, 'silence']);
    const advised = await client.feature('sso');
    assert.deepEqual([advised.status, advised.json.mode], [200, 'advise']);
    assert.deepEqual([(await client.feature('nodes')).status, (await client.feature('nodes')).json.code], [403, 'no_server']);
  });

  test('hostile names of features are ordinary questions', async (t) => {
    const { nats, vendor, server } = await makeScene(t);
    const client = await Client.start(t, vendor, nats.url);
    await server.start();
    await client.untilEdition('enterprise');
    for (const name of ['<script>', '%00', 'a\r\nb', '../license', 'x'.repeat(2000), '__proto__']) {
      const { status } = await client.feature(name);
      assert.ok([400, 403, 404].includes(status), `${name}: ${status}`);
    }
    assert.equal((await client.license()).edition, 'enterprise');
  });

  test('server-sent events: the state at once, then each change', async (t) => {
    const { nats, vendor, server } = await makeScene(t);
    const client = await Client.start(t, vendor, nats.url);
    const response = await fetch(`${client.url}/v1/events`);
    assert.match(response.headers.get('content-type'), /text\/event-stream/);
    const events = [];
    (async () => {
      let text = '';
      for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
        text += piece;
        const parts = text.split('\n\n');
        text = parts.pop();
        for (const part of parts) {
          const data = part.split('\n').filter((line) => line.startsWith('data:')).map((line) => line.slice(5)).join('\n');
          if (/^event: ?license$/m.test(part)) events.push(JSON.parse(data));
        }
      }
    })().catch(() => {});
    await until('the first event', () => events.length === 1);
    assert.equal(events[0].edition, 'community');
    await server.start();
    await until('the change', () => events.length === 2);
    assert.equal(events[1].edition, 'enterprise');
    server.status = 'expired';
    await server.say('status');
    await until('the second change', () => events.length === 3);
    assert.deepEqual([events[2].edition, events[2].status], ['community', 'expired']);
    assert.equal(await client.metric('lsys_client_event_listeners'), 1);
    assert.deepEqual(await client.stop(), { code: 0, signal: null });
  });

  test('an application that never closes its streams leaves the others somewhere to ask', async (t) => {
    const { nats, vendor } = await makeScene(t);
    const client = await Client.start(t, vendor, nats.url);
    const listen = () => new Promise((resolve, reject) => {
      http.get(`${client.url}/v1/events`, { agent: false }, resolve).on('error', reject);
    });
    const streams = [];
    for (let i = 0; i < 64; i++) streams.push(await listen());
    assert.ok(streams.every((answer) => answer.statusCode === 200));
    const refused = await listen();
    assert.equal(refused.statusCode, 503);
    assert.match((await refused.toArray()).join(''), /"too_many_listeners"/);
    assert.equal((await client.license()).edition, 'community');
    streams.pop().destroy();
    await until('a place', async () => (await client.metric('lsys_client_event_listeners')) === 63);
    const next = await listen();
    assert.equal(next.statusCode, 200);
    for (const answer of [...streams, next]) answer.destroy();
  });

  test('a unix socket answers the same', async (t) => {
    const { nats, vendor } = await makeScene(t);
    const socket = path.join(temporaryFolder(t), 'client.sock');
    const client = await Client.start(t, vendor, nats.url, { flags: ['--socket', socket] });
    await client.process.untilOutput(/socket=/);
    const body = await new Promise((resolve, reject) => {
      http.get({ socketPath: socket, path: '/v1/license', headers: { host: 'localhost' } }, (answer) => {
        let text = '';
        answer.on('data', (piece) => { text += piece; });
        answer.on('end', () => resolve(text));
      }).on('error', reject);
    });
    assert.equal(JSON.parse(body).edition, 'community');
    await client.stop();
    assert.ok(!existsSync(socket));
  });
});

describe('a file and a program', () => {
  test('the status file is whole at every moment', async (t) => {
    const { nats, vendor, server } = await makeScene(t);
    const file = path.join(temporaryFolder(t), 'license.json');
    const client = await Client.start(t, vendor, nats.url, { flags: ['--status-file', file] });
    const read = () => JSON.parse(readFileSync(file, 'utf8'));
    await until('the file', () => existsSync(file));
    assert.equal(read().edition, 'community');
    await server.start();
    await until('the file to change', () => read().edition === 'enterprise');
    const first = read().valid_until;
    await until('the file to be renewed while heartbeats come', () => read().valid_until > first);
    const seen = new Set();
    let flips = 0;
    const timer = setInterval(() => {
      server.status = flips % 2 ? 'valid' : 'expired';
      flips += 1;
      server.say('status').catch(() => {});
    }, 5);
    t.after(() => clearInterval(timer));
    let reads = 0;
    await until('many reads during many changes', () => {
      for (let i = 0; i < 50; i += 1) seen.add(read().status);
      reads += 50;
      return reads >= 3000 && flips >= 50;
    });
    clearInterval(timer);
    assert.deepEqual([...seen].sort(), ['expired', 'valid']);
    await client.stop();
    assert.ok(read().edition);
  });

  test('the program gets the state, runs one at a time, and the last state wins', async (t) => {
    const { nats, vendor, server } = await makeScene(t);
    const folder = temporaryFolder(t);
    const log = path.join(folder, 'runs');
    const program = path.join(folder, 'on change.sh');
    writeFileSync(program, `#!/bin/sh
mkdir "$1.lock" || echo "TWO AT ONCE" >>"$1"
sleep 0.3
echo "$LICENSE_EDITION $LICENSE_STATUS $LICENSE_LICENSED $LICENSE_CUSTOMER $LICENSE_FEATURES $LICENSE_SOURCE $2" >>"$1"
rmdir "$1.lock"
`);
    chmodSync(program, 0o755);
    const client = await Client.start(t, vendor, nats.url,
      { flags: ['--on-change', `'${program}' "${log}" '$(id) ; "quoted" \\'`] });
    const runs = () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []);
    await server.start();
    await client.untilEdition('enterprise');
    await until('the program to have run for the license', () => runs().some((line) => line.startsWith('enterprise')));
    const line = runs().find((row) => row.startsWith('enterprise'));
    assert.equal(line, `enterprise valid true ACME {"sso":true,"nodes":50} license-server $(id) ; "quoted" \\`);
    const before = runs().length;
    for (const status of ['expired', 'valid', 'grace', 'expired', 'valid', 'expired']) {
      server.status = status;
      await server.say('status');
    }
    await until('the last state to arrive', () => runs().at(-1).startsWith('community expired false'));
    assert.ok(runs().length - before <= 3, `${runs().length - before} runs for six changes`);
    assert.ok(!runs().includes('TWO AT ONCE'));
  });

  test('a program is told the state, and no secret of ours', async (t) => {
    const { nats, vendor } = await makeScene(t);
    const log = path.join(temporaryFolder(t), 'environment');
    await Client.start(t, vendor, nats.url, {
      flags: ['--on-change', `sh -c 'env >"$0"; mv "$0" "$0.done"' ${log}`],
      env: { LSYS_NATS_TOKEN: 'a-secret-token' },
    });
    await until('the program to have run', () => existsSync(`${log}.done`));
    const environment = readFileSync(`${log}.done`, 'utf8');
    assert.match(environment, /^LICENSE_EDITION=community$/m);
    assert.doesNotMatch(environment, /a-secret-token|^LSYS_/m);
  });

  test('a program that hangs is ended, one that is missing is said', async (t) => {
    const { nats, vendor, server } = await makeScene(t);
    const hanging = await Client.start(t, vendor, nats.url,
      { flags: ['--on-change', 'sleep 1000', '--on-change-timeout', '200ms'] });
    await server.start();
    await hanging.process.untilOutput(/took too long/);
    const missing = await Client.start(t, vendor, nats.url, { flags: ['--on-change', '/nonexistent/program'] });
    await missing.process.untilOutput(/cannot be started/);
    await missing.untilEdition('enterprise');
    assert.ok(await missing.metric('lsys_client_on_change_runs_total', 'result="failed"') >= 1);
  });
});

describe('starting and stopping', () => {
  test('in any order: without NATS, then without a server, then with both', async (t) => {
    const vendor = await Vendor.create(path.join(temporaryFolder(t), 'vendor'));
    const token = bareToken(await vendor.issue('acme.lic'));
    const port = await freePort();
    const client = await Client.start(t, vendor, `nats://127.0.0.1:${port}`);
    await client.process.untilOutput(/waiting for NATS/);
    assert.equal((await client.license()).edition, 'community');
    assert.equal((await get(`${client.url}/healthz`)).status, 200);
    await until('readiness without a server', async () => (await get(`${client.url}/readyz`)).status === 200);
    const nats = await NatsServer.start(t, { port });
    await client.process.untilOutput(/connected to NATS/, 20_000);
    assert.equal((await client.license()).edition, 'community');
    const server = await ForeignServer.create(t, nats.url, token);
    await server.start();
    await client.untilEdition('enterprise');
    /* Losing the connection alone is no reason; silence for the timeout is. */
    await nats.stop();
    await client.process.untilOutput(/waiting for NATS[^]*waiting for NATS/);
    assert.equal((await client.license()).edition, 'enterprise');
    await client.untilEdition('community', 3 * TIMEOUT_MS);
    await nats.again();
    await client.untilEdition('enterprise', 30_000);
  });

  test('stops within two seconds while it waits', async (t) => {
    const vendor = await Vendor.create(path.join(temporaryFolder(t), 'vendor'));
    const client = await Client.start(t, vendor, `nats://127.0.0.1:${await freePort()}`);
    const started = performance.now();
    assert.deepEqual(await client.stop(), { code: 0, signal: null });
    assert.ok(performance.now() - started < 2000);
  });

  test('wrong options are refused before anything starts', async (t) => {
    const folder = temporaryFolder(t);
    const vendor = await Vendor.create(path.join(folder, 'vendor'));
    const broken = path.join(folder, 'broken.jwks');
    writeFileSync(broken, '{"keys":[{"kty":"RSA"}]}');
    mkdirSync(path.join(folder, 'a-folder'));
    const rows = [
      [[], /--keys/],
      [['--keys', path.join(folder, 'absent.jwks')], /absent\.jwks/],
      [['--keys', path.join(folder, 'a-folder')], /a-folder/],
      [['--keys', broken], /broken\.jwks/],
      [['--keys', vendor.keys, '--heartbeat-timeout', '1'], /heartbeat-timeout/],
      [['--keys', vendor.keys, '--pinning', 'loose'], /pinning/],
      [['--keys', vendor.keys, '--on-change', "'open"], /on-change/],
      [['--keys', vendor.keys, '--http', '0.0.0.0:0'], /--http/],
      [['--keys', vendor.keys, '--nats', 'http://x'], /NATS URL/],
    ];
    for (const [flags, expected] of rows) {
      const result = await lsys(['license-client', '--data-dir', path.join(folder, 'data'), '--http', '127.0.0.1:0', ...flags],
        { deadline_ms: 5000 });
      assert.ok(result.code > 0, `${flags}: exit ${result.code ?? result.signal}`);
      assert.match(result.stderr, expected);
    }
  });

  test('SIGHUP reads the key files again', async (t) => {
    const { nats, vendor, server } = await makeScene(t);
    const client = await Client.start(t, vendor, nats.url);
    await server.start();
    await client.untilEdition('enterprise');
    const good = readFileSync(vendor.keys);
    writeFileSync(vendor.keys, 'no JSON');
    client.process.signal('SIGHUP');
    await client.process.untilOutput(/the old one stays/);
    assert.equal((await client.license()).edition, 'enterprise');
    const other = await Vendor.create(path.join(temporaryFolder(t), 'other'));
    writeFileSync(vendor.keys, readFileSync(other.keys));
    client.process.signal('SIGHUP');
    const state = await client.untilState((now) => now.status === 'invalid');
    assert.equal(state.edition, 'community');
    writeFileSync(vendor.keys, good);
    client.process.signal('SIGHUP');
    await client.untilEdition('enterprise');
  });
});
